"""The site in a real browser: nothing is loaded from elsewhere, nothing breaks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from support.page_runner import REPOSITORY

from tests.views.browser import chromium

pytestmark = pytest.mark.slow

HREF = re.compile(r'(?:href|src)="([^"#?]+)[^"]*"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as CI builds it, warnings as errors."""
    for module in ("sphinx", "furo", "myst_parser", "latex2mathml"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


def pages(site: Path) -> list[Path]:
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    """Also those of pictures, which are written as addresses."""
    missing = [
        f"{page.relative_to(site)}: {target}"
        for page in pages(site)
        for target in HREF.findall(page.read_text(encoding="utf-8"))
        if "://" not in target
        and not target.startswith(("mailto:", "data:"))
        and not (page.parent / unquote(target)).exists()
    ]
    assert missing == []


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_no_page_asks_another_host_or_complains(
    site: Path, browser: Any, width: int, scheme: str
) -> None:
    """On a desk and on a phone: no request elsewhere, no error, no page wider than its window."""
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    found: list[str] = []
    for path in pages(site):
        page, name = context.new_page(), path.relative_to(site)
        page.on("console", lambda message, name=name: found.append(f"{name}: {message.text}"))
        page.on("pageerror", lambda error, name=name: found.append(f"{name}: {error}"))
        page.on("requestfailed", lambda request, name=name: found.append(f"{name}: {request.url}"))
        page.on("request", lambda request, name=name: found.extend(elsewhere(name, request.url)))
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
        if wide > 0 or broken:
            found.append(f"{name}: {wide} pixels too wide; broken pictures: {broken}")
        page.close()
    context.close()
    assert found == []


def elsewhere(name: Path, url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:")) else [f"{name}: asks for {url}"]
