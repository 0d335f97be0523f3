"""``cluster-sim run`` reports what the library measures, for people and for programs."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from cluster_sim import __version__, prepare, read_scenario, run
from tests.cli.shell import OF_TRACE, SCENARIO, TRACE, call, change

KEYS = {
    "scenario",
    "engine",
    "seed",
    "slots",
    "warmup",
    "replications",
    "arrivals",
    "completed",
    "in_system",
    "mean_completion_time",
    "ci95",
    "mean_waiting_time",
    "completion_time_quantiles",
    "locality",
    "utilisation",
    "mean_queue_length",
    "load",
    "stable",
    "wall_seconds",
    "tasks_per_second",
}
"""What the design promises in ``run --json``."""


def test_json_carries_what_the_design_promises(folder: Path) -> None:
    """Standard output is one JSON object with at least the promised keys, and nothing else."""
    result = call("run", "six.toml", "--json")
    assert (result.status, result.err) == (0, "")
    found = result.json
    assert found.keys() >= KEYS
    assert set(found["completion_time_quantiles"]) == {"p50", "p90", "p99", "p99.9"}
    assert set(found["locality"]) == {"local", "rack_local", "remote"}
    assert sum(found["locality"].values()) == pytest.approx(1)
    assert found["arrivals"] == found["completed"] + found["in_system"]
    assert {"verdict", "reason"} <= found["stable"].keys()


def test_json_is_the_librarys_own_answer(folder: Path) -> None:
    """The command adds the version to what `run` returns, and hides nothing of it."""
    found = call("run", "six.toml", "--json").json
    expected = json.loads(json.dumps(run(prepare(read_scenario("six.toml"))).as_dict()))
    assert found.pop("version") == __version__
    for volatile in ("wall_seconds", "tasks_per_second"):
        del found[volatile], expected[volatile]
    assert found == expected


def test_table_shows_the_same_numbers(folder: Path) -> None:
    """What people read is what programs read."""
    table = call("run", "six.toml")
    found = call("run", "six.toml", "--json").json
    assert (table.status, table.err) == (0, "")
    rows = {line[:22].strip(): line[22:] for line in table.out.splitlines()[4:]}
    assert table.out.startswith("Six servers\npriority on 6 servers in 3 racks, even traffic\n")
    mean, _, half = rows["mean completion time"].removesuffix(" slots").partition(" ± ")
    assert float(mean) == pytest.approx(found["mean_completion_time"], abs=0.5 * 10**-2)
    assert float(half) == pytest.approx(found["ci95"], rel=0.05)
    assert f"{100 * found['utilisation']:.2f} %" in rows["utilisation"]
    assert f"{found['arrivals']:,} arrived" in rows["tasks"]
    assert rows["load"].startswith("0.5 of the capacity, 6 tasks per slot (closed form)")
    assert rows["stability"].startswith("stable: load 0.5 is below capacity")
    for word in ("p99.9", "local", "rack_local", "tasks/s"):
        assert word in table.out


def test_set_overrides_a_field(folder: Path) -> None:
    """``--set`` wins over the file, ``--engine`` over both."""
    options = ("--set", "traffic.rate=1.5", "--set", "run.engine=auto", "--engine", "simpy")
    found = call("run", "six.toml", "--json", *options).json
    assert found["scenario"]["traffic"]["rate"] == 1.5
    assert found["scenario"]["run"]["engine"] == found["engine"] == "simpy"


def test_standard_input_is_a_scenario(folder: Path) -> None:
    """``-`` reads the scenario that a file would hold."""
    piped = call("run", "-", "--json", stdin=SCENARIO.encode()).json
    assert (
        piped["mean_completion_time"]
        == call("run", "six.toml", "--json").json["mean_completion_time"]
    )


def test_one_replication_has_no_interval_and_a_note_says_so(folder: Path) -> None:
    """Without an interval ``ci95`` is null, and the remedy is on standard error unless quiet."""
    one = ("run", "six.toml", "--json", "--set", "run.replications=1")
    result = call(*one)
    assert result.json["ci95"] is None
    assert "one replication gives no confidence interval; set run.replications" in result.err
    assert call(*one, "--quiet").err == ""


def test_hitting_the_arrival_bound_is_told(folder: Path) -> None:
    """A run whose arrivals reach C_A counts the slots and names the bound."""
    options = ("--set", "traffic.rate=2.0", "--set", "traffic.max_arrivals=4")
    result = call("run", "six.toml", "--json", *options)
    n_hits = result.json["arrival_bound_hits"]
    assert n_hits > 0
    assert f"in {n_hits} of 120 slots the arrivals reached their bound, C_A = 4" in result.err


def test_nothing_measured_is_null(folder: Path) -> None:
    """Where no task completes, JSON has null and the table a dash, never nan."""
    options = ("--set", "traffic.rate=1e-9")
    found = call("run", "six.toml", "--json", *options).json
    assert found["mean_completion_time"] is None
    assert found["locality"] == {"local": None, "rack_local": None, "remote": None}
    table = call("run", "six.toml", *options).out
    assert "- (no task completed after the warm-up)" in table
    assert "nan" not in table


def test_overload_is_called_unstable(folder: Path) -> None:
    """At a load of 1.5 the verdict is unstable, and a note warns of the means."""
    result = call("run", "six.toml", "--set", "traffic.load=1.5", "--set", "run.slots=300")
    assert result.status == 0
    assert "stability             unstable: load 1.5 is not below capacity" in result.out
    assert "its means depend on how long it runs" in result.err


def test_logs_hold_the_first_replication(folder: Path) -> None:
    """``--events`` and ``--tasks`` write that many rows as the first replication has events."""
    result = call(
        "run", "six.toml", "--events", "e.csv.gz", "--tasks", "t.csv", "--set", "run.replications=1"
    )
    assert result.status == 0
    found = call("run", "six.toml", "--json", "--set", "run.replications=1").json
    with gzip.open("e.csv.gz", "rt") as file:
        events = [row["event"] for row in csv.DictReader(file)]
    with Path("t.csv").open() as file:
        tasks = list(csv.DictReader(file))
    assert events.count("arrival") == found["arrivals"]
    assert events.count("completion") == len(tasks) == found["completed"]
    assert {task["tier"] for task in tasks} <= {"local", "rack_local", "remote"}
    assert sorted(p.name for p in folder.iterdir()) == ["e.csv.gz", "six.toml", "t.csv"]


def test_no_output_overwrites_an_input(folder: Path) -> None:
    """An output that names the scenario, its trace or another output is refused."""
    (folder / "day.tsv").write_text(TRACE)
    (folder / "of-trace.toml").write_text(OF_TRACE)
    (folder / "link.csv").symlink_to("day.tsv")
    for options, reason in [
        (("--events", "./of-trace.toml"), "--events .*: would overwrite the scenario"),
        (("--tasks", "link.csv"), "--tasks link.csv: would overwrite the trace day.tsv"),
        (("--events", "a.csv", "--tasks", "a.csv"), "would overwrite the file of --events"),
    ]:
        result = call("run", "of-trace.toml", *options)
        assert (result.status, result.out) == (2, "")
        assert re.search(reason, result.err)
    assert (folder / "day.tsv").read_text() == TRACE
    assert (folder / "of-trace.toml").read_text() == OF_TRACE


POLICY = """
from dataclasses import dataclass
from typing import ClassVar
from cluster_sim import QueuePolicy
from cluster_sim.policies import NO_QUEUE

print("a module that talks")

@dataclass(frozen=True)
class First(QueuePolicy):
    name: ClassVar[str] = "first"
    title: ClassVar[str] = "The first replica"

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        return replicas[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server if waiting[server] else NO_QUEUE

class Greedy(First):
    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server

class Broken(First):
    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return 1 // 0
"""


@pytest.fixture
def own(folder: Path) -> Path:
    """A folder beside the current one, with a policy module and a scenario for each policy."""
    place = folder / "own"
    place.mkdir()
    (place / "talking.py").write_text(POLICY)
    for name in ("First", "Greedy", "Broken"):
        text = change('"priority"', f'"talking:{name}"') + 'engine = "simpy"\n'
        (place / f"{name}.toml").write_text(text)
    return place


def test_own_policy_is_found_beside_the_scenario(own: Path) -> None:
    """``module:Class`` is found beside the scenario, and what it prints stays out of the JSON."""
    result = call("run", "own/First.toml", "--json")
    assert result.status == 0
    assert result.json["policy"] == "talking:First"
    assert result.err.startswith("a module that talks")


def test_own_policy_is_found_in_the_current_folder(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``module:Class`` is found in the current directory, as the documentation says."""
    monkeypatch.chdir(own)
    assert call("run", "-", stdin=Path("First.toml").read_bytes()).status == 0


def test_modules_of_one_name_do_not_stand_in_for_each_other(own: Path) -> None:
    """Two scenario folders may each have a module of the same name."""
    other = own.parent / "other"
    other.mkdir()
    (other / "talking.py").write_text("")
    text = change('"priority"', '"talking:First"')
    (other / "a.toml").write_text(text)
    result = call("check", "own/First.toml", "other/a.toml")
    assert result.status == 2
    assert "own/First.toml: ok" in result.out
    assert "module talking has no 'First'" in result.err


def test_wrong_decision_fails_the_run(own: Path) -> None:
    """A decision that cannot be done ends with status 1 and the story, not with a traceback."""
    result = call("run", "own/Greedy.toml", "--json")
    assert (result.status, result.out) == (1, "")
    assert "the run failed: slot 0: policy 'first' told idle server" in result.err
    assert "Traceback" not in result.err


def test_failing_policy_is_named_with_its_line(own: Path) -> None:
    """An exception in the user's code names file, line and function, not a bug of ours."""
    result = call("run", "own/Broken.toml")
    assert (result.status, result.out) == (1, "a module that talks\n")
    assert "your code failed: " in result.err
    assert "talking.py:30 in serve: ZeroDivisionError" in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in call("run", "own/Broken.toml", "--debug").err
