"""The [sweep] table: which points it makes, and what is said of one that is wrong."""

from __future__ import annotations

import math

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.points import points
from cluster_sim.scenario import InvalidScenarioError, json_schema, parse_scenario
from cluster_sim.scenario.ranges import range_problem, range_values
from cluster_sim.scenario.schema import Scenario

BASE = """\
title = "Ten servers"
[cluster]
servers = 10
[service]
local = 1.0
remote = 0.5
[traffic]
kind = "even"
load = 0.5
[scheduler]
policy = "priority"
threshold = 3
[run]
slots = 100
warmup = 10
"""


def sweep_of(table: str, *overrides: str) -> Scenario:
    return parse_scenario(f"{BASE}[sweep]\n{table}", "a.toml", overrides)


def values_of(table: str, *overrides: str) -> list[dict[str, object]]:
    return [point.values for point in points(sweep_of(table, *overrides))]


def complaint(table: str) -> str:
    with pytest.raises(InvalidScenarioError) as caught:
        sweep_of(table)
    return str(caught.value)


def test_a_grid_is_every_combination_first_field_slowest() -> None:
    """Two fields of two and three values make six points, in the order of nested loops."""
    found = values_of('"traffic.load" = [0.5, 0.9]\n"run.seed" = [1, 2, 3]')
    assert found == [
        {"traffic.load": load, "run.seed": seed} for load in (0.5, 0.9) for seed in (1, 2, 3)
    ]


def test_quotes_around_a_field_make_no_difference() -> None:
    """``traffic.load`` and ``"traffic.load"`` name the same field."""
    quoted, bare = values_of('"traffic.load" = [0.5, 0.9]'), values_of("traffic.load = [0.5, 0.9]")
    assert quoted == bare


def test_points_are_combined_with_the_grid() -> None:
    """Each [[sweep.points]] sets its fields together, at every combination of the grid."""
    found = values_of(
        '"traffic.load" = [0.5, 0.9]\n'
        '[[sweep.points]]\n"traffic.kind" = "even"\n'
        '[[sweep.points]]\ntraffic.kind = "zipf"\ntraffic.chunks = 50\ntraffic.exponent = 1.0\n'
    )
    zipf = {"traffic.kind": "zipf", "traffic.chunks": 50, "traffic.exponent": 1.0}
    assert found == [
        *({"traffic.kind": "even", "traffic.load": load} for load in (0.5, 0.9)),
        *(zipf | {"traffic.load": load} for load in (0.5, 0.9)),
    ]


def test_another_policy_starts_from_its_defaults() -> None:
    """The file's parameters stay with the file's policy, as in ``compare``."""
    first, second = points(sweep_of('"scheduler.policy" = ["priority", "jsq-maxweight"]'))
    assert first.scenario.scheduler.parameters == {"threshold": 3}
    assert second.scenario.scheduler.parameters == {}


def test_a_swept_parameter_is_for_the_policies_that_have_it() -> None:
    """A policy without the parameter is one point, not one for each of its values."""
    found = values_of(
        '"scheduler.policy" = ["priority", "fifo"]\n"scheduler.threshold" = [1, "auto", inf]'
    )
    assert found == [
        *(
            {"scheduler.policy": "priority", "scheduler.threshold": value}
            for value in (1, "auto", math.inf)
        ),
        {"scheduler.policy": "fifo"},
    ]


def test_a_field_of_a_kind_of_traffic_is_for_that_kind() -> None:
    """Even traffic has no hot servers: it is one point."""
    found = values_of(
        '"traffic.hot_servers" = [4, 6]\n[[sweep.points]]\n"traffic.kind" = "even"\n'
        '[[sweep.points]]\n"traffic.kind" = "hotspot"\n"traffic.hot_probability" = 0.8'
    )
    assert found[0] == {"traffic.kind": "even"}
    assert [point.get("traffic.hot_servers") for point in found] == [None, 4, 6]


def test_load_replaces_rate_as_everywhere() -> None:
    """A point that sets the rate has no load."""
    (point,) = points(sweep_of('"traffic.rate" = [2.5]'))
    assert (point.scenario.traffic.load, point.scenario.traffic.rate) == (None, 2.5)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"from": 0.1, "to": 0.9, "n": 9}, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ({"from": 1, "to": 7, "n": 3}, [1, 4, 7]),
        ({"from": 9, "to": 1, "n": 5}, [9, 7, 5, 3, 1]),
        ({"from": 1.0, "to": 100.0, "n": 3, "scale": "log"}, [1.0, 10.0, 100.0]),
        ({"from": 10, "to": 1000, "n": 4, "scale": "log"}, [10, 46, 215, 1000]),
    ],
)
def test_ranges(given: dict[str, object], values: list[float]) -> None:
    """A range has both its ends, is whole between whole ends, and has no noise in its digits."""
    assert range_problem(given) is None
    found = range_values(given)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_a_range_is_an_axis() -> None:
    """A range varies a field like the list of its values."""
    assert values_of('"traffic.load" = { from = 0.2, to = 0.4, n = 3 }') == values_of(
        '"traffic.load" = [0.2, 0.3, 0.4]'
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", r"a\.toml:16: \[sweep\]: names no field; add for example \"traffic\.load\" ="),
        ('"traffic.load" = 0.5', r"a\.toml:17: .* must say which values the field takes: list"),
        ('"traffic.load" = []', r"a\.toml:17: .* must not be empty"),
        ('"traffic.load" = [0.5, 0.5]', r"\"traffic\.load\"\[1\] = 0\.5: is listed twice"),
        ('"traffic.lod" = [0.5]', r"a\.toml:17: .* unknown field\. Did you mean 'load'\?"),
        ('"load" = [0.5]', r'name the table as well: "traffic\.load"'),
        ('"trafic.load" = [0.5]', r"is no field of a scenario\. Did you mean 'traffic'\?"),
        ('"traffic" = [0.5]', r"name a field of the table, for example \"traffic\."),
        ('"run.replications" = [2]', r"cannot be swept: it says how often every point is run"),
        ('"run.engine" = ["simpy"]', r"cannot be swept: both engines give the same results"),
        ('"traffic.load" = [0.5]\ntraffic.load = [0.6]', r"a\.toml:18: .* is swept twice"),
        ("points = []", r"must be tables: write \[\[sweep\.points\]\]"),
        ("points = [{}]", r"points\[0\].*must be a table of fields"),
        ("points = [3]", r"points\[0\] = 3: must be a table of fields"),
        ('points = [{"a.b" = 1}]', r"a\.b.*is no field of a scenario"),
        (
            '"traffic.load" = [0.5]\npoints = [{"traffic.load" = 0.6}]',
            r"is a field of the grid as well; keep one",
        ),
        ('"traffic.load" = [0.5, 11]', r"a\.toml:17: .*\[1\] = 11: must be a number above 0 and"),
        ('"scheduler.policy" = ["fif"]', r"\"scheduler\.policy\"\[0\] = \"fif\": Did you mean"),
        ('"scheduler.policy" = ["fifo"]\n"scheduler.threshold" = [1]', "is not a parameter of"),
        (
            '"cluster.servers" = [10, 2]',
            r"with cluster\.servers = 2: \[traffic\] replicas = 3: the",
        ),
        (
            '"traffic.kind" = ["zipf"]',
            r"with traffic\.kind = \"zipf\": \[traffic\] chunks: missing",
        ),
        (
            '"run.slots" = [50, 200]\n"run.warmup" = [10, 60]',
            r"\"run\.warmup\"\[1\] = 60: must be less than .*\(with run\.slots = 50\)",
        ),
        (
            '"run.seed" = { from = 1, to = 1000, n = 1000 }\n"run.slots" = '
            + str([*range(11, 1011)]),
            r"has 1,000,000 points, more than 100,000",
        ),
        ('"traffic.load" = { from = 0.1, too = 1.0 }', r"unknown key too\. Did you mean 'to'\?"),
        ('"traffic.load" = { from = 0.1 }', r"needs to and n as well"),
        ('"traffic.load" = { from = 0.1, to = 0.1, n = 3 }', r"two different numbers"),
        ('"traffic.load" = { from = 0.1, to = 0.9, n = 1 }', r"n must be an integer from 2"),
        ('"traffic.load" = { from = 0.0, to = 0.9, n = 3, scale = "log" }', r"above 0"),
        (
            '"traffic.load" = { from = 0.1, to = 0.9, n = 3, scale = "lg" }',
            r"\"linear\" or \"log\"",
        ),
        ('"run.seed" = { from = 1, to = 6, n = 4 }', r"are not all whole numbers; change n, or"),
        ('"run.seed" = { from = 1, to = 4, n = 9, scale = "log" }', r"would repeat; lower n"),
    ],
)
def test_a_wrong_sweep_is_explained_at_its_line(table: str, message: str) -> None:
    """Each mistake names file, line, field and remedy."""
    import re

    assert re.search(message, complaint(table), re.DOTALL), complaint(table)


def test_single_brackets_are_asked_for() -> None:
    """[[sweep]] is not [sweep]."""
    with pytest.raises(InvalidScenarioError, match=r"write \[sweep\], with single brackets"):
        parse_scenario(f"{BASE}[[sweep]]\n'traffic.load' = [0.5]\n", "a.toml")


def test_all_mistakes_are_told_at_once_and_each_once() -> None:
    """A mistake that a hundred points share is one line."""
    text = complaint(
        '"traffic.load" = [0.5, 11, 12]\n"scheduler.threshold" = [1, -1]\n'
        '"run.seed" = { from = 1, to = 100, n = 100 }'
    )
    assert len(text.splitlines()) == 3


def test_a_mistake_in_the_scenario_is_not_told_again_of_its_points() -> None:
    """What is wrong without the sweep is told of the scenario alone."""
    with pytest.raises(InvalidScenarioError) as caught:
        parse_scenario(
            BASE.replace("servers = 10", "servers = 2") + '[sweep]\n"run.seed" = [1, 2]\n', "a.toml"
        )
    assert len(str(caught.value).splitlines()) == 1


def test_setting_a_swept_field_takes_it_out_of_the_sweep() -> None:
    """What ``--set`` says holds for every point."""
    table = '"traffic.load" = [0.5, 0.9]\n"run.seed" = [1, 2]'
    assert values_of(table, "traffic.load=0.7") == [{"run.seed": 1}, {"run.seed": 2}]
    assert values_of(table, "traffic.rate=2.0") == [{"run.seed": 1}, {"run.seed": 2}]
    assert sweep_of(table, "traffic.load=0.7", "run.seed=3").sweep is None


def test_setting_the_policy_takes_out_swept_parameters() -> None:
    """The parameters of a sweep were chosen for its policies."""
    table = '"scheduler.threshold" = [1, 2]\n"run.seed" = [1, 2]'
    assert values_of(table, "scheduler.policy=fifo") == [{"run.seed": 1}, {"run.seed": 2}]


def test_setting_a_field_takes_it_out_of_the_points() -> None:
    """A point that sets nothing else any more is gone."""
    table = 'points = [{ "run.seed" = 2 }, { run = { seed = 3, slots = 50 } }]'
    assert values_of(table, "run.seed=9") == [{"run.slots": 50}]


@pytest.mark.parametrize("key", ["sweep.traffic.load", 'sweep."traffic.load"'])
@pytest.mark.parametrize("table", ['"traffic.load" = [0.5]', "traffic.load = [0.5]"])
def test_the_sweep_itself_can_be_set(key: str, table: str) -> None:
    """``--set sweep.traffic.load=...`` replaces the values, however the file writes the field."""
    assert values_of(table, f"{key}=[0.1, 0.2]") == [{"traffic.load": 0.1}, {"traffic.load": 0.2}]


def test_a_sweep_survives_being_written() -> None:
    """Written as TOML or JSON and read again, a scenario with a sweep is the same."""
    scenario = sweep_of(
        '"scheduler.threshold" = [1, inf]\n"traffic.load" = { from = 0.1, to = 0.9, n = 3 }\n'
        'run.seed = [1, 2]\n[[sweep.points]]\n"cluster.levels" = { rack = 2 }\n'
    )
    assert parse_scenario(scenario.to_toml()) == scenario
    assert Scenario(**scenario.as_dict()) == scenario
    assert [p.values for p in points(parse_scenario(scenario.to_toml()))] == [
        p.values for p in points(scenario)
    ]


def test_the_json_schema_has_it() -> None:
    """An editor knows the table and its points, and that it is open to any field."""
    schema = json_schema()
    assert schema["properties"]["sweep"]["$ref"].endswith("/Sweep")
    sweep = schema["$defs"]["Sweep"]
    assert "points" in sweep["properties"]
    assert "sweep" not in schema["required"]
    (pattern,) = sweep["patternProperties"]
    assert "traffic" in pattern


def test_from_python_a_wrong_sweep_is_an_error_too() -> None:
    """A scenario with a wrong sweep cannot be made."""
    right = parse_scenario(BASE).as_dict()
    with pytest.raises(ScenarioError, match="unknown field"):
        Scenario(**right, sweep={"traffic.lod": [1]})
