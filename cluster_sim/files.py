"""Files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["written_whole"]


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside a path; what is written there takes the path's name at the end.

    Parameters
    ----------
    path : str or Path
        An existing file is replaced.

    Yields
    ------
    Path
        Of no file yet. If the block fails, what it wrote is removed and the path is as it was.

    Raises
    ------
    OSError, ValueError
        If the file cannot be written there.
    """
    target = Path(path)
    part = target.with_name(f".{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
