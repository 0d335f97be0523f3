"""Pages that stand alone: one file that loads nothing and runs nothing but what is in it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

__all__ = ["content_policy", "data_block", "fill", "package_text"]


def package_text(folder: str, name: str) -> str:
    """Return a text file of a package of views.

    Parameters
    ----------
    folder : str
        Package, as ``"cluster_sim.views.replay"``.
    name : str

    Returns
    -------
    str
    """
    return resources.files(folder).joinpath(name).read_text(encoding="utf-8")


def content_policy(*, scripts: Sequence[str] = (), styles: Sequence[str] = ()) -> str:
    """Return a content security policy that allows these scripts and styles, and nothing else.

    Parameters
    ----------
    scripts, styles : sequence of str
        The exact texts between the tags.

    Returns
    -------
    str
        For the ``content`` of a ``meta`` element.

    Notes
    -----
    By hash, so that nothing that finds its way into the page can run. Images may be in the page
    itself only.

    Examples
    --------
    >>> content_policy(styles=["p { color: red }"])
    "default-src 'none'; style-src 'sha256-...'; img-src data:; base-uri 'none'; form-action 'none'"
    """
    parts = ["default-src 'none'"]
    for name, texts in (("script-src", scripts), ("style-src", styles)):
        if texts:
            parts.append(" ".join([name, *map(_hashed, texts)]))
    return "; ".join([*parts, "img-src data:", "base-uri 'none'", "form-action 'none'"])


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def data_block(name: str, content: Mapping[str, Any] | bytes) -> str:
    r"""Return an element that holds data for a script.

    Parameters
    ----------
    name : str
        The id of the element.
    content : mapping or bytes
        Written as JSON, or in base 64.

    Returns
    -------
    str

    Examples
    --------
    >>> data_block("meta", {"title": "a < b"})
    '<script type="application/json" id="meta">{"title":"a \\u003c b"}</script>'
    """
    if isinstance(content, bytes):
        kind, text = "text/plain", base64.b64encode(content).decode()
    else:
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
        kind, text = "application/json", text.replace("<", "\\u003c")
    return f'<script type="{kind}" id="{html.escape(name)}">{text}</script>'


def fill(template: str, texts: Mapping[str, str], markup: Mapping[str, str]) -> str:
    """Fill in a template of a page.

    Parameters
    ----------
    template : str
        With ``{{name}}`` where something is to stand.
    texts : mapping of str to str
        Plain text; it is escaped.
    markup : mapping of str to str
        Put in as it is.

    Returns
    -------
    str

    Examples
    --------
    >>> fill("<p>{{a}}</p>{{b}}", {"a": "1 < 2"}, {"b": "<hr>"})
    '<p>1 &lt; 2</p><hr>'
    """
    filled = {name: html.escape(text) for name, text in texts.items()} | dict(markup)
    # In one pass: what is put in is not looked at again.
    pieces = template.split("{{")
    parts = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        parts += [filled[name], rest]
    return "".join(parts)
