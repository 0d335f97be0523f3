"""What must hold for every page of the project."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Checked(HTMLParser):
    """A page, read."""

    text: str
    ids: list[str] = field(default_factory=list)
    blocks: dict[str, list[str]] = field(default_factory=dict)  # scripts and styles that apply
    data: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(self.text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute of {tag} twice"
        assert "style" not in given, "an inline style is not applied under the policy"
        assert not [name for name in given if name.startswith("on")], "an inline handler"
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if given.get("id"):
            self.ids.append(given["id"] or "")
        for name in ("src", "href"):
            value = given.get(name) or "#"
            assert value.startswith(("#", "data:")), f"{tag} {name}={value}"
        if tag not in VOID:
            self._open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"{tag} is closed but not open"
        opened, _ = self._open.pop()
        assert opened == tag, f"{opened} is closed by {tag}"

    def handle_data(self, data: str) -> None:
        tag, given = self._open[-1] if self._open else ("", {})
        if tag in ("script", "style"):
            if given.get("type") in ("application/json", "text/plain"):
                self.data[given["id"] or ""] = data
            else:
                self.blocks.setdefault(tag, []).append(data)
        elif data.strip():
            self.words.append(data)


def check_page(text: str) -> Checked:
    """Return a page, read; it must be well formed, and allow only what is in it."""
    page = Checked(text)
    assert len(page.ids) == len(set(page.ids)), "ids must be unique"
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy
    for kind in ("script", "style"):
        for block in page.blocks.get(kind, []):
            digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
            assert re.search(rf"{kind}-src [^;]*'sha256-{re.escape(digest)}'", page.policy)
    # The names of XML vocabularies are no addresses: nothing is loaded from them.
    addresses = set(re.findall(r"https?://[^\s\"'<>`)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    return page
