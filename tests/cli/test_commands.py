"""The commands that run nothing: check, policies, trace, theory, cite, and the help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cluster_sim import policies, scenario
from cluster_sim.cli.cite import REFERENCES
from tests.cli.shell import OF_TRACE, SCENARIO, TRACE, call, change

COMMANDS = ("run", "compare", "check", "policies", "trace", "theory", "cite")


def test_check_has_a_line_for_each_good_file(folder: Path) -> None:
    """Good files are listed on standard output, with what they say."""
    result = call("check", "six.toml", "-", stdin=SCENARIO.encode())
    said = (
        "ok: priority on 6 servers in 3 racks, even traffic; load 0.5 of the capacity, "
        "6 tasks per slot (closed form)"
    )
    assert (result.status, result.err) == (0, "")
    assert result.out == f"six.toml: {said}\nstandard input: {said}\n"


def test_check_reports_every_error_of_every_file(folder: Path) -> None:
    """One bad file hides neither the errors of the next nor the good ones."""
    (folder / "a.toml").write_text(change("servers = 6", "servers = 0").replace("slots", "slot"))
    (folder / "b.toml").write_text(change('"priority"', '"prioritty"'))
    result = call("check", "a.toml", "six.toml", "b.toml", "c.toml")
    assert result.status == 2
    assert re.match(r"six\.toml: ok: .*\n\Z", result.out)
    places = [line.split(" ")[0] for line in result.err.splitlines()]
    assert places == ["a.toml:4:", "a.toml:20:", "b.toml:17:", "c.toml:"]


def test_check_builds_the_system(folder: Path) -> None:
    """What only building shows is found too: a load that Bernoulli arrivals cannot have."""
    result = call("check", "six.toml", "--set", "traffic.arrivals=bernoulli")
    assert result.status == 2
    assert re.search(r"six\.toml: \[traffic\] \(load = 0\.5 of capacity\) rate = 3", result.err)


def test_schema_is_the_librarys(folder: Path) -> None:
    """``check --schema`` prints the JSON Schema for editors."""
    assert call("check", "--schema").json == scenario.json_schema()


def test_policies_are_those_of_the_registry() -> None:
    """Each registered policy is listed with its guarantee and the defaults of its parameters."""
    listed = {entry["name"]: entry for entry in call("policies", "--json").json["policies"]}
    assert tuple(listed) == policies.names(None)
    assert listed["priority"]["parameters"] == {"threshold": "auto"}
    assert listed["priority"]["guarantee"]["throughput"] == "yes"
    text = call("policies").out
    for name in policies.names(None):
        assert f"{name}\n  {policies.find(name).title}\n" in text


def test_trace_summary_counts_the_rows(folder: Path) -> None:
    """Three jobs on two paths: 200 MB are three chunks of 64 MiB, shared by the job after."""
    (folder / "day.tsv").write_text(TRACE)
    found = call("trace", "day.tsv", "--json", "--servers", "4", "--slot-seconds", "3").json
    assert (found["n_jobs"], found["n_tasks"], found["n_chunks"], found["n_paths"]) == (3, 5, 4, 2)
    assert found["duration_seconds"] == 4
    assert found["median_reread_gap_seconds"] == 4
    assert found["peak_rate"] == 4  # jobs a and b fall into the first slot of three seconds
    assert found["placed"]["servers"] == 4
    assert found["placed"]["hottest_over_mean"] >= 1
    table = call("trace", "day.tsv", "--servers", "4")
    assert (table.status, table.err) == (0, "")
    assert "5 on 4 chunks of 64 MiB" in table.out


def test_trace_on_all_servers_is_even(folder: Path) -> None:
    """With a replica on every server, no server is hotter than the mean."""
    (folder / "day.tsv").write_text(TRACE)
    options = ("--servers", "3", "--replicas", "3", "--max-tasks-per-job", "2", "--json")
    found = call("trace", "day.tsv", *options).json
    assert found["placed"]["hottest_over_mean"] == pytest.approx(1)
    assert (found["n_capped_jobs"], found["n_tasks_cut"]) == (1, 1)


def test_small_trace_is_the_default() -> None:
    """Without a file the trace that comes with the package is summarised."""
    result = call("trace", "--max-tasks-per-job", "20")
    assert result.status == 0
    assert result.out.startswith("the small trace that comes with the package\n")


def test_theory_of_a_worked_example(folder: Path) -> None:
    """One overloaded server and one with time to spare: server 1 helps server 0."""
    types = (
        'kind = "types"\nrate = 1.4\n[[traffic.types]]\nreplicas_on = [0]\nweight = 6\n'
        "[[traffic.types]]\nreplicas_on = [0, 1]\nweight = 1"
    )
    text = change("servers = 6\nracks = 3", "servers = 2").replace("rack_local = 0.8\n", "")
    (folder / "two.toml").write_text(change('kind = "even"\nload = 0.5', types, text))
    found = call("theory", "two.toml", "--json").json
    # With x of the first type served remotely at rate 0.5, both servers are full where
    # 1.2 f - x = 1 and 0.2 f + 2 x = 1: f = 3 / 2.6.
    assert found["load"] == pytest.approx(2.6 / 3)
    assert found["capacity"]["rate"] == pytest.approx(1.4 * 3 / 2.6)
    assert found["decomposition"]["helpers"] == [1]
    assert found["decomposition"]["beneficiaries"] == [0]
    table = call("theory", "two.toml").out
    assert "helpers         1: 1\n" in table
    assert "beneficiaries   1: 0\n" in table


@pytest.mark.parametrize("traffic", ["even", "hotspot", "zipf", "trace", "tiers"])
def test_theory_speaks_of_every_traffic(folder: Path, traffic: str) -> None:
    """Every kind of traffic has its task types, and the load agrees with that of the scenario."""
    two_tiers = change("rack_local = 0.8\n", "")
    kinds = {
        "even": two_tiers,
        "hotspot": change('"even"', '"hotspot"\nhot_servers = 3\nhot_probability = 0.8', two_tiers),
        "zipf": change('"even"', '"zipf"\nchunks = 9\nexponent = 1.1', two_tiers),
        "trace": OF_TRACE.replace("rack_local = 0.8\n", ""),
        "tiers": SCENARIO,
    }
    (folder / "day.tsv").write_text(TRACE)
    (folder / "case.toml").write_text(kinds[traffic])
    found = call("theory", "case.toml", "--json").json
    assert found["decomposition"]["exact"] is True
    assert found["decomposition"]["load"] == pytest.approx(found["load"], rel=1e-6)
    assert (found["decomposition"]["notes"] == []) == (traffic != "tiers")
    assert call("theory", "case.toml").status == 0


def test_cite_names_the_paper_and_a_reference_for_each_policy() -> None:
    """The paper comes first; every policy with a published source has an entry."""
    text, bibtex = call("cite").out, call("cite", "--bibtex").out
    assert "Priority Algorithm for Near-data Scheduling" in text.splitlines()[1]
    assert bibtex.startswith("@inproceedings{xie2015priority,\n  author = {Qiaomin Xie and Yi Lu},")
    assert bibtex.count("@") == len(REFERENCES) + 1
    assert bibtex.count("{") == bibtex.count("}")
    covered = {name for reference in REFERENCES for name in reference.policies}
    assert covered == set(policies.names(None)) - {"fifo", "hadoop-fifo"}


def test_help_lists_every_command() -> None:
    """``--help`` names the commands and the exit statuses; each command explains its options."""
    result = call("--help")
    assert result.status == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S", result.out, re.M)
        assert call(command, "--help").status == 0
    assert "2 the request was wrong" in " ".join(result.out.split())


def test_version_is_that_of_the_package() -> None:
    """``--version`` prints the distribution's version."""
    import cluster_sim

    assert call("--version").out == f"cluster-sim {cluster_sim.__version__}\n"
