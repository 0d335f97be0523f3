"""Runs the code blocks of a documentation page in order, in a folder of the page's own.

What is done with a block depends on its language:

``python``, ``pycon``
    Run in one namespace per page; as a doctest if it holds a ``>>>`` prompt.
``console``, ``bash``
    Each ``$`` command runs in a shell. Output that is shown must be what comes out.
``toml``
    A whole scenario is checked by ``cluster-sim check``; a fragment is first completed.
``text``
    A picture or a timeline; not run.

A block whose first line is ``# name.py`` or ``# name.toml`` is a file of that name: it is saved,
so that later blocks can use it, and a Python file is imported.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.markdown import Block, Command, commands

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
COMMANDS = ("cluster-sim", "python", "cat", "head", "ls", "diff")

# Of the shell: pipes, lists, variables and patterns; a single > is understood.
SHELL = re.compile(r"[|;&<$`*?~]|>>|>.*>")
NEEDS_PROCESS = {"--cluster"}  # Dask starts workers of its own

# What a fragment of a scenario lacks to be a whole one.
COMPLETION: dict[str, dict[str, Any]] = {
    "cluster": {"servers": 12, "racks": 3},
    "service": {"local": 1.0, "rack_local": 0.8, "remote": 0.5},
    "traffic": {"kind": "even", "load": 0.5},
    "scheduler": {"policy": "priority"},
    "run": {"slots": 100, "warmup": 10},
}

# Numbers that differ from run to run: times and speeds.
VOLATILE = re.compile(
    r'(?P<key>"(?:wall_seconds|tasks_per_second)":\s*)[\d.eE+-]+'
    r"|\d[\d.,]*(?:e[+-]?\d+)?(?P<unit>\s*(?:ms|s|seconds|min|tasks/s|tasks per (?:CPU-)?second)\b)"
)


class PageError(AssertionError):
    """A block of a page does not do what the page says; the message names file and line."""


class PageRunner:
    """Runs blocks in a working folder that starts as a copy of the project's scenarios."""

    def __init__(self, folder: Path, *, is_updating: bool = False) -> None:
        self.folder = folder
        self.is_updating = is_updating
        self.replacements: list[tuple[slice, list[str]]] = []
        """Lines of the page that are out of date, and what should stand there."""
        # A real module, so that dataclasses defined on a page find their own namespace.
        self.namespace = sys.modules.setdefault("page", types.ModuleType("page")).__dict__
        shutil.copytree(REPOSITORY / "scenarios", folder / "scenarios")
        self._environment = self._make_environment(folder / ".bin")

    def run(self, block: Block) -> None:
        """Run one block; raise PageError if it fails."""
        if "not run" in block.remarks or "ci" in block.remarks or block.is_directive:
            return
        actions: dict[str, Callable[[Block], None]] = {
            "python": self._python,
            "pycon": self._python,
            "console": self._console,
            "bash": self._console,
            "toml": self._toml,
            "text": lambda _: None,
        }
        if block.language not in actions:
            raise PageError(
                f"{block.where}: a block in {block.language!r} cannot be run; "
                f"use one of {', '.join(actions)}, or say why not: <!-- not run: REASON -->"
            )
        if block.file_name:
            path = self.folder / block.file_name
            path.write_text(block.text + "\n", encoding="utf-8")
        actions[block.language](block)

    def _python(self, block: Block) -> None:
        if block.file_name:
            importlib.invalidate_caches()
            self.namespace.update(vars(importlib.import_module(Path(block.file_name).stem)))
        elif ">>> " in block.text:
            self._doctest(block)
        else:
            # Blank lines in front keep the page's own line numbers in tracebacks.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(block.page), "exec"), self.namespace)

    def _doctest(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(
            block.text, self.namespace, str(block.page), str(block.page), block.line - 1
        )
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
        runner.run(test, out=report.append, clear_globs=False)
        # doctest runs on a copy of the namespace; what the block defines is for later blocks too.
        self.namespace.update(test.globs)
        if runner.failures:
            raise PageError("".join(report))

    def _console(self, block: Block) -> None:
        expected_status = int(block.remarks.get("exit", "0"))
        for command in commands(block):
            self._command(block, command, expected_status)

    def _command(self, block: Block, command: Command, expected_status: int) -> None:
        where = f"{block.page}:{command.line}"
        program = command.command.split(maxsplit=1)[0]
        if program not in COMMANDS:
            raise PageError(
                f"{where}: {program!r} is not run in a test (these are: {', '.join(COMMANDS)}); "
                "say why: <!-- not run: REASON -->"
            )
        done = self._call(command.command) or subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.command],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != expected_status:
            raise PageError(
                f"{where}: {command.command!r} ended with {done.returncode}, not "
                f"{expected_status}\n{done.stdout}{done.stderr}"
            )
        # A command that must fail is shown with its message, one that works with its answer.
        printed = done.stderr if expected_status else done.stdout
        if not command.shown.strip() or is_as_shown(command.shown, printed):
            return
        if self.is_updating and "..." not in command.shown:
            lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
            self.replacements.append((command.output_lines, lines))
        else:
            raise PageError(
                f"{where}: {command.command!r} printed\n{printed}\nand the page shows\n"
                f"{command.shown}\n(`pytest tests/docs --update-docs` writes what it prints)"
            )

    def _call(self, command: str) -> subprocess.CompletedProcess[str] | None:
        """Run a plain ``cluster-sim`` command in this process; None if it takes a shell.

        A new process takes a second to import and to load compiled code, and a page has many.
        """
        words = shlex.split(command.replace("\\\n", " "))
        target = self.folder / words[-1] if words[-2:-1] == [">"] else None
        arguments = words[1:-2] if target else words[1:]
        if words[0] != "cluster-sim" or NEEDS_PROCESS & set(arguments) or SHELL.search(command):
            return None
        from cluster_sim.cli import main

        out, err, folder = io.StringIO(), io.StringIO(), Path.cwd()
        before = os.environ.copy()
        try:
            os.chdir(self.folder)
            os.environ.update(self._environment)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
            os.chdir(folder)
        printed = out.getvalue()
        if target:
            target.write_text(printed, encoding="utf-8")
            printed = ""
        return subprocess.CompletedProcess(command, status, printed, err.getvalue())

    def _toml(self, block: Block) -> None:
        try:
            scenario = tomllib.loads(block.text)
        except tomllib.TOMLDecodeError as error:
            raise PageError(f"{block.where}: {error}") from error
        if "sweep" in scenario:
            return
        if not {"cluster", "traffic"} <= scenario.keys():
            scenario = completed(scenario)
        # Beside the page's own files, so that a user's policy or a trace is found.
        path = self.folder / f"block-at-line-{block.line}.toml"
        path.write_text(to_toml(scenario), encoding="utf-8")
        check = Command(block.line, f"cluster-sim check {path.name}", "")
        self._command(block, check, int(block.remarks.get("exit", "0")))

    def _make_environment(self, programs: Path) -> dict[str, str]:
        """Put this interpreter's ``python`` and ``cluster-sim`` first on the path."""
        programs.mkdir()
        cli = (
            "import sys; sys.argv[0] = 'cluster-sim'; "
            "from cluster_sim.cli import main; sys.exit(main())"
        )
        for name, arguments in {"python": "", "cluster-sim": f' -c "{cli}"'}.items():
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether an output is what the page shows, but for spacing, times, speeds and ``...``."""
    return doctest.OutputChecker().check_output(comparable(shown), comparable(printed), FLAGS)


def comparable(text: str) -> str:
    """Strip what may differ without harm: trailing space, blank lines, times and speeds."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return VOLATILE.sub(lambda m: f"{m['key'] or ''}TIME{m['unit'] or ''}", "\n".join(lines)) + "\n"


def completed(fragment: dict[str, Any]) -> dict[str, Any]:
    """Return a whole scenario that holds the fragment."""
    whole = {name: COMPLETION.get(name, {}) | fragment.get(name, {}) for name in COMPLETION}
    if "rate" in fragment.get("traffic", {}):
        del whole["traffic"]["load"]
    return fragment | whole


def to_toml(scenario: dict[str, Any]) -> str:
    """Write a scenario as TOML; a JSON string, number, truth value or list is TOML too."""
    plain = {key: value for key, value in scenario.items() if not isinstance(value, dict)}
    parts = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for name, table in scenario.items():
        if isinstance(table, dict):
            parts.append(f"[{name}]")
            parts.extend(f"{key} = {_value(value)}" for key, value in table.items())
    return "\n".join(parts) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        return "inf" if value > 0 else "-inf"
    return json.dumps(value)
