"""Every shipped scenario is valid, explained, and runs alike on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_sim import prepare, read_scenario
from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.scenario import parse_scenario
from tests.cli.shell import call
from tests.scenarios.shipped import FILES, HAS_NUMBA, ROOT, commands, opening_comment

SHORT = 40  # slots


def name_of(file: Path) -> str:
    return file.stem


def test_the_scenarios_of_the_documentation_are_there() -> None:
    """The paper's two, the small ones for teaching, tiers, skew and a trace."""
    assert {file.stem for file in FILES} >= {
        "evenly-loaded",
        "locally-overloaded",
        "locally-overloaded-small",
        "one-server",
        "three-servers",
        "rack-tier",
        "pod-tier",
        "zipf",
        "facebook-trace",
        "server-failures",
        "rack-failure",
        "dare",
        "scarlett",
    }


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_scenario_explains_itself(file: Path) -> None:
    """It starts with a comment that says what to look at and which command runs this very file."""
    comment = opening_comment(file)
    assert "# Look at:" in comment
    assert [command for command in commands(file) if f"scenarios/{file.name}" in command]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_scenario_survives_being_written(file: Path) -> None:
    """Written out with its defaults and read again, a scenario is the same."""
    scenario = read_scenario(file)
    assert scenario.title
    assert parse_scenario(scenario.to_toml()) == scenario


@pytest.mark.skipif(not HAS_NUMBA, reason="the compiled engine needs numba")
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_both_engines_run_it_alike(file: Path) -> None:
    """Shortened, a scenario has the same result on both engines, down to the last task.

    Where servers break down or replicas move, the compiled engine is refused.
    """
    values = {"run.slots": SHORT, "run.warmup": SHORT // 4}
    prepared = prepare(read_scenario(file).with_values(values))
    if prepared.system.is_dynamic:
        with pytest.raises(ScenarioError, match="only the SimPy engine lets"):
            choose_engine("compiled", prepared.system)
        return
    results = [
        choose_engine(name, prepared.system).simulate(
            prepared.system, prepared.key(), slots=prepared.slots, warmup=prepared.warmup
        )
        for name in ("simpy", "compiled")
    ]
    assert results[0] == results[1]
    assert results[0].n_arrivals > 0


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_commands_of_a_comment_work(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each command that the comment shows does its work, on a shortened run, without complaint."""
    monkeypatch.chdir(ROOT)
    for command in commands(file):
        arguments = [str(tmp_path / part) if part == "events.csv" else part for part in command]
        if "facebook.tsv" in " ".join(arguments):
            continue  # of the reader's own; see test_trace.py
        if arguments[0] in {"run", "compare", "sweep"}:
            arguments += ["--quiet", "--set", f"run.slots={SHORT}", "--set", "run.warmup=0"]
        if arguments[0] == "sweep":
            arguments += ["-o", str(tmp_path / "results.sqlite"), "--workers", "1"]
            arguments += ["--replications", "1"]
        done = call(*arguments)
        assert done.status == 0, done.err
        assert done.out, command
        assert done.err == ""
