"""Figures on disk: drawn without a screen, whole or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_sim.errors import ScenarioError
from cluster_sim.files import written_whole
from cluster_sim.views.style import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SUFFIXES", "check_figure", "new_figure", "save_figure", "save_text", "saved"]

SUFFIXES = (".svg", ".png")


def check_figure(path: str | Path | None = None) -> None:
    """Check that a figure can be drawn and saved, before the work that leads to it.

    Parameters
    ----------
    path : str or Path, optional
        Where it is to go.

    Raises
    ------
    ScenarioError
        If matplotlib is missing, or the name has no suffix of a known format.
    """
    if path is not None and Path(path).suffix.lower() not in SUFFIXES:
        raise ScenarioError(
            f"{path}: a figure is saved as {' or '.join(SUFFIXES)}; end the name with one of these"
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise ScenarioError(
            "figures need matplotlib, which is not installed; pip install 'cluster_sim[plot]'"
        )


@contextlib.contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """Make a figure in the project's style, for drawing within the block.

    Parameters
    ----------
    width, height : float
        Inches.

    Yields
    ------
    matplotlib.figure.Figure
        It belongs to no window and to no list of open figures.

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    check_figure()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(settings()):
        yield Figure(figsize=(width, height))


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Save a figure under a temporary name, then rename it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        The suffix says the format: ``.svg`` or ``.png``.

    Returns
    -------
    Path

    Raises
    ------
    ScenarioError
        If the suffix is another one, or the file cannot be written.
    """
    check_figure(path)
    import matplotlib as mpl

    kind = Path(path).suffix.lower().lstrip(".")
    # Without a date the same figure is the same file.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with io.BytesIO() as file:
        with mpl.rc_context(settings()):
            figure.savefig(file, format=kind, dpi=160, metadata=metadata)
        return _save(file.getvalue(), path)


def save_text(text: str, path: str | Path) -> Path:
    """Save text under a temporary name, then rename it.

    Parameters
    ----------
    text : str
    path : str or Path

    Returns
    -------
    Path

    Raises
    ------
    ScenarioError
        If the file cannot be written.
    """
    return _save(text.encode("utf-8"), path)


def _save(data: bytes, path: str | Path) -> Path:
    with saved(path) as part:
        part.write_bytes(data)
    return Path(path)


@contextlib.contextmanager
def saved(path: str | Path) -> Iterator[Path]:
    """Do as `written_whole`, with an error for people.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Path

    Raises
    ------
    ScenarioError
        If the file cannot be written.
    """
    try:
        with written_whole(path) as part:
            yield part
    except ScenarioError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(
            f"{path}: cannot be written ({reason}); choose a path on a disk with room, in a "
            "folder that you may write to"
        ) from error
