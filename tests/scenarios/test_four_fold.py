"""The recorded measurements behind docs/concepts/four-fold.md."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from support.markdown import code_blocks

from cluster_sim import compare
from tests.scenarios.shipped import FOLDER, HAS_NUMBA, ROOT

RECORDED = FOLDER / "four_fold.txt"
LOADS = ("0.5", "0.7", "0.8", "0.9", "0.95")
SLOTS = 8000


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("four_fold", FOLDER / "four_fold.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recorded(table: int, row: str) -> list[str]:
    """Return the cells of a row of a recorded table, the tables counted from 0."""
    tables = RECORDED.read_text(encoding="utf-8").split("\n\n")
    (line,) = (line for line in tables[table].splitlines() if line.startswith(f"{row}  "))
    return line[len(row) :].split()


def test_the_page_shows_what_was_recorded() -> None:
    """Every table on the page stands in the recorded file, and every recorded one on the page."""
    shown = [
        table
        for block in code_blocks(ROOT / "docs/concepts/four-fold.md")
        if block.language == "text"
        for table in block.text.split("\n\n")
    ]
    tables = RECORDED.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    assert sorted(shown) == sorted(tables)


def test_the_ratio_grows_with_the_cluster() -> None:
    """The recorded ratio of JSQ-MaxWeight is about proportional to the number of servers."""
    sizes = [int(size) for size in recorded(9, "servers")]
    ratios = [float(ratio) for ratio in recorded(9, "jsq-maxweight / priority")]
    large = [ratio / size for size, ratio in zip(sizes, ratios, strict=True) if size >= 50]
    assert max(large) < 1.05 * min(large)
    assert abs(ratios[sizes.index(50)] - 4) < 0.5


def test_completion_times_exceed_the_flow_through_the_common_queue() -> None:
    """Where tasks must leave the hot servers, JSQ-MaxWeight takes longer than f slots."""
    times = [float(time) for time in recorded(5, "jsq-maxweight")]
    for load, time in zip(LOADS, times, strict=True):
        flow = 0.8 * float(load) * 2500 / 3 - 500
        assert (time > flow) if flow > 0 else time < 2


@pytest.mark.slow
@pytest.mark.skipif(not HAS_NUMBA, reason="the compiled engine needs numba")
@pytest.mark.parametrize(
    ("traffic", "reading", "row", "tables"),
    [
        ("evenly-loaded", {}, "default", (2, 3)),
        ("locally-overloaded", {}, "default", (6, 7)),
        (
            "evenly-loaded",
            {"routing_view": "slot-start"},
            "routing_view = slot-start",
            (2, 3),
        ),
    ],
)
def test_the_recorded_ratios_are_measured(
    script: ModuleType,
    traffic: str,
    reading: dict[str, str],
    row: str,
    tables: tuple[int, int],
) -> None:
    """The column of load 0.9 is what the script measures now."""
    scenario = script.scenario_of(traffic, servers=1000, slots=SLOTS)
    values = {f"reading.{name}": value for name, value in reading.items()}
    found = compare(
        scenario.with_values({**values, "traffic.load": 0.9}), ["priority", *script.RIVALS]
    )
    column = LOADS.index("0.9")
    for rival, table in enumerate(tables, start=1):
        assert script.ratio(found, rival).strip() == recorded(table, row)[column]


@pytest.mark.slow
@pytest.mark.skipif(not HAS_NUMBA, reason="the compiled engine needs numba")
def test_the_recorded_sizes_are_measured(script: ModuleType) -> None:
    """The column of fifty servers is what the script measures now."""
    column = script.SIZES.index(50)
    slots = SLOTS * max(script.SIZES) // 50
    found = compare(
        script.scenario_of("locally-overloaded", servers=50, slots=slots),
        ["priority", *script.RIVALS],
    )
    for rival, name in enumerate(script.RIVALS, start=1):
        assert script.ratio(found, rival).strip() == recorded(9, f"{name} / priority")[column]
