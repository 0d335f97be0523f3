"""What the benchmarks are made of is right; fast, so it runs with the other tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_sim.compiled.assembly import is_available
from tests.benchmarks import c_reference, child, table
from tests.benchmarks.findings import Finding, digits, markdown
from tests.benchmarks.measuring import Measured, Rate, in_turn, ratio, speed
from tests.benchmarks.plain_simpy import run_events, run_stores
from tests.benchmarks.systems import ENGINES, KEY, evenly_loaded


@pytest.mark.skipif(c_reference.GCC is None, reason="gcc is not installed")
@pytest.mark.parametrize("engine", ENGINES)
def test_the_program_in_c_runs_the_same_trajectory(engine: str, tmp_path: Path) -> None:
    """A program written apart from the engines reports the same counts and sums as each of them."""
    if engine == "compiled" and not is_available():
        pytest.skip("numba is not installed")
    program = c_reference.build(tmp_path)
    for policy in ("priority", "jsq-maxweight"):
        for load in (0.6, 0.95):
            system = evenly_loaded(policy, 20, load)
            found, _ = c_reference.run(program, system, slots=300, warmup=50, key=KEY)
            result = ENGINES[engine](system, KEY, slots=300, warmup=50)
            assert found == c_reference.Numbers.of(result)


def test_the_plain_model_serves_what_arrives() -> None:
    """At load 0.5 the yardstick completes about half a task a server and slot."""
    n_completed, expected = run_stores(20, 0.5, 400), 0.5 * 20 * 400
    assert abs(n_completed - expected) < 4 * (expected / 2) ** 0.5 + 20
    assert run_events(7) == 7


def test_ratios_are_taken_round_by_round() -> None:
    """Drift that hits both sides of a round alike leaves the ratio alone."""
    slowing = iter([1.0, 1.0, 3.0, 3.0, 9.0, 9.0])
    work = [lambda: Rate(20, next(slowing)), lambda: Rate(10, next(slowing))]
    first, second = in_turn(3, *work)
    assert ratio(first, second).values == (2.0, 2.0, 2.0)
    assert speed(first) == pytest.approx(20 / 3)


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "is_missed"),
    [
        (2.0, 2.0, None, False),
        (1.9, 2.0, None, True),
        (1.1, None, 1.0, True),
        (5.0, None, None, False),
    ],
)
def test_a_goal_is_met_at_its_bound(
    value: float, at_least: float | None, at_most: float | None, is_missed: bool
) -> None:
    """A bound counts as met; without a goal nothing is missed."""
    finding = Finding("x", Measured((value,)), at_least=at_least, at_most=at_most)
    assert finding.is_missed is is_missed
    assert ("**missed**" in finding.row()) is is_missed


def test_tables_are_padded() -> None:
    """Columns line up in the text itself."""
    assert markdown(["a", "bb"], [["long", "1"]]).splitlines() == [
        "| a    | bb |",
        "|------|----|",
        "| long | 1  |",
    ]
    assert [digits(x) for x in (0, 0.0123, 1.2345, 12345.6)] == ["0", "0.0123", "1.23", "12,346"]


def test_writing_keeps_the_rest_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing replaces what stands between the marks and nothing else."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    monkeypatch.setattr(table, "PAGE", page)
    table.write("new\n")
    assert page.read_text() == f"before\n{table.BEGIN}\n\nnew\n\n{table.END}\nafter\n"


def test_peak_memory_is_plausible() -> None:
    """A process with numpy in it holds between ten megabytes and the memory of a large machine."""
    assert 10 * 2**20 < child.peak_bytes() < 2**44
