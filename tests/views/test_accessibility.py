"""Pages can be used by everybody: axe-core finds nothing, in light and dark, on a desk and a phone.

axe-core is not shipped. It is looked for where ``npm install axe-core`` puts it, in the current
folder or one above, or at the path that ``AXE`` names; without it these tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import compare, read_scenario
from cluster_sim.experiments.points import points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.stored import stored_sweep
from cluster_sim.experiments.sweep import run_sweep
from cluster_sim.views.inline_svg import inline_svg
from cluster_sim.views.overview import draw_comparison
from cluster_sim.views.replay.page import replay_page
from cluster_sim.views.report import report_page
from cluster_sim.views.report_tables import Drawing
from cluster_sim.views.sweep_report import sweep_report_page
from cluster_sim.views.sweeps import draw_sweep
from tests.views.browser import chromium
from tests.views.replay.cases import HOTSPOT, shown

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
RUN = "axe.run(document, { resultTypes: ['violations'] })"


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    places = [Path(os.environ.get("AXE", "/nowhere"))]
    places += [folder / "node_modules/axe-core/axe.min.js" for folder in (ROOT, *ROOT.parents)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip("axe-core is not installed (npm install axe-core)")
    return found.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(axe: str) -> Iterator[Any]:
    yield from chromium()


def replay(folder: Path) -> str:
    return replay_page(shown(["priority", "jsq-maxweight"], HOTSPOT, n_slots=60)).text


def report(folder: Path) -> str:
    scenario = read_scenario(ROOT / "scenarios/locally-overloaded-small.toml").with_values(
        {"run.slots": 300, "run.warmup": 50}
    )
    comparison = compare(scenario, ["priority", "jsq-local"])
    drawing = Drawing(inline_svg(draw_comparison(comparison), "f", "What it shows"), "Caption")
    return report_page(comparison, [drawing], theory=[("load", "0.9")], name="x", command="y")


def sweep_report(folder: Path) -> str:
    scenario = read_scenario(ROOT / "scenarios/sweep-load.toml").with_values(
        {"run.slots": 100, "run.warmup": 20, "run.replications": 2}
    )
    with Store(folder / "r.sqlite") as store:
        run_sweep(points(scenario), store, workers=1)
        sweep = stored_sweep(store)
    figure = draw_sweep(sweep.points, sweep.outcomes, "Title")
    return sweep_report_page(
        sweep, [Drawing(inline_svg(figure, "f", "What it shows"), "Caption")], name="x", command="y"
    )


@pytest.mark.parametrize("make", [replay, report, sweep_report])
def test_axe_finds_nothing(make: Any, axe: str, browser: Any, tmp_path: Path) -> None:
    """No violation of any rule, with the replay's help open and a server chosen."""
    path = tmp_path / "page.html"
    path.write_text(make(tmp_path), encoding="utf-8")
    found = []
    for width, scheme in LOOKS:
        viewport = {"width": width, "height": 844}
        page = browser.new_page(viewport=viewport, color_scheme=scheme, bypass_csp=True)
        page.goto(path.as_uri())
        if make is replay:
            page.wait_for_selector(".csr canvas")
            page.keyboard.press("End")
            page.get_by_role("application").first.focus()
            for key in ("ArrowRight", "Enter"):
                page.keyboard.press(key)
            for summary in page.locator("summary").all():
                summary.click()
        page.evaluate(axe)
        for violation in page.evaluate(RUN)["violations"]:
            where = [node["html"][:120] for node in violation["nodes"][:3]]
            found.append(f"{width} {scheme}: {violation['id']}: {violation['help']}: {where}")
        page.close()
    assert found == []
