"""Speed, memory and start-up as the design asks: `pytest -m benchmark tests/benchmarks`."""

from __future__ import annotations

import pytest

from tests.benchmarks import grid
from tests.benchmarks.findings import HEADER, markdown
from tests.benchmarks.goals import BENCHMARKS, MissingError
from tests.benchmarks.measuring import FULL

pytestmark = pytest.mark.benchmark


def show(config: pytest.Config, text: str) -> None:
    """Write a table to the terminal, also where the test passes."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\n{text}")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_goals_are_met(name: str, pytestconfig: pytest.Config) -> None:
    """Every goal of a benchmark is met; the table shows all that was measured."""
    try:
        findings = BENCHMARKS[name](FULL)
    except MissingError as error:
        pytest.skip(str(error))
    show(pytestconfig, markdown(HEADER, (finding.row() for finding in findings)))
    missed = [" ".join(finding.row()[:4]) for finding in findings if finding.is_missed]
    assert not missed


def test_speed_against_size_and_load(pytestconfig: pytest.Config) -> None:
    """Both engines run from 10 to 100,000 servers; the table has no goal."""
    show(pytestconfig, grid.table(FULL))
