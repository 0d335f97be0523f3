"""Where compiled loops are kept between processes.

Each loop has a folder of its own, named by a hash of every source it is made of, of numba and of
Python. A helper edited in another file gives another folder, so nothing stale is ever loaded;
folders long unused are removed. If no folder can be written, loops are compiled anew in each
process.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["cache_folder", "make_forgiving", "write_once"]

VARIABLE = "CLUSTER_SIM_CACHE"
MARKER = "kernel.py"  # in every folder of ours
N_KEPT = 64  # folders of about 1 MB each


def cache_folder(digest: str) -> Path | None:
    """Return the folder of a loop, made if need be.

    Parameters
    ----------
    digest : str

    Returns
    -------
    Path or None
        None if the cache is switched off (``CLUSTER_SIM_CACHE`` is empty) or cannot be written.
    """
    root = _root()
    if root is None:
        return None
    folder = root / digest[:32]
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _prune(root)
        os.utime(folder)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _root() -> Path | None:
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not home.is_absolute():  # then the standard has it ignored
        try:
            home = Path.home() / ".cache"
        except RuntimeError:  # no home folder
            return None
    return home / "cluster_sim" / f"python-{sys.version_info.major}.{sys.version_info.minor}"


def _prune(root: Path) -> None:
    """Make room for a new folder: remove those used longest ago, and nothing but our own."""
    folders = sorted(
        (
            entry
            for entry in root.iterdir()
            if re.fullmatch("[0-9a-f]{32}", entry.name) and (entry / MARKER).is_file()
        ),
        key=lambda entry: entry.stat().st_mtime,
    )
    for folder in folders[: 1 - N_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def write_once(path: Path, text: str) -> bool:
    """Write a file unless it is there already, atomically.

    Parameters
    ----------
    path : Path
    text : str

    Returns
    -------
    bool
        Whether the file is there.
    """
    if path.exists():
        return True
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        return False
    return True


def make_forgiving(kernel: Any) -> None:
    """Let a compiled function do without its cache where that fails.

    Numba would end the run at a full disk, or at a file cut short by a loss of power.

    Parameters
    ----------
    kernel : numba dispatcher
        Made with ``cache=True``; changed in place.
    """
    kept = kernel._cache
    load, save = kept.load_overload, kept.save_overload

    def load_or_not(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception:  # noqa: BLE001 - whatever a damaged file leads to
            with contextlib.suppress(OSError):
                kept.flush()
            return None

    def save_or_not(*arguments: Any) -> None:
        with contextlib.suppress(OSError):
            save(*arguments)

    kept.load_overload, kept.save_overload = load_or_not, save_or_not
