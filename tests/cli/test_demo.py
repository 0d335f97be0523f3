"""``demo`` lists its lessons, says what it lacks, and serves on this machine only."""

from __future__ import annotations

import importlib.util
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import call, start


def test_the_lessons_are_listed() -> None:
    """A line each, without anything but the standard library."""
    result = call("demo", "--list")
    assert (result.status, result.err) == (0, "")
    assert len(result.out.splitlines()) == 6
    assert "hot-spots" in result.out


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is missing is no traceback."""
    find = importlib.util.find_spec

    def missing(name: str, *arguments: Any) -> Any:
        return None if name == "anywidget" else find(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    result = call("demo")
    assert (result.status, result.out) == (2, "")
    assert result.err in (
        "the demo needs anywidget, which is not installed; pip install 'cluster_sim[demo]'\n",
        "the demo needs marimo, which is not installed; pip install 'cluster_sim[demo]'\n",
    )


def test_an_unknown_lesson_is_refused() -> None:
    """The nearest one is offered."""
    result = call("demo", "hot-spot")
    assert result.status == 2
    assert result.err.startswith("lesson 'hot-spot': is not known. Did you mean 'hot-spots'?")


def test_a_list_of_one_is_refused() -> None:
    """A lesson and the list of all are two requests."""
    result = call("demo", "racks", "--list")
    assert (result.status, result.err) == (2, "--list and racks: give one of the two\n")


def test_a_port_that_cannot_be_had_is_refused() -> None:
    """Taken, or no port at all."""
    pytest.importorskip("marimo")
    pytest.importorskip("anywidget")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("demo", "--no-browser", "--port", str(port))
    assert result.status == 2
    assert result.err.startswith(f"--port {port}: cannot be used (")
    assert result.err.endswith("leave it out to take a free one\n")
    assert call("demo", "--port", "70000").err == (
        "--port 70000: must be from 0 (any free one) to 65535\n"
    )


@pytest.mark.slow
def test_it_serves_here_only_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    """The address is one of this machine; an interrupt is how it ends."""
    pytest.importorskip("marimo")
    pytest.importorskip("anywidget")
    child = start("demo", "one-queue", "--no-browser", folder=tmp_path)
    assert child.stdout is not None
    address = child.stdout.readline().split()[0]
    assert address.startswith("http://127.0.0.1:")
    page = urllib.request.urlopen(address, timeout=20).read().decode()
    assert "<title>One queue</title>" in page
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (0, "stopped\n", "")
