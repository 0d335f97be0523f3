"""The shipped scenarios: where they are, what their comments say, and how to run them short."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from cluster_sim import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scenarios"
FILES = sorted(FOLDER.glob("*.toml"))
SCRIPTS = sorted(FOLDER.glob("*.py"))
FACEBOOK = (
    ROOT.parent / "shared/data/swim/FB-2010_samples_24_times_1hr_withInputPaths_0.tsv"
).resolve()

HAS_NUMBA = importlib.util.find_spec("numba") is not None
COMMAND = re.compile(r"^#     (cluster-sim .+)$", re.M)


def scenario(name: str, **values: object) -> Scenario:
    """Return a shipped scenario, with other values: ``slots=10`` for ``run.slots``, and so on.

    The tables of the keys are those that the tests change; ``load`` is ``traffic.load``.
    """
    tables = {"load": "traffic", "path": "traffic", "exponent": "traffic", "policy": "scheduler"}
    given = {f"{tables.get(key, 'run')}.{key}": value for key, value in values.items()}
    return read_scenario(FOLDER / f"{name}.toml").with_values(given)


def opening_comment(file: Path) -> str:
    """Return the comment block that a scenario file starts with."""
    lines = file.read_text(encoding="utf-8").splitlines()
    block = []
    for line in lines:
        if not line.startswith("#"):
            break
        block.append(line)
    return "\n".join(block)


def commands(file: Path) -> list[list[str]]:
    """Return the commands that a scenario's comment tells to run, as arguments."""
    return [command.split()[1:] for command in COMMAND.findall(opening_comment(file))]
