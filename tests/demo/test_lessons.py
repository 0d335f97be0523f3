"""The notebooks run as scripts, and what the lessons claim holds."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cluster_sim.demo.catalogue import LESSONS, Lesson, notebook
from cluster_sim.demo.checks import LessonError, below, near, require, table

pytest.importorskip("marimo")
pytest.importorskip("anywidget")

ROOT = Path(__file__).resolve().parents[2]


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The others need a policy or more that few other tests need: to compile it takes ten seconds.
FAST = ("one-queue", "heavy-traffic")
RUN = [
    pytest.param(each, marks=() if each.name in FAST else pytest.mark.slow, id=each.name)
    for each in LESSONS
]


@pytest.mark.parametrize("lesson", RUN)
def test_what_a_lesson_claims_holds(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Each claim of a lesson is met by its run, and the script says so."""
    _, found = module_of(lesson.path).app.run()
    assert len(found["checks"]) >= 4
    assert all(check.is_so for check in found["checks"])
    assert capsys.readouterr().out.strip() == require(found["checks"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_asks_before_it_answers(lesson: Lesson) -> None:
    """There is a question, a picture to look at, what to see, and why."""
    text = lesson.path.read_text(encoding="utf-8")
    picture = "record_scene(" if "ReplayWidget" in text else "svg()"
    words = ("**Question.**", "mo.ui.slider(", picture, "What you should see", '"Why"')
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert 'theme = "system"' in text


def test_every_lesson_is_in_the_catalogue() -> None:
    """A new file needs an entry, and an entry a file."""
    files = {path for path in notebook("racks").parent.glob("*.py") if path.stem != "__init__"}
    assert {lesson.path for lesson in LESSONS} == files


def test_the_demo_runs_as_a_script() -> None:
    """The notebook of the demo needs no browser; its numbers are those of its scene."""
    _, found = module_of(notebook(None)).app.run()
    assert [run.prepared.system.policy.name for run in found["measured"]] == found["policies"]
    assert found["widget"].runs["meta"]["servers"] == found["scene"].n_servers


@pytest.mark.slow
@pytest.mark.parametrize("name", FAST)
def test_a_lesson_is_a_program(name: str) -> None:
    """``python lesson.py`` prints a line a claim."""
    done = subprocess.run(
        [sys.executable, str(notebook(name))],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"(yes  .+: .+; seen .+\n)+\n?", done.stdout)


def test_a_claim_that_does_not_hold_is_an_error() -> None:
    """As a script, a lesson that claims too much fails; on the page it says so."""
    checks = [near("load", 0.8, 0.8, within=0.01), below("a < b", 2.0, 1.0)]
    with pytest.raises(LessonError, match=r"does not show: NO   a < b: below 1; seen 2; a slider"):
        require(checks)
    assert table(checks).count("✓") == 1
    assert table(checks).count("✗ not here") == 1
