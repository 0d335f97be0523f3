"""What the commands say of warm-up, precision and intervals, and the figures they save."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import call

LONG = ("--set", "run.slots=4000", "--set", "run.warmup=auto")


def test_run_says_how_the_warmup_was_found(folder: Path) -> None:
    """The table and the JSON have the cut and its method."""
    table = call("run", "six.toml", *LONG)
    found = call("run", "six.toml", "--json", *LONG).json
    assert found["warmup_method"] == "MSER-5 on a pilot run"
    assert f"the first {found['warmup']:,} left out (MSER-5 on a pilot run)" in table.out
    assert call("run", "six.toml", "--json").json["warmup_method"] == "given"


def test_a_warmup_that_could_not_be_found_is_told(folder: Path) -> None:
    """A note tells of a run that is too short for the rule, or has not settled."""
    short = call("run", "six.toml", "--set", "run.warmup=auto")
    assert "too short for MSER-5, so a quarter of it (15 slots) is left out" in short.err
    overload = ("--policies", "priority,fifo", "--set", "traffic.load=1.5", *LONG)
    result = call("compare", "six.toml", *overload)
    assert "half (2,000 slots) is left out; the system had not settled" in result.err


def test_precision_is_told_whether_reached_or_not(folder: Path) -> None:
    """A run says how many replications its precision took; a cap that was hit is named."""
    options = (*LONG, "--set", "run.precision=0.05")
    result = call("run", "six.toml", "--json", *options)
    n = result.json["replications"]
    assert result.json["precision_reached"] is True
    assert f"the requested precision of 5.00% took {n} replications" in result.err
    tight = ("--set", "run.precision=1e-6", "--set", "run.max_replications=3")
    for command in ("run", "compare"):
        result = call(command, "six.toml", *tight)
        assert result.status == 0
        assert "was not reached with run.max_replications (3)" in result.err


def test_one_long_replication_has_batch_means(folder: Path) -> None:
    """The interval of a single run is labelled, in the table, the JSON and a note."""
    one = ("--set", "run.replications=1", "--set", "run.slots=20000")
    table = call("run", "six.toml", *one)
    assert "slots (batch means)" in table.out
    assert "one replication: the interval is of batch means within it" in table.err
    assert call("run", "six.toml", "--json", *one).json["ci95_method"] == "batch means"
    pair = call("compare", "six.toml", "--json", *one).json["differences"][0]
    assert pair["ci95_method"] == "batch means"


def test_quantiles_have_intervals(folder: Path) -> None:
    """JSON has the ends of each quantile's interval, null where there are too few tasks."""
    found = call("run", "six.toml", "--json").json["completion_time_quantiles_ci95"]
    low, high = found["p50"]
    assert low <= high
    assert found["p99.9"] is None


@pytest.mark.parametrize("command", ["run", "compare"])
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_plot_saves_a_figure(folder: Path, command: str, suffix: str) -> None:
    """``--plot`` writes a file of the format that its name says."""
    result = call(command, "six.toml", "--plot", f"figure{suffix}")
    assert (result.status, result.err) == (0, "")
    start = (folder / f"figure{suffix}").read_bytes()[:300]
    assert (b"<svg" in start) if suffix == ".svg" else start.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("figure.jpg", "figure.jpg: a figure is saved as .svg or .png"),
        ("six.toml", "--plot six.toml: would overwrite the scenario"),
    ],
)
def test_plot_refuses_a_wrong_name_before_it_runs(folder: Path, name: str, words: str) -> None:
    """A name that no figure can have is refused with status 2."""
    for command in ("run", "compare"):
        result = call(command, "six.toml", "--plot", name)
        assert (result.status, result.out) == (2, "")
        assert words in result.err
