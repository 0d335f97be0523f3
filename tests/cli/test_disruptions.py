"""Breakdowns and replication schemes as the commands show them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster_sim.experiments.sources import source_hashes
from cluster_sim.scenario import parse_scenario
from tests.cli.shell import call

SCENARIO = """\
[cluster]
servers = 6
racks = 3
[service]
local = 0.5
remote = 0.25
[traffic]
kind = "zipf"
chunks = 20
exponent = 1.0
load = 0.5
[scheduler]
policy = "fifo"
[failures]
server_mean_up = 60
server_mean_down = 10
rack_mean_up = 300
rack_mean_down = 10
rereplication = 1
[replication]
scheme = "dare"
[run]
slots = 300
warmup = 10
replications = 2
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("case.toml").write_text(SCENARIO)
    return "case.toml"


def test_run_tells_of_breakdowns_and_replicas(file: str, caplog: pytest.LogCaptureFixture) -> None:
    """Rows for people; the same numbers as JSON, which add up over replications."""
    done = call("run", file)
    assert done.status == 0, done.err
    for row in ("failures ", "redone ", "replicas ", "replication ", "extra storage "):
        assert row in done.out
    assert "the load is of the capacity without breakdowns" in done.err
    assert "only the SimPy engine lets servers break down" in caplog.text
    found = json.loads(call("run", file, "--json", "--quiet").out)
    failures, moved = found["failures"], found["replication"]
    assert found["arrivals"] == found["completed"] + found["in_system"] + failures["failed"]
    assert failures["breakdowns"] > 20
    assert failures["rack_breakdowns"] > 0
    assert 0.6 < failures["availability"] < 0.95
    assert failures["retried"] > 0
    assert failures["redone_slots"] >= failures["retried"]
    assert failures["rereplicated"] > 0
    assert moved["initial_replicas"] == 60
    assert moved["created"] > 0
    assert moved["transfers"] == 0
    assert 0 < moved["extra_mean"] <= moved["extra_peak"]


def test_the_compiled_engine_is_refused(file: str) -> None:
    """With the reason, whether servers break down or replicas move."""
    done = call("run", file, "--engine", "compiled")
    assert done.status == 2
    assert "only the SimPy engine lets servers break down" in done.err
    text = (
        "\n".join(SCENARIO.split("[failures]")[:1])
        + "[replication]"
        + SCENARIO.split("[replication]")[1]
    )
    Path(file).write_text(text)
    done = call("run", file, "--engine", "compiled")
    assert done.status == 2
    assert "only the SimPy engine lets replicas move" in done.err


def test_a_recording_refuses_breakdowns(file: str) -> None:
    """It holds one run of each task."""
    done = call("replay", file, "-o", "page.html")
    assert done.status == 2
    assert "[failures]: a recording holds one run of each task" in done.err


def test_policies_lists_the_schemes() -> None:
    """With their parameters, for people and as JSON."""
    assert "Replication schemes" in call("policies").out
    found = json.loads(call("policies", "--json").out)["replication"]
    assert [scheme["name"] for scheme in found] == ["static", "dare", "scarlett"]
    assert found[1]["parameters"]["budget"] == 0.2


def test_a_scheme_of_ones_own_decides_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its source is hashed with the point, as that of a policy."""
    monkeypatch.chdir(tmp_path)
    Path("own_scheme.py").write_text(
        "from cluster_sim.policies.replication import Replicating, ReplicationScheme\n"
        "class State(Replicating):\n    pass\n"
        "class Own(ReplicationScheme):\n"
        "    name = 'own'\n    title = 'mine'\n"
        "    def begin(self, setting):\n        return State()\n"
    )
    text = SCENARIO.replace('scheme = "dare"', 'scheme = "own_scheme:Own"')
    Path("own.toml").write_text(text)
    assert call("run", "own.toml", "--quiet").status == 0
    assert set(source_hashes(parse_scenario(text))) == {"replication.scheme"}
