"""What the tests of the traces share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster_sim import traces

ROOT = Path(__file__).resolve().parents[2]
FACEBOOK = Path("..", "shared", "data", "swim", "FB-2010_samples_24_times_1hr_withInputPaths_0.tsv")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write text or bytes to a file and return its path."""

    def write(content: str | bytes, name: str = "day.tsv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(scope="session")
def small_file() -> Path:
    return ROOT / "cluster_sim" / "traces" / "data" / "small_swim.tsv"


@pytest.fixture(scope="session")
def small_trace(small_file: Path) -> traces.Trace:
    return traces.read(small_file)


@pytest.fixture(scope="session")
def facebook_file() -> Path:
    path = ROOT / FACEBOOK
    if not path.is_file():
        pytest.skip(f"the published Facebook trace is not at {FACEBOOK} from the repository root")
    return path
