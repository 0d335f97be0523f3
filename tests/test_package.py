"""The package's own namespace: a few public names, looked up on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cluster_sim

HEAVY = ("numpy", "scipy", "pydantic", "networkx", "simpy", "rich", "typer")


@pytest.mark.parametrize("name", cluster_sim.__all__)
def test_public_name_is_there(name: str) -> None:
    """Every public name can be had, and is the same object each time."""
    assert getattr(cluster_sim, name) is getattr(cluster_sim, name)
    assert name in dir(cluster_sim)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist is refused as in any module."""
    with pytest.raises(AttributeError, match="module 'cluster_sim' has no attribute 'simulat'"):
        cluster_sim.simulat  # noqa: B018


@pytest.mark.parametrize("module", ["cluster_sim", "cluster_sim.cli"])
def test_import_is_light(module: str) -> None:
    """Importing the package, or the entry of its command line, loads nothing heavy."""
    code = f"import sys, {module}; print(*(m for m in {HEAVY} if m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_help_does_not_load_the_library() -> None:
    """``--help`` needs typer only; the packages of the simulator stay out."""
    code = (
        "import sys; from cluster_sim.cli import main; main(['run', '--help']); "
        f"print('loaded:', *(m for m in {HEAVY} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] in ("loaded: typer", "loaded: pydantic typer")
