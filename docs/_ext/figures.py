"""Makes figures that are wider than the text a link to themselves, where they can be seen whole."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_WIDEST = 720  # pixels that the text has room for
_SVG_WIDTH = re.compile(rb"<svg[^>]*?\swidth=\"([\d.]+)pt\"", re.S)


def width_of(path: Path) -> float:
    """Return the width of a picture in pixels; 0 if it does not say."""
    head = path.read_bytes()[:4000]
    if head.startswith(b"\x89PNG"):
        return float(struct.unpack(">I", head[16:20])[0])
    found = _SVG_WIDTH.search(head)
    return float(found[1]) * 96 / 72 if found else 0.0


def limit(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give wide pictures the width of the text; Sphinx links what is scaled to the whole."""
    for image in doctree.findall(nodes.image):
        path = Path(app.srcdir) / image["uri"]
        is_link = isinstance(image.parent, nodes.reference)
        if not is_link and "width" not in image and path.is_file() and width_of(path) > _WIDEST:
            image["width"] = "100%"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at the pictures of every page."""
    app.connect("doctree-resolved", limit)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
