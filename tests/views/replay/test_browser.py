"""The page in a real browser: it plays, jumps, tells stories, and asks for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster_sim.recording.recording import UNKNOWN
from cluster_sim.views.replay.page import Detail, Shown, replay_page
from tests.views.browser import Opened, chromium, open_page
from tests.views.replay.cases import HOTSPOT, RACKS, shown

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIXELS = "canvas => canvas.toDataURL()"
FRAMES = """async () => {
  const began = performance.now();
  let n = 0;
  await new Promise((done) => {
    const next = () => {
      n += 1;
      if (performance.now() - began > 1500) done();
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  return (1000 * n) / (performance.now() - began);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture(scope="module")
def runs() -> list[Shown]:
    return shown(["priority", "jsq-maxweight"], HOTSPOT, n_slots=120)


@pytest.fixture
def path(runs: list[Shown], tmp_path: Path) -> Path:
    path = tmp_path / "replay.html"
    path.write_text(replay_page(runs).text, encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Any, path: Path) -> Iterator[Opened]:
    opened = open_page(browser, path)
    opened.page.wait_for_selector(".csr canvas")
    yield opened
    opened.check(path)
    opened.page.close()


def slot(page: Any) -> int:
    return int(page.input_value(".csr-slider"))


def wait_until(page: Any, is_so: Callable[[], bool]) -> None:
    """Wait here: the page's policy allows no expression to be evaluated in it again and again."""
    for _ in range(1000):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it does not come about")


def numbers(page: Any, stage: int) -> list[str]:
    return str(page.locator(".csr-numbers").nth(stage).inner_text()).replace("\n", " ").split()


def stills(page: Any) -> list[str]:
    canvases = page.locator(".csr-canvases canvas:first-child")
    return [canvases.nth(i).evaluate(PIXELS) for i in range(canvases.count())]


def test_it_plays_and_pauses(opened: Opened) -> None:
    """Play advances both pictures under one clock; pause stops them."""
    page, before = opened.page, stills(opened.page)
    page.get_by_role("button", name="Play").click()
    wait_until(page, lambda: slot(page) > 3)
    page.get_by_role("button", name="Pause").click()
    then, after = slot(page), stills(page)
    assert all(old != new for old, new in zip(before, after, strict=True))
    page.wait_for_timeout(300)
    assert slot(page) == then
    assert stills(page) == after


def test_it_ends_and_begins_again(opened: Opened) -> None:
    """At the last slot it stops; play then starts at the first."""
    page = opened.page
    page.select_option("select[aria-label=Speed]", "120")
    page.keyboard.press("k")
    wait_until(page, lambda: slot(page) == 119)
    page.get_by_role("button", name="Play").wait_for()
    page.keyboard.press("k")
    wait_until(page, lambda: slot(page) < 100)


def test_the_numbers_are_those_of_the_run(opened: Opened, runs: list[Shown]) -> None:
    """After a jump, each panel shows the tasks of that slot, wherever it came from."""
    page = opened.page
    for target in (70, 119, 3):
        page.fill("input[aria-label='Go to slot']", str(target))
        page.press("input[aria-label='Go to slot']", "Enter")
        assert slot(page) == target
        for stage, run in enumerate(runs):
            r = run.recording
            start, end = (np.where(x == UNKNOWN, 999, x) for x in (r.start, r.end))
            waiting = int(((r.arrival <= target) & (start > target)).sum())
            busy = int(((start <= target) & (end > target)).sum())
            words = numbers(page, stage)
            assert (words[0], words[4], words[6]) == (
                str(waiting + busy),
                str(waiting),
                str(10 - busy),
            )
        assert f"Slot {target}. priority: " in page.locator("[aria-live]").inner_text()


def test_the_keyboard_does_all(opened: Opened) -> None:
    """Steps, jumps, speed, and from server to server."""
    page = opened.page
    for key, expected in (
        ("ArrowRight", 1),
        ("PageDown", 11),
        ("ArrowLeft", 10),
        ("End", 119),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert slot(page) == expected, key
    page.keyboard.press("+")
    assert page.input_value("select[aria-label=Speed]") == "10"
    picture = page.get_by_role("application").first
    picture.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert slot(page) == 0, "arrows in the picture choose servers"
    assert page.locator(".csr-story h3").inner_text() == "priority: server 1, beneficiary"
    assert page.locator("[aria-live]").inner_text().startswith("server 1, beneficiary: ")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(".csr-story h3").inner_text() == "priority: server 1, beneficiary"
    page.keyboard.press("Escape")
    assert page.locator(".csr-story h3").count() == 0


def test_a_task_tells_its_story(opened: Opened, runs: list[Shown]) -> None:
    """The story of a task is what was recorded of it, under both policies."""
    page = opened.page
    page.keyboard.press("End")
    page.get_by_role("application").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    button = page.locator(".csr-story button").first
    number = int(button.inner_text().removeprefix("task ").replace(",", ""))
    button.click()
    stories = page.locator(".csr-story h3 + p").all_inner_texts()[1:]
    assert len(stories) == 2
    for run, story in zip(runs, stories, strict=True):
        row = int(np.flatnonzero(run.recording.number == number)[0])
        replicas = ", ".join(map(str, run.recording.replicas[row]))
        assert f"Its chunk is on servers {replicas}." in story
        assert f"It arrived in slot {run.recording.arrival[row]} and joined" in story
        if run.recording.start[row] != UNKNOWN:
            place = f"server {run.recording.server[row]} took it in slot {run.recording.start[row]}"
            assert place in story


def test_hovering_names_the_server(opened: Opened) -> None:
    """The pointer gives a server in a few words; leaving takes them away."""
    page = opened.page
    box = page.get_by_role("application").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9)
    tip = page.locator(".csr-tip")
    assert tip.inner_text().startswith("server ")
    page.mouse.move(5, 5)
    tip.wait_for(state="hidden")


def test_the_theme_follows_the_system_and_the_switch(browser: Any, path: Path) -> None:
    """Dark where that is preferred, and where it is chosen."""
    grounds = []
    for scheme, theme in (("light", "auto"), ("dark", "auto"), ("light", "dark")):
        opened = open_page(browser, path, color_scheme=scheme)
        opened.page.wait_for_selector(".csr canvas")
        opened.page.locator(".csr-choices select").select_option(theme)
        grounds.append(
            opened.page.evaluate("getComputedStyle(document.querySelector('.csr')).backgroundColor")
        )
        opened.check(path)
        opened.page.close()
    assert grounds[0] == "rgb(255, 255, 255)"
    assert grounds[1] == grounds[2] == "rgb(20, 23, 27)"


def test_reduced_motion_is_respected(browser: Any, path: Path) -> None:
    """Nothing glides, and it plays slowly, until asked otherwise."""
    opened = open_page(browser, path, reduced_motion="reduce")
    opened.page.wait_for_selector(".csr canvas")
    assert opened.page.input_value("select[aria-label=Speed]") == "2"
    opened.check(path)
    opened.page.close()


def test_a_page_without_pairs_says_so(browser: Any, tmp_path: Path) -> None:
    """States are shown as they were; that stories are missing is explained."""
    path = tmp_path / "states.html"
    runs = shown(["maxweight"], RACKS, first=40)
    path.write_text(replay_page(runs, detail=Detail.STATES).text, encoding="utf-8")
    opened = open_page(browser, path)
    opened.page.get_by_text("What is shown").click()
    assert opened.page.get_by_text("does not hold which server took which task").is_visible()
    opened.page.keyboard.press("End")
    opened.check(path)
    opened.page.close()


def test_a_thousand_servers_play_smoothly(browser: Any, tmp_path: Path) -> None:
    """Frames come often enough, also where nothing but the processor draws; it is 60 elsewhere."""
    tables = HOTSPOT | {
        "cluster": {"servers": 1000},
        "traffic": HOTSPOT["traffic"] | {"hot_servers": 500},
        "run": HOTSPOT["run"] | {"engine": "auto"},
    }
    path = tmp_path / "large.html"
    path.write_text(replay_page(shown(["priority"], tables, n_slots=100)).text, encoding="utf-8")
    opened = open_page(browser, path)
    opened.page.wait_for_selector(".csr canvas")
    opened.page.select_option("select[aria-label=Speed]", "20")
    opened.page.get_by_role("button", name="Play").click()
    assert opened.page.evaluate(FRAMES) > 20
    opened.check(path)
    opened.page.close()
