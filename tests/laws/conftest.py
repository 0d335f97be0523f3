"""Short runs need few draws at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster_sim.emulator import draws


@pytest.fixture(autouse=True, scope="package")
def small_windows() -> Iterator[None]:
    """Make fewer draws ahead than a long run does; `test_windows_do_not_show` allows it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "DRAWS_PER_WINDOW", 256)
        yield
