"""Print every benchmark as a table, or write the tables into docs/performance.md.

usage: python -m tests.benchmarks.table [--quick] [--write] [NAME ...]

NAME is a benchmark (simpy, c, engines, large, memory, start-up, threads, figure-3, task-policies,
others) or `grid`; without one, all are run, in about fifteen minutes. --quick makes every run
short: it shows that the benchmarks work, not how fast anything is. --write replaces the measured
part of docs/performance.md, and wants all of them.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import sys

from tests.benchmarks import grid
from tests.benchmarks.findings import HEADER, Finding, markdown
from tests.benchmarks.goals import BENCHMARKS, MissingError
from tests.benchmarks.measuring import FULL, QUICK, REPOSITORY, Effort

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def machine() -> str:
    """Return what the numbers depend on, in a line."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("simpy", "numpy", "numba")
    )
    return (
        f"Measured on {datetime.date.today().isoformat()}: {os.cpu_count()} shared processors, "
        f"load average {os.getloadavg()[0]:.1f} before; Python {platform.python_version()}, "
        f"{versions}."
    )


def findings_of(name: str, effort: Effort) -> list[Finding]:
    """Run a benchmark; tell standard error what it found at once, as all of them take long."""
    sys.stderr.write(f"{name} ...\n")
    try:
        findings = BENCHMARKS[name](effort)
    except MissingError as error:
        sys.stderr.write(f"{name}: skipped, {error}\n")
        return []
    for finding in findings:
        sys.stderr.write(f"  {'  '.join(filter(None, finding.row()))}\n")
    return findings


def report(names: list[str], effort: Effort) -> str:
    """Run benchmarks and return the tables in Markdown."""
    parts = [machine()]
    goals = [name for name in BENCHMARKS if name in names and name != "others"]
    if goals:
        rows = [
            [f"`{name}`", *finding.row()] for name in goals for finding in findings_of(name, effort)
        ]
        parts += ["### Goals", markdown(["benchmark", *HEADER], rows)]
    if "grid" in names:
        sys.stderr.write("grid ...\n")
        parts += ["### Tasks per CPU-second, `priority`, even traffic", grid.table(effort)]
    if "others" in names:
        rows = [
            [finding.what, finding.row()[1], finding.row()[2], finding.note]
            for finding in findings_of("others", effort)
        ]
        parts += [
            "### Next to other simulators, M = 100, load 0.9",
            markdown(["what", "measured", "range", "note"], rows),
        ]
    return "\n\n".join(parts) + "\n"


def write(text: str) -> None:
    """Replace the measured part of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Run what the command line asks for."""
    known = [*BENCHMARKS, "grid"]
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.table", description=about)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="short runs: a try, not a measurement")
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/")
    asked = parser.parse_args()
    if unknown := sorted({*asked.names} - {*known}):
        parser.error(f"{', '.join(unknown)}: not a benchmark; known: {', '.join(known)}")
    if asked.write and (asked.names or asked.quick):
        parser.error("--write wants all benchmarks at full length: leave out names and --quick")
    text = report(asked.names or known, QUICK if asked.quick else FULL)
    sys.stdout.write(text)
    if asked.write:
        write(text)


if __name__ == "__main__":
    main()
