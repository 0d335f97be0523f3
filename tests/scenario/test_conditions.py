"""Scenarios with slow servers, other service times, wrong estimates and phases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.points import point_of
from cluster_sim.model.phased_workload import PhasedWorkload
from cluster_sim.model.service_times import Deterministic, Empirical, Geometric, LogNormal, Pareto
from cluster_sim.randomness import Key
from cluster_sim.scenario import InvalidScenarioError, Scenario, parse_scenario, read_scenario
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.conditions import ServerSpeed, speeds_of
from cluster_sim.scenario.conditions_build import read_durations
from cluster_sim.scenario.task_types import decomposition_of, list_types, report_of
from cluster_sim.theory.capacity import largest_load_factor
from tests.scenario.samples import BASE, TRAFFIC, change, problems_of

HOT = 'kind = "hotspot"\nload = 0.9\nhot_servers = 6\nhot_probability = 0.8'
HOTSPOT = change(TRAFFIC, HOT)
TWO_TIERS = change("rack_local = 0.8\n", "")


def scenario_of(text: str, *overrides: str) -> Scenario:
    return parse_scenario(text, "case.toml", overrides)


ONE_MISTAKE = {
    "distribution": (
        change("remote = 0.5", 'remote = 0.5\ndistribution = "parteo"'),
        "case.toml:9: [service] distribution = \"parteo\": is not known. Did you mean 'pareto'?",
    ),
    "shape-missing": (
        change("remote = 0.5", 'remote = 0.5\ndistribution = "pareto"'),
        '[service] shape: missing; distribution = "pareto" needs it: add for example shape = 2.1',
    ),
    "shape-of-another": (
        change("remote = 0.5", "remote = 0.5\nshape = 2.1"),
        'case.toml:9: [service] shape = 2.1: belongs to distribution = "pareto", and distribution',
    ),
    "shape-too-low": (
        change("remote = 0.5", 'remote = 0.5\ndistribution = "pareto"\nshape = 1'),
        "case.toml:10: [service] shape = 1: must be above 1, or the mean is infinite",
    ),
    "cv-too-high": (
        change("remote = 0.5", 'remote = 0.5\ndistribution = "log-normal"\ncv = 1000'),
        "case.toml:10: [service] cv = 1000: must be at most 100",
    ),
    "durations": (
        change("remote = 0.5", 'remote = 0.5\ndistribution = "empirical"\ndurations = [1, -2]'),
        "case.toml:10: [service] durations = [1, -2]: must be an array of durations above 0, or",
    ),
    "speed-servers": (
        change("racks = 4", 'racks = 4\nspeeds = [{ servers = "a", factor = 0.5 }]'),
        'case.toml:5: [cluster] speeds[0].servers = "a": must be a number of servers (10), a frac',
    ),
    "speed-factor": (
        change("racks = 4", "racks = 4\n[[cluster.speeds]]\nservers = 2\nfactor = 1.5"),
        "case.toml:7: [cluster] speeds[0].factor = 1.5: makes the rate 1.5 of service.local (1.0)",
    ),
    "speed-misspelt": (
        change("racks = 4", "racks = 4\nspeeds = [{ servers = 2, factr = 0.5 }]"),
        "case.toml:5: [cluster] speeds[0].factr = 0.5: unknown key. Did you mean 'factor'?",
    ),
    "speed-is-no-table": (
        change("racks = 4", "racks = 4\nspeeds = [2]"),
        "case.toml:5: [cluster] speeds[0] = 2: must be a table, for example { servers = 10, facto",
    ),
    "speed-no-such-server": (
        change("racks = 4", "racks = 4\nspeeds = [{ servers = [3, 12], factor = 0.5 }]"),
        "names server 12: servers count from 0, and cluster.servers is 12",
    ),
    "speed-twice": (
        change("racks = 4", "racks = 4\nspeeds = [{ servers = [3, 3], factor = 0.5 }]"),
        "server 3 has a speed already; name it once",
    ),
    "speed-count-and-index": (
        change(
            "racks = 4",
            "racks = 4\nspeeds = [{ servers = 1.0, factor = 0.5 }, { servers = [1], factor = 0.2}]",
        ),
        "server 1 has a speed already; name it once",
    ),
    "speed-too-many": (
        change(
            "racks = 4",
            "racks = 4\nspeeds = [{ servers = 9, factor = 0.5 }, { servers = 4, factor = 0.2 }]",
        ),
        "asks for 4 servers, and 3 of cluster.servers (12) have no speed yet; lower it",
    ),
    "speed-of-nobody": (
        change("racks = 4", "racks = 4\nspeeds = [{ servers = 0.01, factor = 0.5 }]"),
        "is no whole server of cluster.servers (12)",
    ),
    "estimate-above-one": (
        BASE + "[estimates]\nlocal = 1.2\n",
        "case.toml:18: [estimates] local = 1.2: makes the scheduler believe in a rate of 1.2",
    ),
    "estimate-of-no-tier": (
        TWO_TIERS + "[estimates]\nrack_local = 0.9\n",
        "[estimates] rack_local = 0.9: is of a tier that [service] gives no rate",
    ),
    "estimate-misspelt": (
        BASE + "[estimates]\nremot = 0.9\n",
        "case.toml:18: [estimates] remot = 0.9: unknown key. Did you mean 'remote'?",
    ),
    "estimate-negative": (
        BASE + "[estimates]\nremote = -1\n",
        "case.toml:18: [estimates] remote = -1: must be a number above 0",
    ),
    "phases-missing": (
        BASE + "[phases]\nfactor = [1, 2]\n",
        "[phases] stay: missing; add for example stay = [100, 900]",
    ),
    "phases-empty": (
        BASE + "[phases]\nstay = []\n",
        "case.toml:18: [phases] stay = []: must not be empty, for example [100, 900]",
    ),
    "phases-short": (
        BASE + "[phases]\nstay = [0.5, 2]\n",
        "case.toml:18: [phases] stay[0] = 0.5: must be a number of slots, from 1 to 1e12",
    ),
    "phases-lengths": (
        BASE + "[phases]\nstay = [5, 5]\nfactor = [1]\n",
        "case.toml:19: [phases] factor = [1]: has 1 entries and phases.stay has 2; give one a ph",
    ),
    "phases-of-even-traffic": (
        BASE + "[phases]\nstay = [5, 5]\nmove = 2\n",
        'case.toml:19: [phases] move = 2: belongs to traffic.kind = "hotspot", and kind is "even"',
    ),
    "phases-idle": (
        BASE + "[phases]\nstay = [5, 5]\nfactor = [0, 0]\n",
        "case.toml:19: [phases] factor = [0, 0]: is 0 in every phase",
    ),
    "phases-fixed": (
        BASE + '[phases]\nstay = [5, 5.5]\nstays = "fixed"\n',
        'case.toml:18: [phases] stay = [5, 5.5]: must be whole slots with stays = "fixed"',
    ),
    "phases-of-a-trace": (
        change(TRAFFIC, 'kind = "trace"\nload = 0.9') + "[phases]\nstay = [5]\n",
        'case.toml:17: [phases]: a trace (traffic.kind = "trace") has times of its own',
    ),
}


@pytest.mark.parametrize(("text", "words"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_line(text: str, words: str) -> None:
    """Each mistake in these tables is told once, with its place and remedy."""
    (problem,) = problems_of(text)
    assert words in str(problem)


EVERYTHING = (
    change("racks = 4", "racks = 4\n[[cluster.speeds]]\nservers = 3\nfactor = 0.5", HOTSPOT)
    + "[phases]\nstay = [20, 80]\nfactor = [3, 0.5]\nhot_probability = [0.9, 0.5]\nmove = 2\n"
    + "[estimates]\nlocal = 0.9\nrack_local = 1.1\n"
)


def test_the_tables_survive_a_round_trip() -> None:
    """A scenario with all conditions is the same after writing and reading, as TOML and as JSON."""
    scenario = scenario_of(EVERYTHING, "service.distribution=pareto", "service.shape=2.5")
    assert parse_scenario(scenario.to_toml()) == scenario
    assert Scenario(**scenario.as_dict()) == scenario
    assert scenario.service.distribution == "pareto"


def test_the_conditions_reach_the_system() -> None:
    """Speeds, told rates, service times and phases are what the tables say."""
    prepared = prepare(scenario_of(EVERYTHING, "service.distribution=deterministic"))
    system = prepared.system
    assert sorted(system.cluster.speeds or ()) == [0.5] * 3 + [1.0] * 9
    assert system.told_rates == (0.9, 0.88, 0.5)
    assert system.told_cluster.rates == (0.9, 0.88, 0.5)
    assert system.told_cluster.speeds is None
    assert system.service == Deterministic()
    assert isinstance(system.workload, PhasedWorkload)
    assert system.workload.rate == pytest.approx(0.9 * prepared.capacity.rate, rel=1e-6)
    assert prepared.load == pytest.approx(0.9, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "service"),
    [
        ([], Geometric()),
        (["service.distribution=log-normal", "service.cv=2"], LogNormal(2.0)),
        (["service.distribution=pareto", "service.shape=3"], Pareto(3.0)),
        (
            ["service.distribution=empirical", "service.durations=[2, 1.5]"],
            Empirical((2.0, 1.5)),
        ),
    ],
)
def test_distributions_by_name(settings: list[str], service: object) -> None:
    """Each distribution of a scenario is the model's, and the capacity stays that of the rates."""
    prepared = prepare(scenario_of(BASE, *settings))
    assert prepared.system.service == service
    assert prepared.capacity.rate == pytest.approx(12.0)


def test_another_distribution_takes_its_keys_along() -> None:
    """Setting the distribution removes the keys of the file's own; those set as well must fit."""
    text = change("remote = 0.5", 'remote = 0.5\ndistribution = "pareto"\nshape = 2.1')
    assert scenario_of(text, "service.distribution=geometric").service.shape is None
    with pytest.raises(InvalidScenarioError, match="shape = 3: belongs to distribution"):
        scenario_of(text, "service.distribution=geometric", "service.shape=3")


def test_durations_are_read_from_a_file_beside_the_scenario(tmp_path: Path) -> None:
    """The path is relative to the scenario; the id of a point is of what the file holds."""
    file = tmp_path / "durations.csv"
    file.write_text('seconds,job\n# measured\n3.5,a\n\n"7",b\n')
    text = change("remote = 0.5", 'remote = 0.5\ndistribution = "empirical"\ndurations = "%s"')
    (tmp_path / "a.toml").write_text(text % "durations.csv")
    scenario = read_scenario(tmp_path / "a.toml")
    assert prepare(scenario).system.service == Empirical((3.5, 7.0))
    before = point_of(scenario, {}).id
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "other.csv").write_bytes(file.read_bytes())
    (tmp_path / "b" / "a.toml").write_text(text % "other.csv")
    assert point_of(read_scenario(tmp_path / "b" / "a.toml"), {}).id == before
    file.write_text("3.5\n7.5\n")
    assert point_of(scenario, {}).id != before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1.0\n2.0\nx\n", r"d.csv:3: 'x' is no duration"),
        ("1.0\n-2.0\n", r"d.csv:2: '-2.0' is no duration"),
        ("seconds\n\n", "holds none; put one on each line"),
        (None, r"d.csv cannot be read: No such file"),
    ],
)
def test_bad_files_of_durations_are_refused(
    tmp_path: Path, content: str | None, words: str
) -> None:
    """A line that is no duration is named; so is a file that holds none, or is not there."""
    if content is not None:
        (tmp_path / "d.csv").write_text(content)
    with pytest.raises(ScenarioError, match=words):
        read_durations(tmp_path / "d.csv")


def test_counts_of_slow_servers_are_spread() -> None:
    """A number or a fraction takes servers evenly over the cluster, without those taken before."""
    speeds = speeds_of([ServerSpeed(servers=4, factor=0.5)], 100)
    assert np.flatnonzero(np.array(speeds) == 0.5).tolist() == [12, 37, 62, 87]
    entries = [ServerSpeed(servers=[0, 1], factor=0.2), ServerSpeed(servers=0.5, factor=0.5)]
    assert sorted(speeds_of(entries, 6)) == [0.2, 0.2, 0.5, 0.5, 0.5, 1.0]


def capacity(text: str, *settings: str) -> Any:
    return prepare(scenario_of(text, *settings)).capacity


def test_capacity_with_slow_servers() -> None:
    """A few speeds have a small exact program; it is that over all task types."""
    slow = change("racks = 4", "racks = 4\nspeeds = [{ servers = 3, factor = 0.25 }]", TWO_TIERS)
    found, prepared = capacity(slow), prepare(scenario_of(slow))
    types = list_types(prepared)
    assert types.is_exact
    expected = largest_load_factor(
        types.replica_sets,
        types.shares,
        n_servers=12,
        rates=(1.0, 0.5),
        speeds=prepared.system.cluster.speeds,
    )
    assert found.is_exact
    assert found.method == "linear program over classes of servers"
    assert found.rate == pytest.approx(expected, rel=1e-8)


def test_capacity_of_many_speeds_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a speed of its own for each server, task types are sampled, and it says so."""
    monkeypatch.setattr("cluster_sim.scenario.capacity.N_SAMPLED", 20_000)
    entries = ", ".join(f"{{ servers = [{m}], factor = {0.4 + m / 20} }}" for m in range(12))
    found = capacity(change("racks = 4", f"speeds = [{entries}]", TWO_TIERS))
    assert not found.is_exact
    total = sum(0.4 + m / 20 for m in range(12))
    assert found.rate == pytest.approx(total, rel=0.02)  # all tasks can be local


def test_capacity_of_phases_is_that_of_their_mean() -> None:
    """Without moves in closed form; with moves over all places the load is spread evenly."""
    text = HOTSPOT + "[phases]\nstay = [20, 80]\nfactor = [4, 0.25]\nhot_probability = [0.9, 0.4]\n"
    mean = 0.8 * 0.9 + 0.2 * 0.4
    plain = capacity(HOTSPOT, f"traffic.hot_probability={mean}")
    assert capacity(text).rate == pytest.approx(plain.rate, rel=1e-9)
    moved = capacity(text, "phases.move=1", "phases.hot_probability=[0.9, 0.9]")
    assert moved.is_exact
    assert moved.rate == pytest.approx(12.0)


@pytest.mark.parametrize(("move", "is_even"), [(1, True), (3, True), (4, False), (5, True)])
def test_the_closed_form_of_a_moving_hot_spot_is_that_of_a_sample(move: int, is_even: bool) -> None:
    """Where moves reach every server alike, all tasks can be local; a sample of tasks agrees."""
    text = HOTSPOT + f"[phases]\nstay = [20]\nmove = {move}\n"
    prepared = prepare(scenario_of(text, "service.rack_local=0.5", "traffic.replicas=1"))
    found, traffic = prepared.capacity, prepared.system.workload.traffic  # type: ignore[attr-defined]
    assert found.is_exact == is_even
    drawn = traffic.replicas(Key.of(1), 0, 60_000)
    sampled = largest_load_factor(
        drawn, np.full(60_000, 1 / 60_000), n_servers=12, rates=(1.0, 0.5)
    )
    assert found.rate == pytest.approx(sampled, rel=0.03)


def test_bursts_that_bernoulli_arrivals_cannot_have_are_refused() -> None:
    """The phase is named in which more than a task a slot would arrive."""
    text = BASE + "[phases]\nstay = [5, 45]\nfactor = [9, 1]\n"
    settings = ("traffic.rate=0.5", "traffic.arrivals=bernoulli")
    with pytest.raises(ScenarioError, match=r"phase 0 brings 2.5 tasks per slot.*at most 1"):
        prepare(scenario_of(text, *settings))


def test_theory_does_not_print_bounds_that_do_not_hold() -> None:
    """Other service times or phases leave the decomposition and take the bounds; speeds take both.

    Without these conditions the bounds are there.
    """

    def notes(*settings: str) -> tuple[bool, bool, str]:
        prepared = prepare(scenario_of(TWO_TIERS, *settings))
        report = report_of(prepared, list_types(prepared))
        has = report.helpers is not None, report.heavy_traffic is not None
        return (*has, " ".join(report.notes))

    assert notes()[:2] == (True, True)
    has_helpers, has_bounds, why = notes("service.distribution=deterministic")
    assert (has_helpers, has_bounds) == (True, False)
    assert "geometric service, and it is deterministic" in why
    has_helpers, has_bounds, why = notes("phases.stay=[5, 5]", "phases.factor=[1, 3]")
    assert (has_helpers, has_bounds) == (True, False)
    assert "independent from slot to slot" in why
    slow = "cluster.speeds=[{ servers = 2, factor = 0.5 }]"
    assert notes(slow)[:2] == (False, False)
    with pytest.raises(ScenarioError, match="defined for servers of one speed"):
        decomposition_of(prepare(scenario_of(TWO_TIERS, slow)))
