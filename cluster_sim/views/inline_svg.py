"""A figure as a part of a page: SVG without styles, which a strict page would not apply."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from cluster_sim.views.style import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_FONT = re.compile(r"^(?P<words>.*?)(?P<size>[\d.]+px) (?P<family>.+)$")


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an ``svg`` element for a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Put before every id in it, for ids must be unique in a page.
    description : str
        What the figure shows, for those who do not see it.

    Returns
    -------
    str

    Notes
    -----
    A page that allows styles by hash only ignores ``style`` attributes. What they say is written
    as presentation attributes instead, which SVG has for all that matplotlib uses.
    """
    import matplotlib as mpl

    with io.StringIO() as file:
        with mpl.rc_context(settings()):
            figure.savefig(file, format="svg", metadata={"Date": None})
        root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if _tag(child) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _tag(element)
        _unstyle(element)
        _rename(element, name)
    root.attrib.pop("version", None)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", description)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(f"{{{_SVG}}}")


def _unstyle(element: ElementTree.Element) -> None:
    """Turn a style attribute into presentation attributes."""
    for declaration in filter(None, element.attrib.pop("style", "").split(";")):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        found = _FONT.match(value) if name == "font" else None
        if found is None:
            element.set(name, value)
            continue
        element.set("font-size", found["size"])
        element.set("font-family", found["family"].replace("'", ""))
        if "bold" in found["words"] or "700" in found["words"]:
            element.set("font-weight", "bold")
        if "italic" in found["words"]:
            element.set("font-style", "italic")


def _rename(element: ElementTree.Element, name: str) -> None:
    """Put a name before the ids of an element, and before those that it refers to."""
    target = element.attrib.pop(_LINK, None)
    if target is not None:
        # What does not point into the figure is an image that is in it.
        inner = target.startswith("#")
        element.set("href", f"#{name}-{target.removeprefix('#')}" if inner else target)
    for key, value in element.attrib.items():
        if key == "id":
            element.set(key, f"{name}-{value}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
