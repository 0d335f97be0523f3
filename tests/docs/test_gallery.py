"""The pictures of the documentation show what the code gives today."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.page_runner import REPOSITORY

pytest.importorskip("matplotlib")
pytest.importorskip("numba")

FOLDER = REPOSITORY / "docs" / "_make"
FAST = ["choices", "collapse", "decomposition", "warm-up", "queues"]
SLOW = ["curves", "tiers", "theorem-4", "theorem-5"]


@pytest.fixture(scope="module")
def pictures() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("pictures")
    sys.path.remove(str(FOLDER))
    for name in ("pictures", "replay"):
        sys.modules.pop(name, None)


def test_every_picture_is_checked(pictures: Any) -> None:
    """The lists of this file are those of the gallery."""
    found = {each.file.stem: each.is_slow for each in pictures.PICTURES}
    assert found == dict.fromkeys(FAST, False) | dict.fromkeys(SLOW, True)
    assert all((REPOSITORY / f"scenarios/{p.scenario}.toml").exists() for p in pictures.PICTURES)


@pytest.mark.parametrize(
    "name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_a_picture_shows_what_the_code_gives(pictures: Any, name: str) -> None:
    """Drawn again, it has the numbers and words whose digest is in the committed file."""
    (picture,) = (each for each in pictures.PICTURES if each.file.stem == name)
    expected = pictures.digest(picture.draw()).removeprefix("digest:")
    assert pictures.written_digest(picture.file) == expected, "run python docs/_make --pictures"


def test_the_replay_shows_what_the_code_gives(pictures: Any) -> None:
    """The runs on the picture are those that the scenario gives."""
    replay = importlib.import_module("replay")
    _, digest = replay.page()
    expected = digest.removeprefix("digest:")
    assert pictures.written_digest(replay.FILE) == expected, "run python docs/_make --pictures"


def test_a_digest_sees_a_number_and_a_word(pictures: Any) -> None:
    """It differs with a point, a bar, a title or a legend, and not with a colour map's last bit."""
    from matplotlib.figure import Figure

    def of(y: float = 1.0, title: str = "a", label: str = "b") -> str:
        figure = Figure()
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, y], label=label)
        axes.bar([0], [y])
        axes.set_title(title)
        axes.legend()
        return str(pictures.digest(figure))

    assert of() == of(y=1.0 + 1e-12)
    assert len({of(), of(y=1.1), of(title="c"), of(label="c")}) == 4


def test_a_png_keeps_its_picture(pictures: Any) -> None:
    """The digest is a chunk of text before the end; the rest is untouched."""
    replay = importlib.import_module("replay")
    png = replay.FILE.read_bytes()
    again = pictures.with_text(png, "digest:" + "0" * 64)
    assert again.startswith(png[:-12])
    assert again.endswith(png[-12:])


def test_each_picture_of_the_first_page_leads_somewhere() -> None:
    """It links to a page, and that page shows it or says how it is made."""
    text = (REPOSITORY / "docs/index.md").read_text(encoding="utf-8")
    found = re.findall(
        r":::\{figure\} (\S+)\n:target: (\S+)\.html\n:alt: (.+)\n\n\{doc\}`.*<(\S+)>`", text
    )
    assert len(found) == text.count(":::{figure}") >= 8
    for image, target, words, linked in found:
        page = REPOSITORY / f"docs/{target}.md"
        assert target == linked
        assert len(words) > 30
        assert image.rpartition("/")[2] in page.read_text(encoding="utf-8"), image
