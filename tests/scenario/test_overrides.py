"""Overrides win over the file, take out what they make meaningless, and are named in errors."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from cluster_sim.scenario import (
    InvalidScenarioError,
    Scenario,
    apply_overrides,
    parse_scenario,
    read_scenario,
)
from tests.scenario.samples import BASE, TRAFFIC, accept_any, change, problems_of


def scenario_with(*overrides: str, text: str = BASE) -> Scenario:
    """Return the base scenario under overrides."""
    return parse_scenario(text, "case.toml", overrides, check_scheduler=accept_any)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.95", 0.95),
        ("7", 7),
        ("true", True),
        ("inf", math.inf),
        ("fifo", "fifo"),
        ("my_module:MyPolicy", "my_module:MyPolicy"),
        ('"7"', "7"),
        ("two words", "two words"),
        ("a=b", "a=b"),
        ("", ""),
        ("[1, 2]", [1, 2]),
        ("{ rack = 4 }", {"rack": 4}),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_value_is_toml_or_a_bare_word(text: str, value: object) -> None:
    """A value is read as TOML; what is no TOML is text."""
    assert apply_overrides({}, [f"scheduler.x={text}"]) == {"scheduler": {"x": value}}


def test_the_mapping_given_is_left_alone() -> None:
    """Overrides make a copy, at every depth."""
    mapping = {"traffic": {"types": [{"weight": 1}]}}
    changed = apply_overrides(mapping, ["traffic.types.0.weight=2", "run.slots=5"])
    assert changed == {"traffic": {"types": [{"weight": 2}]}, "run": {"slots": 5}}
    assert mapping == {"traffic": {"types": [{"weight": 1}]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("traffic.load", "must be table.key=value, for example traffic.load=0.9"),
        ("=3", "'' is no key of a scenario; write table.key, for example traffic.load"),
        ("a b=3", "'a b' is no key of a scenario; write table.key, for example traffic.load"),
        ("load=0.9", "name the table as well: traffic.load=0.9"),
        ("cluster.levels={rack", "the value {rack is not complete TOML; write a number"),
        ('title="x', 'the value "x is not complete TOML; write a number'),
        ("cluster.servers.x=1", "cluster.servers = 12 is not a table"),
        ("traffic.types.3.weight=1", "traffic.types is an array of 1; index it by a number below"),
        ("traffic.types.x.weight=1", "traffic.types is an array of 1; index it by a number below"),
    ],
)
def test_an_override_that_cannot_be_set_is_named(text: str, message: str) -> None:
    """What is wrong with the form of an override names it, and the remedy."""
    mapping = {"cluster": {"servers": 12}, "traffic": {"types": [{}]}}
    with pytest.raises(InvalidScenarioError, match="^" + re.escape(f"--set {text}: {message}")):
        apply_overrides(mapping, [text])


def test_all_unreadable_overrides_are_reported_at_once() -> None:
    """Two overrides of the wrong form are two problems."""
    with pytest.raises(InvalidScenarioError, match=r"--set a: .*\n--set b: ") as caught:
        apply_overrides({}, ["a", "b"])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("traffic.lod=0.9", "[traffic] lod = 0.9: unknown key. Did you mean 'load'?"),
        ("traffic.load=high", '[traffic] load = "high": must be a number above 0'),
        ("cluster.servers=2", None),
        ("run.warmup=100", "[run] warmup = 100: must be less than run.slots (100)"),
        ("foo.bar=1", "[foo]: unknown table."),
        ("cluster.levels={rack=0}", "[cluster] levels.rack = 0: must be an integer of at least 1"),
        ("run=5", "run = 5: must be a table: write [run]"),
    ],
)
def test_a_bad_value_from_an_override_has_the_override_as_its_place(
    override: str, message: str | None
) -> None:
    """A value that came from the command line is not blamed on a line of the file."""
    problems = problems_of(BASE, override)
    if message is None:  # the file's own values no longer fit: those have lines
        assert [problem.line for problem in problems] == [4, 9]
        return
    assert str(problems[0]).startswith(f"--set {override}: {message}")
    assert problems[0].line is None


def test_the_last_of_two_overrides_wins() -> None:
    """As with command-line options everywhere."""
    assert scenario_with("run.slots=50", "run.slots=60").run.slots == 60


def test_load_replaces_rate_and_rate_replaces_load() -> None:
    """The intensity that is set takes the file's out; two that are set contradict each other."""
    traffic = scenario_with("traffic.rate=5").traffic
    assert (traffic.load, traffic.rate) == (None, 5.0)
    by_rate = change("load = 0.9", "rate = 5")
    assert scenario_with("traffic.load=0.5", text=by_rate).traffic.load == 0.5
    (problem,) = problems_of(BASE, "traffic.rate=5", "traffic.load=0.5")
    assert str(problem).startswith("--set traffic.rate=5: [traffic] rate = 5: load (0.5) is given")


def test_racks_and_levels_are_one_thing() -> None:
    """Racks is short for levels.rack, whichever of the two the file uses."""
    assert scenario_with("cluster.racks=3").cluster.level_counts == {"rack": 3}
    assert scenario_with("cluster.levels={rack=6, pod=2}").cluster.level_counts == {
        "rack": 6,
        "pod": 2,
    }
    assert scenario_with("cluster.levels.pod=2").cluster.level_counts == {"rack": 4, "pod": 2}
    levels = change("racks = 4", "levels = { rack = 4, pod = 2 }")
    assert scenario_with("cluster.racks=6", text=levels).cluster.level_counts == {
        "rack": 6,
        "pod": 2,
    }
    pods = change("racks = 4", "levels = { pod = 2 }", change("rack_local = 0.8\n", ""))
    assert list(scenario_with("cluster.racks=6", text=pods).cluster.level_counts) == ["rack", "pod"]


def test_another_kind_takes_out_the_keys_of_the_old_one_only() -> None:
    """Keys that the new kind has too stay; a key set beside the kind must belong to it."""
    hot = change(
        TRAFFIC,
        'kind = "hotspot"\nrate = 4\nreplicas = 2\nhot_servers = 6\nhot_probability = 0.8\n'
        'arrivals = "binomial"\ntrials = 9',
    )
    even = scenario_with("traffic.kind=even", text=hot).traffic
    assert (even.kind, even.rate, even.replicas, even.trials) == ("even", 4.0, 2, 9)
    trace = scenario_with("traffic.kind=trace", "traffic.slot_seconds=1", text=hot).traffic
    assert (trace.kind, trace.replicas, trace.load) == ("trace", 2, None)
    (problem,) = problems_of(hot, "traffic.kind=even", "traffic.hot_servers=3")
    assert "--set traffic.hot_servers=3: [traffic] hot_servers = 3: belongs to kind" in str(problem)


def test_a_misspelt_key_of_the_file_stays_when_the_kind_changes() -> None:
    """Only keys that belong to another kind are taken out; a mistake is still a mistake."""
    text = change("load = 0.9", "load = 0.9\nreplcas = 2")
    (problem,) = problems_of(text, "traffic.kind=zipf", "traffic.chunks=5", "traffic.exponent=1")
    assert (problem.line, problem.key) == (12, "traffic.replcas")


def test_other_arrivals_take_out_the_parameter_of_the_old_ones() -> None:
    """The number of trials means nothing to Poisson arrivals."""
    text = change("load = 0.9", 'load = 0.9\narrivals = "binomial"\ntrials = 9')
    traffic = scenario_with("traffic.arrivals=poisson", text=text).traffic
    assert (traffic.arrivals, traffic.trials) == ("poisson", None)


def test_another_policy_starts_from_its_defaults() -> None:
    """Parameters belong to the policy they were chosen for; naming the same policy keeps them."""
    text = change('"priority"', '"priority"\nthreshold = 3')
    assert scenario_with("scheduler.policy=fifo", text=text).scheduler.parameters == {}
    assert scenario_with("scheduler.policy=priority", text=text).scheduler.parameters == {
        "threshold": 3
    }
    both = scenario_with("scheduler.policy=mine:Own", "scheduler.depth=2", text=text)
    assert both.scheduler.parameters == {"depth": 2}


def test_a_scenario_with_other_values_is_valid_again_or_refused() -> None:
    """The same rules hold for `Scenario.with_values`, which sweeps use."""
    scenario = scenario_with()
    changed = scenario.with_values({"traffic.rate": 2, "scheduler.policy": "fifo"})
    assert (changed.traffic.rate, changed.traffic.load) == (2.0, None)
    assert scenario.traffic.load == 0.9
    with pytest.raises(InvalidScenarioError, match=r"with_values: \[run\] slots = 0: must be"):
        scenario.with_values({"run.slots": 0})
    with pytest.raises(InvalidScenarioError, match=r"is no key of a scenario; write table\.key"):
        scenario.with_values({"run..slots": 0})


def test_read_scenario_takes_overrides(tmp_path: Path) -> None:
    """A file and overrides are read in one call; the place of each problem is its own."""
    path = tmp_path / "case.toml"
    path.write_text(change("slots = 100", "slots = 0"))
    with pytest.raises(InvalidScenarioError, match="must be") as caught:
        read_scenario(path, ["cluster.servers=0"])
    assert [(p.path, p.line) for p in caught.value.problems] == [
        (str(path), 15),
        ("--set cluster.servers=0", None),
    ]
    assert read_scenario(path, ["run.slots=20"]).run.slots == 20
