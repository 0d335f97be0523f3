"""What the tests of the compiled engine share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_sim.emulator import draws

pytest.importorskip("numba", reason="the compiled engine needs numba")


@pytest.fixture(autouse=True, scope="package")
def small_windows() -> Iterator[None]:
    """Short runs need few draws at a time; `laws.test_laws` shows that it makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "DRAWS_PER_WINDOW", 256)
        yield


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
