"""Text files written line by line, under a temporary name until they are whole."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

from cluster_sim.views.saving import saved

__all__ = ["save_lines"]


def save_lines(lines: Iterable[str], path: str | Path) -> Path:
    """Save lines of text; compressed with gzip if the name ends in ``.gz``.

    Parameters
    ----------
    lines : iterable of str
        Without their ends; they need not fit in memory together.
    path : str or Path

    Returns
    -------
    Path

    Raises
    ------
    ScenarioError
        If the file cannot be written; then nothing is left behind.
    """
    target = Path(path)
    with saved(target) as part, part.open("wb") as raw:
        if target.suffix == ".gz":
            # Without a name and a time in it: the same lines give the same bytes.
            with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed:
                packed.writelines(f"{line}\n".encode() for line in lines)
        else:
            raw.writelines(f"{line}\n".encode() for line in lines)
    return target
