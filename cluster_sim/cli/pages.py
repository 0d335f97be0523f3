"""Pages that a command writes: where they go, and how they can be made again."""

from __future__ import annotations

import shlex
from pathlib import Path

from cluster_sim.errors import ScenarioError

__all__ = ["check_folder", "check_page", "command_words", "size_words"]


def check_page(path: str, option: str = "--output") -> None:
    """Check that a page can go there, before the work that leads to it.

    Parameters
    ----------
    path : str
    option : str
        Which named it.

    Raises
    ------
    ScenarioError
        If the name does not end in ``.html``, is a folder, or its folder does not exist.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise ScenarioError(f"{option} {path}: is a page; end the name with .html")
    check_folder(path, option)


def check_folder(path: str, option: str = "--output") -> None:
    """Check that a file of this name can be in its folder.

    Parameters
    ----------
    path : str
    option : str
        Which named it.

    Raises
    ------
    ScenarioError
        If it is a folder itself, or its folder does not exist.
    """
    target = Path(path)
    if target.is_dir():
        raise ScenarioError(f"{option} {path}: is a folder; give the name of a file in it")
    if not target.parent.is_dir():
        raise ScenarioError(
            f"{option} {path}: there is no folder {target.parent}; create it or choose another"
        )


def command_words(command: str, file: str, options: dict[str, object]) -> str:
    """Return the command that makes a page again.

    Parameters
    ----------
    command : str
    file : str
    options : dict of str to object
        From option to value, or to a list of values; None and an empty list are left out.

    Returns
    -------
    str

    Examples
    --------
    >>> command_words("replay", "a b.toml", {"--slots": 5, "--set": ["run.seed=2"], "--from": None})
    "cluster-sim replay 'a b.toml' --slots 5 --set run.seed=2"
    """
    words = ["cluster-sim", command, file]
    for option, value in options.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        words += [word for each in values for word in (option, str(each))]
    return shlex.join(words)


def size_words(n_bytes: int) -> str:
    """Return a size for people.

    Parameters
    ----------
    n_bytes : int

    Returns
    -------
    str

    Examples
    --------
    >>> size_words(358_123), size_words(1_250_000)
    ('358 kB', '1.25 MB')
    """
    return f"{n_bytes / 1000:.0f} kB" if n_bytes < 999_500 else f"{n_bytes / 1e6:.2f} MB"
