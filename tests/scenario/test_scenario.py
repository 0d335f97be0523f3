"""A valid scenario means what its file says, in every form that it can be given or written in."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from cluster_sim.errors import ScenarioError
from cluster_sim.model.placement import HdfsPlacement
from cluster_sim.model.readings import QueueLength
from cluster_sim.model.topology import Topology
from cluster_sim.scenario import (
    InvalidScenarioError,
    Scenario,
    json_schema,
    load_mapping,
    parse_scenario,
    to_toml,
)
from cluster_sim.scenario.writing import format_value
from tests.scenario.samples import BASE, accept_any, change, refusal_of

PARTS = {
    "cluster": {"servers": 4},
    "service": {"local": 1, "remote": 0.5},
    "traffic": {"kind": "types", "load": 1, "types": ({"replicas_on": (0, 1), "weight": 1},)},
    "scheduler": {"policy": "priority", "threshold": math.inf},
    "run": {"slots": 1000},
}


def test_defaults_are_those_of_the_design() -> None:
    """What a file leaves out has the documented default."""
    scenario = parse_scenario(change("warmup = 10\n", ""), check_scheduler=accept_any)
    assert (scenario.traffic.replicas, scenario.traffic.placement) == (3, "uniform")
    assert scenario.traffic.arrivals == "poisson"
    assert scenario.reading.queue_length is QueueLength.IN_SYSTEM
    run = scenario.run
    assert (run.warmup, run.replications, run.seed, run.engine) == ("auto", 1, 1, "auto")
    assert run.series_points == 1000


def test_an_integer_stands_for_a_number() -> None:
    """Where a number is meant an integer will do, and becomes one."""
    local = parse_scenario(change("local = 1.0\nrack", "local = 1\nrack")).service.local
    assert isinstance(local, float)


@pytest.mark.parametrize(
    ("levels", "rates", "tiers"),
    [
        ("racks = 4", "", ["local", "remote"]),
        ("racks = 4", "rack_local = 0.8", ["local", "rack_local", "remote"]),
        (
            "levels = { rack = 4, pod = 2 }",
            "pod_local = 0.6\nrack_local = 0.8",
            ["local", "rack_local", "pod_local", "remote"],
        ),
        ("levels = { rack = 4, pod = 2 }", "pod_local = 0.6", ["local", "pod_local", "remote"]),
    ],
)
def test_tiers_are_the_levels_with_a_rate(levels: str, rates: str, tiers: list[str]) -> None:
    """A level without a rate of its own is no tier; tiers go from local to remote."""
    text = change("rack_local = 0.8", rates, change("racks = 4", levels))
    scenario = parse_scenario(text, check_scheduler=accept_any)
    assert list(scenario.tiers) == tiers
    assert list(scenario.tiers.values()) == sorted(scenario.tiers.values(), reverse=True)


def test_python_dictionaries_make_the_same_scenario_as_a_file() -> None:
    """Tuples for arrays, None for what is left out, tables for dictionaries: all the same."""
    scenario = Scenario(**PARTS)
    assert load_mapping(PARTS) == scenario
    assert parse_scenario(to_toml(scenario)) == scenario
    assert scenario.to_toml() == to_toml(scenario)
    assert Scenario(**{**PARTS, "title": None, "cluster": scenario.cluster}) == scenario
    assert Scenario(**dict(scenario)) == scenario


def test_python_dictionaries_are_refused_as_a_file_is() -> None:
    """The constructor reports every problem, as one error of ours."""
    with pytest.raises(InvalidScenarioError, match="Scenario: ") as caught:
        Scenario(cluster={"servers": "4", 5: 6}, service=3, traffic={"kind": "even"}, self=1)
    assert [problem.key for problem in caught.value.problems] == [
        "self",
        "cluster.5",
        "cluster.servers",
        "service",
        "scheduler",
        "run",
        "traffic.load",
    ]


def test_the_name_of_a_mapping_is_its_place() -> None:
    """A mapping has no lines, but it has a name."""
    with pytest.raises(InvalidScenarioError, match=r"^mine: \[run\] slots = 0: must be"):
        load_mapping({**PARTS, "run": {"slots": 0}}, "mine")


def test_a_scenario_is_frozen() -> None:
    """Neither a table nor a value can be replaced."""
    scenario = Scenario(**PARTS)
    with pytest.raises(ValidationError, match="frozen"):
        scenario.title = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        scenario.run.slots = 3  # type: ignore[misc]


def test_repr_and_pickle_give_the_scenario_back() -> None:
    """A scenario survives a worker process and a log."""
    scenario = Scenario(**PARTS)
    assert eval(repr(scenario)) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_the_error_survives_a_worker_process() -> None:
    """Its problems are records there as well."""
    with pytest.raises(InvalidScenarioError, match="missing") as caught:
        load_mapping({})
    copied = pickle.loads(pickle.dumps(caught.value))
    assert copied.problems == caught.value.problems
    assert str(copied) == str(caught.value)


def test_as_dict_is_plain_json_and_gives_the_scenario_back() -> None:
    """JSON has no infinity: a policy parameter that is infinite goes as text and comes back."""
    scenario = Scenario(**PARTS)
    written = json.dumps(scenario.as_dict(), allow_nan=False)
    assert '"threshold": "inf"' in written
    assert load_mapping(json.loads(written)) == scenario
    assert scenario.scheduler.parameters == {"threshold": math.inf}


def test_schema_describes_every_field() -> None:
    """An editor can show a description and an example for each key of each table."""
    schema = json_schema()
    tables = schema["$defs"].items()
    fields = [
        (name, key, field) for name, t in tables for key, field in t.get("properties", {}).items()
    ]
    assert len(fields) > 50
    assert [f[:2] for f in fields if not f[2].get("description")] == []
    assert [f[:2] for f in fields if not f[2].get("examples")] == []
    assert "null" not in json.dumps(schema)
    assert ">>>" not in json.dumps(schema)


NEEDED = {"max_replications": {"precision": 0.01}}  # to be allowed at all


def test_schema_examples_are_themselves_valid() -> None:
    """Each example of a field is accepted in a scenario that has room for it."""
    for name in ("Cluster", "Reading", "Run"):
        for key, field in json_schema()["$defs"][name]["properties"].items():
            for example in field["examples"]:
                table = {
                    "Cluster": {"servers": 1000},
                    "Run": {"slots": 10_000, **NEEDED.get(key, {})},
                }.get(name, {})
                load_mapping({**PARTS, name.lower(): {**table, key: example}})


def test_schema_keeps_the_order_of_levels() -> None:
    """The order of levels has a meaning, and the example shows it."""
    levels = json_schema()["$defs"]["Cluster"]["properties"]["levels"]
    assert list(levels["examples"][0]) == ["rack", "pod"]


def test_schema_knows_rates_of_levels_and_closed_tables() -> None:
    """A rate of any level is allowed, any other key of a table is not."""
    definitions = json_schema()["$defs"]
    service = definitions["Service"]
    assert list(service["patternProperties"]) == ["^[a-z][a-z0-9_]*_local$"]
    closed = {
        name for name, table in definitions.items() if table.get("additionalProperties") is False
    }
    open_ones = {name for name, table in definitions.items() if "properties" in table} - closed
    assert open_ones == {"Scheduler", "Replication"}


def test_base_is_valid() -> None:
    """The text that the other tests break is whole."""
    assert parse_scenario(BASE).title == "A cluster"


@pytest.mark.parametrize(
    ("racks", "traffic"),
    [
        ("racks = 4", 'kind = "even"'),
        ("racks = 7", 'kind = "even"'),  # racks of one and of two: five have room for two
        ("levels = { pod = 3 }", 'kind = "even"\nreplicas = 1'),
        ("racks = 4", 'kind = "hotspot"\nhot_servers = 6\nhot_probability = 0.5'),
        ("racks = 4", 'kind = "hotspot"\nhot_servers = 9\nhot_probability = 1'),
        ("racks = 4", 'kind = "hotspot"\nhot_servers = 1\nhot_probability = 0'),
        ("racks = 4", 'kind = "zipf"\nchunks = 9\nexponent = 0'),
        ("racks = 4", 'kind = "trace"'),
    ],
)
def test_hdfs_placement_is_accepted_where_the_model_finds_room(racks: str, traffic: str) -> None:
    """Two racks with room for all replicas but one are enough, among the servers drawn from."""
    text = change("rack_local = 0.8\n", "", change("racks = 4", racks))
    text = change('kind = "even"', traffic + '\nplacement = "hdfs"', text)
    assert parse_scenario(text, check_scheduler=accept_any).traffic.placement == "hdfs"


@pytest.mark.parametrize("racks", range(1, 13))
@pytest.mark.parametrize("replicas", range(1, 6))
def test_the_rule_for_hdfs_is_the_models(racks: int, replicas: int) -> None:
    """The reader refuses exactly the racks and replicas for which the placement raises."""
    topology = Topology.tree(12, {"rack": racks})
    words = np.zeros((1, replicas), dtype=np.uint64)
    servers = np.arange(12, dtype=np.int64)

    def place() -> None:
        HdfsPlacement().place(words, servers=servers, topology=topology, n_replicas=replicas)

    text = change("load = 0.9", f'load = 0.9\nplacement = "hdfs"\nreplicas = {replicas}')
    text = change("racks = 4", f"racks = {racks}", text)
    if refusal_of(lambda: parse_scenario(text, check_scheduler=accept_any)) is None:
        place()
    else:
        with pytest.raises(ScenarioError, match="needs at least 2 racks"):
            place()


def test_a_value_in_a_message_is_short() -> None:
    """Long and deep values are cut; the line of the problem shows the rest."""
    assert format_value("x" * 100) == '"' + "x" * 55 + " ..."
    assert format_value([[[[[1]]]]]) == "[[[[...]]]]"
    assert format_value({"a b": True, "c": {1}}) == '{ "a b" = true, c = a Python set }'
