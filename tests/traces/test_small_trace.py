"""The trace that ships with the project is what its script makes, and like what it stands for."""

import subprocess
import sys

import numpy as np
import pytest

from cluster_sim.traces import read, split_jobs, summarise


@pytest.fixture(scope="module")
def make(small_file):
    script = small_file.parents[3] / "scenarios" / "make_small_trace.py"

    def make(*arguments):
        return subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False
        )

    return make


def test_script_reproduces_the_shipped_file(make, small_file, tmp_path):
    """The script with its defaults writes the shipped file, byte for byte, and nothing else."""
    made = tmp_path / "made.tsv"
    done = make("-o", made)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert made.read_bytes() == small_file.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["made.tsv"]


def test_other_options_give_other_traces(make, small_file, tmp_path):
    """Seed and number of jobs are options; the result is readable."""
    made = tmp_path / "made.tsv"
    assert make("-o", made, "--seed", "7", "--jobs", "40").returncode == 0
    assert read(made).n_jobs == 40
    assert not small_file.read_bytes().startswith(made.read_bytes()[:200])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--jobs", "0"), "--jobs 0: must be at least 1"),
        (("--seed", "-1"), "--seed -1: must be at least 0"),
        (("-o", "no/such/folder/made.tsv"), "cannot be written"),
    ],
)
def test_wrong_options(make, arguments, message):
    """A wrong option ends with status 2 and a message."""
    done = make(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_size_of_the_shipped_file(small_file):
    """The shipped file is small enough to ship."""
    assert small_file.stat().st_size < 120_000


def test_shipped_trace_keeps_its_model(small_trace):
    """Shares fixed by the model are met within four standard errors, the rest qualitatively."""
    n = small_trace.n_jobs
    assert n == 1500
    assert abs(small_trace.n_zero_byte_jobs / n - 0.04) < 4 * np.sqrt(0.04 * 0.96 / n)
    summary = summarise(split_jobs(small_trace))
    first_standing = 0.08 / np.sum(1 / np.arange(1, 31))
    error = 4 * np.sqrt(first_standing * (1 - first_standing) / n)
    assert summary.path_popularity.top_share > first_standing - error
    assert summary.path_popularity.once_share > 0.8, "most paths are read once"
    assert summary.median_reread_gap_seconds < 86_400 / 100, "re-reads come in bursts"
    assert summary.job_tasks.p50 == 1, "most jobs are small"
    assert summary.job_tasks.largest > 1000, "a few are very large"
    hours = np.bincount(small_trace.submit_seconds // 3600, minlength=24)
    assert hours[9:21].sum() > 1.5 * (hours[:9].sum() + hours[21:].sum()), "the day is busier"
