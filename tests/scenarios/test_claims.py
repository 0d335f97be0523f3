"""What the comments of the shipped scenarios claim is so."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cluster_sim import compare, prepare, run
from cluster_sim.emulator.emulator import simulate
from cluster_sim.experiments.replications import Outcome
from cluster_sim.recording.logs import EventLog
from tests.scenarios.shipped import FOLDER, HAS_NUMBA, opening_comment, scenario

# Statistics at full size take minutes on the SimPy engine.
compiled = pytest.mark.skipif(not HAS_NUMBA, reason="the compiled engine needs numba")


def outcomes(name: str, policies: list[str], **values: object) -> dict[str, Outcome]:
    """Compare policies on a shipped scenario; return the outcomes by policy."""
    comparison = compare(scenario(name, **values), policies)
    return dict(zip(policies, comparison.outcomes, strict=True))


def locality(outcome: Outcome) -> list[float]:
    """Return the fraction of starts per tier."""
    return list(outcome.as_dict()["locality"].values())


def verdicts(found: dict[str, Outcome]) -> dict[str, str]:
    return {policy: outcome.stability.verdict for policy, outcome in found.items()}


@pytest.mark.parametrize("name", ["evenly-loaded", "locally-overloaded"])
def test_the_papers_scenarios_are_the_papers(name: str) -> None:
    """Servers, rates, replicas and the shape of the hot spot are those of section 6."""
    found = scenario(name)
    assert (found.cluster.servers, found.service.local, found.service.remote) == (1000, 1.0, 0.5)
    assert found.traffic.replicas == 3
    assert found.traffic.load == 0.9
    if name == "locally-overloaded":
        assert (found.traffic.hot_servers, found.traffic.hot_probability) == (500, 0.8)


@compiled
def test_evenly_loaded_policies_are_close() -> None:
    """At load 0.9 the two means differ by less than a tenth, JSQ-MaxWeight's being the smaller."""
    comparison = compare(
        scenario("evenly-loaded", slots=800, warmup=200, replications=3),
        ["priority", "jsq-maxweight"],
    )
    (difference,) = comparison.differences
    assert difference.difference.high < 0
    assert difference.ratio.low > 0.9


def test_hot_servers_get_more_than_they_can_serve() -> None:
    """Of 750 tasks a slot 600 are for the 500 hot servers, so 100 of 750 must run elsewhere."""
    workload = prepare(scenario("locally-overloaded")).system.workload
    assert workload.rate == pytest.approx(750)
    assert 0.8 * workload.rate - 500 == pytest.approx(100)


@compiled
def test_locally_overloaded_ratio_is_large() -> None:
    """JSQ-MaxWeight takes far longer, with fewer remote starts than the third of priority."""
    found = outcomes(
        "locally-overloaded", ["priority", "jsq-maxweight"], slots=3000, warmup=2000, replications=1
    )
    priority, rival = found.values()
    assert rival.mean_completion_time.mean > 20 * priority.mean_completion_time.mean
    assert 0.28 < 1 - locality(priority)[0] < 1 / 3
    assert 0.05 < 1 - locality(rival)[0] < 0.2


@compiled
def test_only_help_settles_a_small_hot_spot() -> None:
    """The three policies that help settle at load 0.9; the one that does not, does not."""
    found = outcomes(
        "locally-overloaded-small", ["priority", "jsq-maxweight", "maxweight", "jsq-local"]
    )
    assert verdicts(found) == {
        "priority": "stable",
        "jsq-maxweight": "stable",
        "maxweight": "stable",
        "jsq-local": "unstable",
    }


@pytest.mark.parametrize(("rate", "exact"), [(0.4, 6.0), (0.45, 11.0)])
def test_one_server_meets_its_formula(rate: float, exact: float) -> None:
    """The mean is within four standard errors of (1 - a) / (p - a)."""
    assert (1 - rate) / (0.5 - rate) == pytest.approx(exact)
    found = run(prepare(scenario("one-server").with_values({"traffic.rate": rate})))
    means = [result.mean_completion_time for result in found.results]
    assert abs(np.mean(means) - exact) < 4 * np.std(means, ddof=1) / len(means) ** 0.5


def test_a_busier_server_is_known_less_well() -> None:
    """At rate 0.45 the interval is more than twice as wide as at 0.4."""
    widths = [
        run(
            prepare(scenario("one-server").with_values({"traffic.rate": rate}))
        ).mean_completion_time.half_width
        for rate in (0.4, 0.45)
    ]
    assert widths[1] > 2 * widths[0]


def test_every_task_of_three_servers_is_in_the_comment(tmp_path: Path) -> None:
    """The timeline in the comment is what the event log says, task for task."""
    prepared = prepare(scenario("three-servers"))
    log = tmp_path / "events.csv"
    simulate(
        prepared.system,
        prepared.key(),
        slots=prepared.slots,
        observers=[EventLog(log, tier_names=prepared.system.cluster.tier_names)],
    )
    events = list(csv.DictReader(log.read_text().splitlines()))

    def cell(slot: int, kind: str, text: str) -> str:
        here = [e for e in events if (int(e["slot"]), e["event"]) == (slot, kind)]
        parts = [text.format(**e) + "*" * (e["tier"] == "remote") for e in here]
        return " ".join(parts) or "-"

    timeline = [
        [
            str(slot),
            cell(slot, "completion", "{task}").replace("*", ""),
            cell(slot, "arrival", "{task}>q{queue}"),
            cell(slot, "start", "{task}@{server}"),
        ]
        for slot in range(prepared.slots)
    ]
    comment = opening_comment(FOLDER / "three-servers.toml").splitlines()
    (header,) = (i for i, line in enumerate(comment) if line.split()[1:2] == ["slot"])
    starts = [comment[header].index(word) for word in comment[header].split()[1:]]
    rows = comment[header + 1 : header + 1 + prepared.slots]
    shown = [
        [row[i:j].strip() for i, j in zip(starts, [*starts[1:], None], strict=True)] for row in rows
    ]
    assert shown == timeline


@compiled
def test_priority_wastes_the_third_tier() -> None:
    """At load 0.9 maxweight settles and priority does not; at 0.8 priority is faster."""
    policies = ["maxweight", "priority"]
    high = outcomes("rack-tier", policies)
    assert verdicts(high) == {"maxweight": "stable", "priority": "unstable"}
    assert locality(high["maxweight"])[1] > 0.5, "most of maxweight's starts are in the rack"
    assert locality(high["priority"])[1] < 0.05, "priority seldom helps within the rack"
    low = outcomes("rack-tier", policies, load=0.8, replications=2)
    assert verdicts(low) == {"maxweight": "stable", "priority": "stable"}
    assert low["priority"].mean_completion_time.high < low["maxweight"].mean_completion_time.low


@compiled
def test_pods_are_a_tier_by_scenario_alone() -> None:
    """Four tiers are there, and help moves inward as the load rises."""
    shares = {}
    for load in (0.7, 0.9):
        found = run(prepare(scenario("pod-tier", load=load, slots=2000, replications=1)))
        shares[load] = found.as_dict()["locality"]
    assert list(shares[0.9]) == ["local", "rack_local", "pod_local", "remote"]
    assert all(share > 0 for share in shares[0.9].values())
    assert shares[0.9]["remote"] < shares[0.7]["remote"] / 4
    assert shares[0.9]["rack_local"] > shares[0.7]["rack_local"]


def test_a_popular_chunk_needs_help() -> None:
    """The most popular of the Zipf chunks gets 11 percent of the tasks, more than three a slot."""
    share = 1 / np.sum(1 / np.arange(1, 5001))
    assert round(share, 2) == 0.11
    assert share * prepare(scenario("zipf")).system.workload.rate > 2 * 3


@compiled
def test_priority_helps_more_and_is_faster_on_skewed_data() -> None:
    """On Zipf traffic priority has more remote starts than JSQ-MaxWeight and a smaller mean."""
    found = outcomes("zipf", ["priority", "jsq-maxweight", "maxweight", "jsq-local"])
    assert verdicts(found) == dict.fromkeys(found, "stable") | {"jsq-local": "unstable"}
    priority, rival = found["priority"], found["jsq-maxweight"]
    assert priority.mean_completion_time.high < rival.mean_completion_time.low
    assert locality(priority)[0] < locality(rival)[0]
