#!/usr/bin/env python3
"""Make the small workload trace that ships with cluster_sim.

    python make_small_trace.py                                 writes small_swim.tsv here
    python make_small_trace.py -o mine.tsv --seed 7 --jobs 5000

The file has the nine columns of a SWIM workload with input paths: job id, submit time in seconds,
gap since the submission before in seconds, map input, shuffle and reduce output in bytes, input
path, two empty columns.

The model, a day on a small cluster:

* Arrival rate: diurnal. Submit times are independent draws from a density over the day that is
  proportional to ``1 + 0.6 cos(2 pi (t - 15 h) / 24 h)``, sorted: busiest at three in the
  afternoon.
* Popularity: a job reads, with probability 0.08, one of 30 standing inputs, the k-th with a
  probability proportional to 1/k (Zipf); with probability 0.27, again an input in iteration; else
  an input of its own, which with probability 0.12 goes into iteration. Among the reads of inputs
  in iteration, the one repeated lies back a geometric number of reads of mean 2, so re-reads come
  in bursts. Most paths are read once, and a few are read very often.
* Sizes: heavy-tailed. An input has, with probability 0.75, a lognormal size of median 1 MB, and
  else a Pareto size of exponent 0.6 between 256 MiB and 256 GiB. Each job reads the size of its
  input times a factor between 0.8 and 1.2, as published paths too change size between jobs.
* One job in 25 reads nothing.
* Shuffle and reduce output are plausible fillers. cluster_sim checks and ignores them.

The trace is made from these rules alone. It contains nothing of any published trace, and like the
rest of the project it is under the MIT licence (see LICENSE).

The same options give the same bytes on every machine: all randomness comes from the raw output of
PCG64, which NumPy keeps from version to version (the distributions on top of it may change), and
sizes are rounded to six digits, so that the last bit of a logarithm does not show.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
PEAK_SECOND = 15 * 3600
DIURNAL_SWING = 0.6

N_STANDING = 30
STANDING_SHARE = 0.08
REREAD_SHARE = 0.27
ITERATED_SHARE = 0.12
MEAN_REREAD_DISTANCE = 2.0

LARGE_SHARE = 0.25
LARGE_SMALLEST = 256 * 2**20
LARGE_LARGEST = 256 * 2**30
LARGE_EXPONENT = 0.6
SMALL_MEDIAN = 1e6
SMALL_SIGMA = 2.5
ZERO_SHARE = 0.04


class Uniforms:
    """Uniforms on (0, 1) from the raw bits of a generator."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def draw(self, n: int) -> NDArray[np.float64]:
        """Return the next `n` uniforms (float64 array, shape (n,)); never 0 or 1."""
        bits = np.asarray(self._bits.random_raw(n), dtype=np.uint64) >> np.uint64(12)
        return (bits.astype(np.float64) + 0.5) * 2.0**-52


def submit_seconds(uniforms: Uniforms, n_jobs: int) -> NDArray[np.int64]:
    """Return sorted submit times in seconds (int64 array, shape (n_jobs,)), by inversion."""
    seconds = np.arange(0.0, DAY + 1, 60.0)
    phase = 2 * math.pi / DAY
    cumulative = seconds + DIURNAL_SWING / phase * (
        np.sin(phase * (seconds - PEAK_SECOND)) - math.sin(-phase * PEAK_SECOND)
    )
    times = np.interp(uniforms.draw(n_jobs) * cumulative[-1], cumulative, seconds)
    return np.sort(times).astype(np.int64)


def inputs(uniforms: Uniforms, n_jobs: int) -> NDArray[np.int64]:
    """Return which input each job reads (int64 array, shape (n_jobs,)).

    Inputs 0 to N_STANDING - 1 are the standing ones, N_STANDING + j is the own input of job j.
    """
    kind, which = uniforms.draw(n_jobs), uniforms.draw(n_jobs)
    is_iterated = uniforms.draw(n_jobs) < ITERATED_SHARE
    zipf = np.cumsum(1.0 / np.arange(1, N_STANDING + 1))
    standing = np.searchsorted(zipf / zipf[-1], which)
    distance = 1 + np.floor(np.log(which) / math.log(1 - 1 / MEAN_REREAD_DISTANCE)).astype(int)
    read: list[int] = []
    iterated: list[int] = []
    for job in range(n_jobs):
        is_standing = kind[job] < STANDING_SHARE
        is_reread = not is_standing and kind[job] < STANDING_SHARE + REREAD_SHARE
        if is_standing:
            read.append(int(standing[job]))
        elif is_reread and distance[job] <= len(iterated):
            read.append(iterated[-distance[job]])
            iterated.append(read[job])
        else:
            read.append(N_STANDING + job)
            if is_iterated[job]:
                iterated.append(read[job])
    return np.array(read, dtype=np.int64)


def sizes(uniforms: Uniforms, n_inputs: int) -> NDArray[np.float64]:
    """Return the size of each input in bytes (float64 array, shape (n_inputs,))."""
    kind, u, v = uniforms.draw(n_inputs), uniforms.draw(n_inputs), uniforms.draw(n_inputs)
    normal = np.sqrt(-2 * np.log(u)) * np.cos(2 * math.pi * v)  # Box and Muller
    small = SMALL_MEDIAN * np.exp(SMALL_SIGMA * normal)
    tail = (LARGE_SMALLEST / LARGE_LARGEST) ** LARGE_EXPONENT  # what the cut leaves out
    large = LARGE_SMALLEST * (1 - u * (1 - tail)) ** (-1 / LARGE_EXPONENT)
    return np.asarray(np.where(kind < LARGE_SHARE, large, small), dtype=np.float64)


def six_digits(size: float) -> int:
    """Return a size as a whole number of at most six leading digits, and at least 1."""
    return max(1, int(float(f"{size:.5e}")))


def rows(seed: int, n_jobs: int) -> list[str]:
    """Return the rows of the trace, without line ends."""
    uniforms = Uniforms(seed)
    submit = submit_seconds(uniforms, n_jobs)
    read = inputs(uniforms, n_jobs)
    size = sizes(uniforms, N_STANDING + n_jobs)[read] * (0.8 + 0.4 * uniforms.draw(n_jobs))
    is_empty = uniforms.draw(n_jobs) < ZERO_SHARE
    shuffle, output = uniforms.draw(n_jobs), uniforms.draw(n_jobs)
    names: dict[int, str] = {}
    lines = []
    for job in range(n_jobs):
        n_bytes = 0 if is_empty[job] else six_digits(size[job])
        n_shuffled = six_digits(n_bytes * shuffle[job]) if n_bytes and shuffle[job] < 0.6 else 0
        path = names.setdefault(int(read[job]), f"inputPath{len(names) + 1}")
        gap = submit[job] - (submit[job - 1] if job else 0)
        lines.append(
            f"job{job}\t{submit[job]}\t{gap}\t{n_bytes}\t{n_shuffled}\t"
            f"{six_digits(n_bytes * output[job] ** 3)}\t{path}\t\t"
        )
    return lines


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is either there as a whole or not changed at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)  # mkstemp makes files that only their owner reads
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status."""
    summary, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("small_swim.tsv"),
        help="where to write (default: small_swim.tsv beside this script)",
    )
    parser.add_argument("--seed", type=int, default=2015, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1500, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs {options.jobs}: must be at least 1")
    if options.seed < 0:
        parser.error(f"--seed {options.seed}: must be at least 0")
    try:
        write_atomically(options.output, "\n".join(rows(options.seed, options.jobs)) + "\n")
    except OSError as error:
        parser.error(f"--output {options.output}: cannot be written: {error.strerror}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
