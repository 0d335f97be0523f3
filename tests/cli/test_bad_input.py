"""Bad input, end to end: status 2, a message with place and remedy, and nothing left behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.shell import OF_TRACE, SCENARIO, TRACE, Result, call, change

HOT = '"hotspot"\nhot_servers = 3\nhot_probability = 0.8'
TYPES = 'kind = "types"\nload = 0.5\n[[traffic.types]]\nreplicas_on = [0, 1]\nweight = 1'


def of_types(old: str, new: str) -> str:
    return change('kind = "even"\nload = 0.5', change(old, new, TYPES))


# name: (scenario, what standard error says; it starts with the place)
SCENARIOS = {
    "empty": ("", r"case\.toml: the file is empty; a scenario starts with \[cluster\]"),
    "blank": (" \n\n", r"case\.toml: the file is empty"),
    "not-toml": ("servers: 6\n", r"case\.toml:1: column 8: expected = after the key"),
    "unclosed-text": (
        change('"priority"', '"priority'),
        r"case\.toml:17: column \d+: expected text on one line; close the quotes",
    ),
    "bare-word": (
        change('"priority"', "priority"),
        r'case\.toml:17: column \d+: expected a value; is priority meant as text\? Write "prior',
    ),
    "table-twice": (SCENARIO + "[run]\n", r"case\.toml:24: .* declared already: keep one"),
    "key-twice": (change("servers = 6", "servers = 6\nservers = 7"), r"case\.toml:5: .* set alr"),
    "many-digits": (
        change("servers = 6", f"servers = {'9' * 5000}"),
        r"case\.toml: .* too many digits; shorten",
    ),
    "nested-deeply": ("a = " + "[" * 2000, r"case\.toml: .* nested too deeply .*; flatten them"),
    "not-utf8": (SCENARIO.replace("Six", "S\udcff"), r"case\.toml:1: byte 0xff is not UTF-8; save"),
    "nul": (change("Six", "S\0x"), r"case\.toml:1: column \d+: .*"),
    "no-cluster": (
        change("[cluster]\nservers = 6\nracks = 3\n", ""),
        r"case\.toml: \[cluster\]: missing; add \[cluster\] with servers = 1000",
    ),
    "servers-zero": (change("servers = 6", "servers = 0"), r"case\.toml:4: .* integer from 1 to"),
    "servers-huge": (change("servers = 6", f"servers = {10**12}"), r"case\.toml:4: .* to 10000000"),
    "servers-text": (change("servers = 6", 'servers = "6"'), r"case\.toml:4: .* remove the quotes"),
    "servers-negative": (change("servers = 6", "servers = -6"), r"case\.toml:4: .* from 1 to"),
    "unknown-key": (change("seed = 7", "sed = 7"), r"case\.toml:23: .* Did you mean 'seed'\?"),
    "unknown-table": (SCENARIO + "[runs]\n", r"case\.toml:24: .* Did you mean 'run'\?"),
    "racks-above-servers": (change("racks = 3", "racks = 7"), r"case\.toml:5: .* cluster\.servers"),
    "rate-above-one": (change("local = 1.0\nrack", "local = 2\nrack"), r"case\.toml:8: .* most 1"),
    "rates-crossed": (change("0.8", "0.4"), r"case\.toml:10: .* lower remote or raise rack_local"),
    "rate-of-no-level": (change("racks = 3\n", ""), r"case\.toml:8: .* add racks = 20 to \[clus"),
    "load-nan": (change("load = 0.5", "load = nan"), r"case\.toml:14: .* \(it must be finite\)"),
    "load-percent": (change("load = 0.5", "load = 50"), r"case\.toml:14: .* 0\.9 for 90 %"),
    "load-and-rate": (change("load = 0.5", "load = 0.5\nrate = 2"), r"case\.toml:15: .* keep one"),
    "no-load": (change("load = 0.5\n", ""), r"case\.toml:12: .* missing; add load = 0\.9"),
    "kind-unknown": (change('"even"', '"evne"'), r"case\.toml:13: .* Did you mean 'even'\?"),
    "hot-above-servers": (
        change('"even"', HOT.replace("3", "7", 1)),
        r"case\.toml:14: \[traffic\] hot_servers = 7: must be at most cluster\.servers \(6\)",
    ),
    "hot-too-few": (
        change('"even"', HOT.replace("3", "2", 1)),
        r"case\.toml:12: .* lower replicas or raise hot_servers",
    ),
    "replicas-above-servers": (
        change("load = 0.5", "load = 0.5\nreplicas = 7"),
        r"case\.toml:15: .* at most cluster\.servers \(6\): replicas are on distinct servers",
    ),
    "hdfs-without-room": (
        change("racks = 3", "racks = 6").replace("load = 0.5", 'load = 0.5\nplacement = "hdfs"'),
        r"case\.toml:15: .* needs at least 2 racks with room for 2 replicas",
    ),
    "placement-unknown": (
        change("load = 0.5", 'load = 0.5\nplacement = "unifrom"'),
        r'case\.toml:15: .* must be "uniform", "hdfs", or a class of your own',
    ),
    "placement-of-no-module": (
        change("load = 0.5", 'load = 0.5\nplacement = "nowhere:Place"'),
        r"case\.toml: placement 'nowhere:Place': no module 'nowhere'; run from the folder",
    ),
    "type-on-no-server": (of_types("[0, 1]", "[0, 6]"), r"case\.toml:16: .* must be at most 5"),
    "type-twice": (of_types("[0, 1]", "[1, 1]"), r"case\.toml:16: .* listed twice; .* remove one"),
    "type-weight-zero": (of_types("weight = 1", "weight = 0"), r"case\.toml:17: .* above 0"),
    "bernoulli-above-one": (
        change("load = 0.5", 'load = 0.5\narrivals = "bernoulli"'),
        r"case\.toml: \[traffic\] \(load = 0\.5 of capacity\) rate = 3",
    ),
    "batch-without-size": (
        change("load = 0.5", 'load = 0.5\narrivals = "batch"'),
        r"case\.toml:12: \[traffic\] batch_size: missing; .* add for example batch_size",
    ),
    "bound-below-rate": (
        change("load = 0.5", "rate = 3\nmax_arrivals = 2"),
        r"case\.toml:15: .* raise max_arrivals or lower rate",
    ),
    "policy-unknown": (change("priority", "prioritty"), r"case\.toml:17: .* mean 'priority'\?"),
    "policy-of-no-module": (
        change('"priority"', '"nowhere:Mine"'),
        r"case\.toml:17: \[scheduler\] policy = \"nowhere:Mine\": no module 'nowhere'; run from",
    ),
    "policy-that-is-none": (
        change('"priority"', '"json:JSONDecoder"'),
        r"case\.toml:17: .* must be a class derived from cluster_sim\.policies\.QueuePolicy",
    ),
    "policy-module-broken": (
        change('"priority"', '"broken:Mine"'),
        r"case\.toml:17: .* importing broken failed: SyntaxError",
    ),
    "parameter-unknown": (
        change('"priority"', '"priority"\nthreshhold = 2'),
        r"case\.toml:18: .* is not a parameter of policy 'priority'\. Did you mean 'threshold'\?",
    ),
    "threshold-negative": (
        change('"priority"', '"priority"\nthreshold = -1'),
        r"case\.toml:18: .* must be \"auto\", or a number from 0 to inf",
    ),
    "reading-unknown": (
        SCENARIO + '[reading]\ntie_break = "randon"\n',
        r"case\.toml:25: .* Did you mean 'random'\? Known: index, local, random",
    ),
    "warmup-too-long": (change("warmup = 10", "warmup = 60"), r"case\.toml:21: .* nothing is left"),
    "slots-zero": (change("slots = 60", "slots = 0"), r"case\.toml:20: .* at least 1"),
    "engine-unknown": (SCENARIO + 'engine = "fast"\n', r"case\.toml:24: .* Known: auto, comp"),
    "seed-negative": (change("seed = 7", "seed = -7"), r"case\.toml:23: .* from 0 to 2\*\*64"),
    "all-at-once": (
        change("servers = 6", "servers = 0").replace("seed = 7", "sed = 7"),
        r"case\.toml:4: .*\ncase\.toml:23: ",
    ),
}


# name: (trace, what standard error says)
TRACES = {
    "empty": ("", r"day\.tsv: is empty: must have at least one row"),
    "header": ("job\tsubmit\tgap\tin\tshuffle\tout\n" + TRACE, r"day\.tsv:1: .* delete the line"),
    "spaces": (TRACE.replace("\t", " "), r"day\.tsv:1: 1 column: .* separate the columns by tabs"),
    "short-row": (TRACE + "d\t9\t0\t1\n", r"day\.tsv:4: 4 columns: must be 9.* correct or delete"),
    "lost-tabs": (TRACE + "d\t9\t0\t1\t0\t0\tp\n", r"day\.tsv:4: 7 columns: .* end the row with"),
    "negative": (TRACE + "d\t-9\t0\t1\t0\t0\tp\t\t\n", r"day\.tsv:4: column 2 .* whole number"),
    "fraction": (TRACE + "d\t9.5\t0\t1\t0\t0\tp\t\t\n", r"day\.tsv:4: column 2 .* correct it or"),
    "nan": (TRACE + "d\t9\t0\tnan\t0\t0\tp\t\t\n", r"day\.tsv:4: column 4 .* 'nan': must be"),
    "overflow": (TRACE + f"d\t9\t0\t{10**30}\t0\t0\tp\t\t\n", r"day\.tsv:4: column 4 .* must be"),
    "backwards": (TRACE + "d\t3\t0\t1\t0\t0\tp\t\t\n", r"day\.tsv:4: .* sort the rows by submit"),
    "job-twice": (TRACE + "a\t9\t0\t1\t0\t0\tp\t\t\n", r"day\.tsv:4: .* already in line 1; .* ren"),
    "no-path": (TRACE + "d\t9\t0\t1\t0\t0\t\t\t\n", r"day\.tsv:4: column 7 .* name the path"),
    "more-cells": (TRACE + "d\t9\t0\t1\t0\t0\tp\tq\t\n", r"day\.tsv:4: column 8 = 'q': .* delete"),
    "blank-line": (TRACE + "\n" + TRACE, r"day\.tsv:4: blank line: .* delete the line"),
    "nothing-read": ("a\t5\t5\t0\t0\t0\n", r"day\.tsv: none of the 1 jobs reads any input.* use a"),
    "binary": ("\0\1\2\3\udcff" * 50, r"day\.tsv:1: "),
}


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def refused(folder: Path, *arguments: str) -> Result:
    """Call a command that must be refused: no output, no traceback, no file touched."""
    before = files_in(folder)
    result = call(*arguments)
    assert result.status == 2, result
    assert result.out == ""
    assert "Traceback" not in result.err
    assert files_in(folder) == before
    return result


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogateescape"))


@pytest.mark.parametrize(("text", "message"), SCENARIOS.values(), ids=SCENARIOS)
def test_malformed_scenario_is_refused(folder: Path, text: str, message: str) -> None:
    """``run`` refuses a malformed scenario before anything is written, naming place and remedy."""
    write(folder / "case.toml", text)
    write(folder / "broken.py", "class Mine(:\n")
    result = refused(folder, "run", "case.toml", "--json", "--events", "e.csv", "--tasks", "t.csv")
    assert re.match(message, result.err)


@pytest.mark.parametrize("command", ["run", "trace"])
@pytest.mark.parametrize(("text", "message"), TRACES.values(), ids=TRACES)
def test_malformed_trace_is_refused(folder: Path, text: str, message: str, command: str) -> None:
    """A malformed trace is refused with its file and line, in a scenario and on its own."""
    write(folder / "day.tsv", text)
    write(folder / "case.toml", OF_TRACE)
    arguments = {
        "run": ("run", "case.toml", "--json", "--events", "e.csv"),
        "trace": ("trace", "day.tsv", "--json"),
    }
    assert re.match(message, refused(folder, *arguments[command]).err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Usage: cluster-sim"),
        (("rum",), "No such command 'rum'"),
        (("run",), "Missing argument 'FILE'"),
        (("run", "six.toml", "--jsn"), "No such option: --jsn"),
        (("run", "six.toml", "--set"), "requires an argument"),
        (("run", "six.toml", "--engine", "fast"), "'--engine'"),
        (("run", "sex.toml"), r"sex\.toml: no such file; check the path \(there: six\.toml\)"),
        (("run", "."), r"\.: is a folder; name a scenario file in it \(there: six\.toml\)"),
        (("run", "six\0.toml"), "cannot be read"),
        (("run", "-"), "standard input: is empty; pipe a scenario into the command"),
        (("run", "six.toml", "--set", "load=0.9"), "name the table as well: traffic.load=0.9"),
        (("run", "six.toml", "--set", "run.slots"), "must be table.key=value"),
        (("run", "six.toml", "--set", "run.slots=0"), r"--set run\.slots=0: .* at least 1"),
        (("run", "six.toml", "--set", "run.slots=[1"), "is not complete TOML"),
        (("run", "six.toml", "--events", "no/e.csv"), "there is no folder .*; create it"),
        (("run", "six.toml", "--tasks", "."), "is a folder; give the name of a file in it"),
        (("run", "six.toml", "--events", "/dev/null"), "is not a regular file; choose another"),
        (("run", "six.toml", "--events", "six.toml"), "would overwrite the scenario six.toml"),
        (("check",), "check: name at least one scenario file, or ask for --schema"),
        (("trace", "none.tsv"), r"none\.tsv: no such file\. Check the path"),
        (("trace", "--chunk-mib", "nan"), "chunk_mib = nan: must be a number above 0"),
        (("trace", "--servers", "0"), r"\[cluster\] servers = 0: must be an integer from 1"),
        (("trace", "--format", "swin"), "Did you mean 'swim'"),
        (("trace", "--racks", "200"), r"racks = 200: must be at most cluster\.servers \(100\)"),
        (("trace", "--slot-seconds", "0"), "slot_seconds = 0.0: must be a number above 0"),
    ],
)
def test_wrong_request_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """A request that cannot be met is refused on standard error."""
    assert re.search(message, refused(folder, *arguments).err)


@pytest.mark.parametrize("text", ["\udcff = 1", "[cluster", "\ufeff"])
def test_standard_input_is_checked_like_a_file(folder: Path, text: str) -> None:
    """What is piped in is refused with the same care."""
    result = call("run", "-", stdin=text.encode(errors="surrogateescape"))
    assert (result.status, result.out) == (2, "")
    assert re.match("standard input(:1)?: ", result.err)
