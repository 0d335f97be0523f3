"""What every test shares: reproducible examples, no display, no network."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Figures are drawn to files only; set before anything imports pyplot.
os.environ.setdefault("MPLBACKEND", "Agg")

# Tables are as wide as they need to be where nobody looks; the workers of `pytest -n` name a width.
os.environ.pop("COLUMNS", None)

# A shell starts its background jobs with Ctrl-C ignored, and a program passes that on to those that
# it starts; the tests of interrupts need it in force.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Both profiles derive their examples from the test's own source, so a failure repeats by itself.
# Deadlines are off: the first call of a compiled kernel takes seconds, the next microseconds.
settings.register_profile(
    "fast",
    derandomize=True,
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "wide",
    parent=settings.get_profile("fast"),
    max_examples=500,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("fast")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-docs",
        action="store_true",
        help="write the outputs that the commands in the docs print now into the pages",
    )


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, for test data; the package itself draws keyed numbers."""
    return np.random.default_rng(20150426)


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in {"localhost", "127.0.0.1", "::1"}:
            raise RuntimeError(f"a test tried to reach {host}: tests use no network")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
