"""Tables of the report pages, and what a page says of the versions that made it."""

from __future__ import annotations

import html
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Drawing", "Rows", "facts", "figures", "packages", "table"]

Rows = Sequence[tuple[str, str]]

# What may scroll sideways can be reached, and scrolled, with the keyboard.
_WIDE = '<div class="wide" role="group" tabindex="0" aria-label="Table">'


@dataclass(frozen=True)
class Drawing:
    """A figure of the page.

    Parameters
    ----------
    svg : str
        From `cluster_sim.views.inline_svg.inline_svg`.
    caption : str
    """

    svg: str
    caption: str


def figures(drawings: Sequence[Drawing]) -> str:
    """Return figures as markup.

    Parameters
    ----------
    drawings : sequence of Drawing

    Returns
    -------
    str
    """
    captions = [f"<figcaption>{html.escape(each.caption)}</figcaption>" for each in drawings]
    return "\n".join(
        f'<figure tabindex="0">{each.svg}{caption}</figure>'
        for each, caption in zip(drawings, captions, strict=True)
    )


def packages() -> tuple[str, str]:
    """Return the versions that decide how a run is computed, as a row of facts.

    Returns
    -------
    tuple of (str, str)
    """
    found = []
    for name in ("numpy", "scipy", "simpy", "numba"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return "Python", f"{platform.python_version()}, {', '.join(found)}"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as markup.

    Parameters
    ----------
    caption : str
    head : sequence of str
    rows : sequence of sequence of str
        The first cell of each is its heading.

    Returns
    -------
    str
    """
    first = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f"{_WIDE}<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(rows: Rows) -> str:
    """Return names and values as a table.

    Parameters
    ----------
    rows : sequence of (str, str)

    Returns
    -------
    str
    """
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'{_WIDE}<table class="facts"><tbody>{body}</tbody></table></div>'
