"""``cluster-sim compare`` pairs policies replication by replication, under one reading or all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cluster_sim.model.readings import Reading
from cluster_sim.policies import PolicyKind, names
from tests.cli.shell import call


def test_difference_is_that_of_the_results(folder: Path) -> None:
    """Paired differences and ratios are those of the policies' own means where all is paired."""
    found = call("compare", "six.toml", "--json", "--policies", "priority,fifo,jsq-local").json
    assert found["complete"] is True
    assert found["policies"] == ["priority", "fifo", "jsq-local"]
    means = [result["mean_completion_time"] for result in found["results"]]
    for difference, mean in zip(found["differences"], means[1:], strict=True):
        assert difference["baseline"] == "priority"
        assert difference["difference"] == pytest.approx(mean - means[0])
        assert difference["difference_ci95"] >= 0
    assert len({result["arrivals"] for result in found["results"]}) == 1, "the same tasks"


def test_table_has_a_row_for_each_policy(folder: Path) -> None:
    """By default the two algorithms of the paper are compared; the first is the baseline."""
    result = call("compare", "six.toml")
    assert (result.status, result.err) == (0, "")
    rows = result.out.splitlines()
    assert rows[0] == "Six servers"
    assert re.match(r"policy +completion time +p99 +local +less priority +ratio +verdict", rows[4])
    assert [row.split()[0] for row in rows[6:]] == ["priority", "jsq-maxweight"]


def test_same_policy_under_another_seed_differs(folder: Path) -> None:
    """The seed decides: two comparisons agree if and only if their seeds do."""
    first, again, other = (
        call("compare", "six.toml", "--json", "--set", f"run.seed={seed}").json["differences"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_readings_change_one_thing_at_a_time(folder: Path) -> None:
    """``--readings`` has the scenario's reading first, then each other value of each field."""
    found = call("compare", "six.toml", "--readings", "--json").json["readings"]
    default = found[0]["reading"]
    assert found[0]["changed"] is None
    assert Reading(**default) == Reading()
    changes = []
    for entry in found[1:]:
        changed = {k: v for k, v in entry["reading"].items() if v != default[k]}
        assert entry["changed"] == " = ".join(next(iter(changed.items())))
        assert len(changed) == 1
        changes += changed.items()
    assert set(changes) == {
        ("queue_length", "waiting"),
        ("routing_view", "slot-start"),
        ("dispatch_order", "index"),
        ("dispatch_order", "locals-first"),
        ("service_tier", "queue"),
        ("tie_break", "local"),
        ("tie_break", "index"),
    }


def test_readings_table_agrees_with_single_comparisons(folder: Path) -> None:
    """A row of the table is what the comparison with that reading set says."""
    table = call("compare", "six.toml", "--readings").out.splitlines()
    assert [line.split("  ")[0] for line in table if line.startswith("default")] == ["default"]
    single = call("compare", "six.toml", "--json", "--set", "reading.queue_length=waiting").json
    row = next(line for line in table if line.startswith("queue_length = waiting"))
    ratio = float(re.findall(r"([\d.]+) ± [\d.]+$", row)[0])
    assert ratio == pytest.approx(single["differences"][0]["ratio"], abs=0.05)


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ("priority,prioritty", "--policies: policy 'prioritty': Did you mean 'priority'? Known: "),
        ("priority,,fifo", "--policies 'priority,,fifo': has an empty name; write names with"),
        ("", "--policies '': has an empty name"),
        ("fifo,fifo", "policies = fifo,fifo: names one twice; leave it out"),
        ("nowhere:Policy", "--policies: policy 'nowhere:Policy': no module 'nowhere'; run from"),
    ],
)
def test_wrong_policies_are_refused(folder: Path, policies: str, message: str) -> None:
    """A list of policies that cannot be compared is refused before anything runs."""
    result = call("compare", "six.toml", "--policies", policies, "--json")
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_parameters_of_another_policy_do_not_leak(folder: Path) -> None:
    """The scenario's own policy keeps its parameters, the others have their defaults."""
    found = call(
        "compare",
        "six.toml",
        "--json",
        "--policies",
        "fifo,priority",
        "--set",
        "scheduler.threshold=3",
    ).json
    fifo, priority = (result["scenario"]["scheduler"] for result in found["results"])
    assert fifo == {"policy": "fifo"}
    assert priority == {"policy": "priority", "threshold": 3}


def test_all_policies_make_a_league_table(folder: Path) -> None:
    """``--policies all`` compares every registered policy, of either kind, on the same tasks."""
    found = call(
        "compare", "six.toml", "--policies", "all", "--json", "--set", "run.replications=1"
    ).json
    assert found["policies"] == list(names(None))
    assert len({result["arrivals"] for result in found["results"]}) == 1, "the same tasks"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("reading.service_tier=queue", r'service_tier = "queue": the tasks of the policy wait in'),
        ("run.engine=compiled", r'\[run\] engine = "compiled": the policy is a task policy, which'),
    ],
)
def test_who_cannot_run_the_scenario_is_left_out_of_the_league(
    folder: Path, change: str, reason: str
) -> None:
    """Of all policies, those that the reading or the engine rules out are named with the reason."""
    found = call(
        "compare", "six.toml", "--policies", "all", "--json", "--set", change,
        "--set", "run.replications=1",
    )  # fmt: skip
    assert found.json["policies"] == list(names(PolicyKind.QUEUE))
    told = ", ".join(names(PolicyKind.TASK))
    assert re.search(rf"^note: left out: {told}: {reason}", found.err, re.M)
    assert call("compare", "six.toml", "--policies", "delay", "--set", change).status == 2
