"""What a policy's functions use, found out without running them."""

from __future__ import annotations

import dis
from collections.abc import Callable

__all__ = ["reads_argument"]


def reads_argument(function: Callable[..., object], name: str) -> bool:
    """Return whether a function may read one of its arguments.

    What nobody reads need not be drawn.

    Parameters
    ----------
    function : callable
    name : str

    Returns
    -------
    bool
        True as well where it cannot be known, for a callable without Python code.

    Examples
    --------
    >>> reads_argument(lambda server, tie: server, "tie")
    False
    >>> reads_argument(lambda server, tie: tie < 0.5, "tie")
    True
    """
    try:
        steps = list(dis.get_instructions(function))
    except TypeError:
        return True
    # Newer Pythons load two variables in one step, and name both.
    return any(
        name == step.argval or (isinstance(step.argval, tuple) and name in step.argval)
        for step in steps
        if step.opname.startswith("LOAD")
    )
