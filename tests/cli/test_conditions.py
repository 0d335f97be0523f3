"""The commands say what is not as in the paper, and refuse what makes no sense."""

from __future__ import annotations

import pytest

from tests.cli.shell import SCENARIO, call, change

CONDITIONS = (
    change(
        "remote = 0.5",
        'remote = 0.5\ndistribution = "log-normal"\ncv = 2\n[[cluster.speeds]]\nservers = 2\n'
        "factor = 0.5",
    )
    + "[phases]\nstay = [10, 40]\nfactor = [3, 0.5]\n[estimates]\nremote = 1.5\n"
)
TOLD = {
    "service times": "log-normal, cv 2; mean 1 / rate",
    "speeds": "2 servers at 0.5, 4 servers at 1",
    "told rates": "local 1, rack_local 0.8, remote 0.75 (what the scheduler believes)",
    "phases": "2, of 10, 40 slots on average",
}


@pytest.mark.parametrize("command", ["run", "theory"])
def test_tables_name_the_conditions(command: str) -> None:
    """Each condition has its row; without conditions there is none."""
    result = call(command, "-", stdin=CONDITIONS.encode())
    assert result.status == 0
    rows = {line[:15].strip(): " ".join(line.split()) for line in result.out.splitlines()}
    for name, words in TOLD.items():
        assert any(row == f"{name} {words}" for row in rows.values()), name
    plain = call(command, "-", stdin=SCENARIO.encode())
    assert not any(name in plain.out for name in TOLD)


def test_check_names_the_conditions() -> None:
    """`check` builds the system, so it says them too."""
    result = call("check", "-", stdin=CONDITIONS.encode())
    assert result.status == 0
    for name, words in TOLD.items():
        assert f"; {name} {words}" in result.out


def test_theory_says_why_there_are_no_bounds() -> None:
    """No bound of the theorems is printed where service is not geometric; the reason is."""
    two_tiers = change("rack_local = 0.8\n", "")
    settings = ("--set", "service.distribution=deterministic")
    result = call("theory", "-", *settings, stdin=two_tiers.encode())
    assert result.status == 0
    assert "lower bound" in call("theory", "-", stdin=two_tiers.encode()).out
    assert "lower bound" not in result.out
    assert "helpers" in result.out
    assert "no bounds: the theorems are for geometric service" in result.out


def test_the_plan_of_a_system_with_speeds_is_refused() -> None:
    """There is no ideal load decomposition to draw, and the message says so."""
    slow = change("rack_local = 0.8\n", "", CONDITIONS)
    result = call("theory", "-", "--plot", "a.svg", stdin=slow.encode())
    assert (result.status, result.out) == (2, "")
    assert "defined for servers of one speed only" in result.err


def test_every_mistake_exits_with_two() -> None:
    """A mistake in any of the tables is the user's, told in one line without a traceback."""
    for wrong in ("phases.stay=[0, 5]", "estimates.local=3", "service.cv=-1", "cluster.speeds=[]"):
        result = call("check", "-", "--set", wrong, stdin=CONDITIONS.encode())
        assert result.status == 2
        assert len(result.err.splitlines()) == 1, result.err


def test_a_sweep_over_conditions(folder: object) -> None:
    """The tables can be swept like any other."""
    text = CONDITIONS + '[sweep]\n"service.cv" = [0.5, 2.0]\n"estimates.remote" = [0.5, 1.5]\n'
    result = call("sweep", "-", "-o", "a.db", "--quiet", stdin=text.encode())
    assert result.status == 0, result.err
