"""The command line, ``cluster-sim``: one command a file.

Heavy packages are imported inside the commands, so that ``cluster-sim --help`` answers at once.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        As after ``cluster-sim``; by default those of the process.

    Returns
    -------
    int
        One of `cluster_sim.cli.endings.Status`: 0 success, 1 the run failed, 2 the request was
        wrong, 130 interrupted.
    """
    # Imports make some hundred thousand objects that stay; to look for garbage among them again and
    # again takes a tenth of a short run.
    gc.set_threshold(100_000)
    from cluster_sim.cli.app import run_app

    return run_app(list(sys.argv[1:] if arguments is None else arguments))
