"""The demo in a real browser: sliders move numbers and picture, and nothing leaves the machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cluster_sim.demo.catalogue import LESSONS
from cluster_sim.demo.panels import N_WATCHED
from tests.cli.shell import REPOSITORY, start
from tests.views.browser import chromium

pytest.importorskip("marimo")
pytest.importorskip("anywidget")
pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIXELS = "canvas => canvas.toDataURL()"
PATIENCE = 240_000  # ms; a policy that is not compiled yet takes its time


# Imported by the server's Python as it starts: notes down whom the server itself would reach.
LISTENER = """
import socket
from pathlib import Path

reached = Path(__file__).with_name("reached.txt")
connect = socket.socket.connect

def noted(self, address):
    if isinstance(address, tuple):
        with reached.open("a") as file:
            file.write(f"{address[0]}\\n")
    return connect(self, address)

reached.touch()
socket.socket.connect = noted
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@dataclass
class Visit:
    """A page that is served, and the hosts that it asked."""

    page: Any
    server: subprocess.Popen[str]
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def ask(self, address: str) -> None:
        if not address.startswith(("data:", "blob:")):
            self.hosts.add(str(urlsplit(address).hostname))

    def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(PATIENCE // 50):
            if is_so():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it does not come about")

    def moves(self, what: Callable[[], str], act: Callable[[], Any]) -> None:
        """Something changes after an act."""
        before = what()
        act()
        self.until(lambda: what() != before)


def visit(browser: Any, folder: Path, *arguments: str, **options: Any) -> Iterator[Visit]:
    (folder / "sitecustomize.py").write_text(LISTENER)
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"}
    server = start("demo", *arguments, "--no-browser", folder=folder, env=environment)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        page = browser.new_page(viewport={"width": 1400, "height": 950}, **options)
        page.set_default_timeout(PATIENCE)
        visited = Visit(page, server)
        page.on("request", lambda request: visited.ask(request.url))
        page.on("websocket", lambda socket: visited.ask(socket.url))
        page.on("pageerror", lambda error: visited.errors.append(str(error)))
        page.goto(address)
        yield visited
        assert visited.hosts == {"127.0.0.1"}
        assert visited.errors == []
        page.close()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=20)
        assert (server.returncode, out, err) == (0, "stopped\n", "")
        assert set((folder / "reached.txt").read_text().split()) <= {"127.0.0.1"}
    finally:
        server.kill()
        server.communicate()


@pytest.fixture
def demo(browser: Any, tmp_path: Path) -> Iterator[Visit]:
    yield from visit(browser, tmp_path)


def press(visited: Visit, place: int, key: str) -> None:
    """Move a slider by the keyboard."""
    slider = visited.page.get_by_role("slider").nth(place)
    slider.focus()
    visited.page.keyboard.press(key)


def test_sliders_move_the_theory_and_the_picture(demo: Visit) -> None:
    """Load, hot spot and rates change the numbers, the boundary and the canvas."""
    page = demo.page
    page.wait_for_selector(".csr canvas")
    theory, numbers = page.locator("table.theory"), page.locator(".csr-numbers").first
    picture = page.locator(".csr-canvases canvas:first-child").first
    region = page.locator("svg[aria-label^='Capacity region']")
    assert "mean completion time" in theory.inner_text()
    page.locator(f".csr-slider[max='{N_WATCHED - 1}']").wait_for()
    demo.moves(lambda: picture.evaluate(PIXELS), lambda: page.locator(".csr-slider").fill("90"))
    demo.moves(theory.inner_text, lambda: press(demo, 0, "ArrowLeft"))  # the load
    assert re.search(r"jsq-local [\d.]+ slots and growing", theory.inner_text())
    page.locator(".csr-about").filter(has_text="load 0.89 of the capacity").wait_for()
    assert page.locator(".csr-slider").input_value() == "90", "the picture stays at its slot"

    before = numbers.inner_text(), picture.evaluate(PIXELS)
    demo.moves(region.inner_html, lambda: press(demo, 1, "ArrowRight"))  # hot tasks
    demo.until(lambda: numbers.inner_text() != before[0])
    demo.until(lambda: picture.evaluate(PIXELS) != before[1])
    demo.moves(region.inner_html, lambda: press(demo, 5, "ArrowRight"))  # gamma


def test_a_policy_is_chosen_and_played(demo: Visit) -> None:
    """Another policy gets its panel; play moves both; a slider's arrows do not step the replay."""
    page = demo.page
    page.locator(f".csr-slider[max='{N_WATCHED - 1}']").wait_for()
    page.locator("select").nth(1).select_option("fifo")
    page.locator(".csr h2").filter(has_text="fifo").wait_for()
    page.locator("table.theory").filter(has_text="fifo").wait_for()
    still = page.locator(".csr-canvases canvas:first-child").last
    page.wait_for_timeout(500)
    demo.moves(lambda: still.evaluate(PIXELS), page.get_by_role("button", name="Play").click)
    page.get_by_role("button", name="Pause").click()
    slot = page.locator(".csr-slider").input_value()
    demo.moves(page.locator("table.theory").inner_text, lambda: press(demo, 0, "ArrowLeft"))
    assert page.locator(".csr-slider").input_value() == slot


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_or_dark(browser: Any, tmp_path: Path, scheme: str) -> None:
    """Text and ground follow the system, in the notebook and in the picture."""
    for visited in visit(browser, tmp_path, "one-queue", color_scheme=scheme):
        visited.page.wait_for_selector("table.checks")
        find = "getComputedStyle(document.querySelector('table.checks td')).color"
        colour = str(visited.page.evaluate(find))
        red = float(re.findall(r"[\d.]+", colour)[0]) / (1 if "srgb" in colour else 255)
        assert red < 0.3 if scheme == "light" else red > 0.7
        assert scheme in visited.page.locator("body").get_attribute("class").split()


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_a_lesson_opens_and_its_claims_hold(browser: Any, tmp_path: Path, name: str) -> None:
    """Every tick is there, a slider changes the numbers, and there is a picture."""
    for visited in visit(browser, tmp_path, name):
        checks = visited.page.locator("table.checks")
        checks.wait_for()
        assert "✗" not in checks.inner_text()
        assert checks.inner_text().count("✓") >= 4
        assert visited.page.locator("svg[role=img], .csr canvas").count() >= 1
        key = "ArrowLeft" if name != "heavy-traffic" else "ArrowRight"
        shown = visited.page.locator("#App")
        visited.moves(shown.inner_html, lambda: press(visited, 0, key))  # noqa: B023 - at once
