"""The command line, from the functions that the commands are."""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any

from marking import NOTE, anchor, code, plain, table

_INTRODUCTION = """\
`cluster-sim COMMAND --help` prints the same. Exit status: 0 success, 1 the run failed, 2 the
request was wrong, 130 interrupted. What a command is asked for goes to standard output; progress,
notes and errors go to standard error.
"""


def page() -> str:
    """Return the page on the commands."""
    from cluster_sim.cli import app

    functions = list(app._COMMANDS)
    names = {_name(function): _summary(function) for function in functions}
    general = table(
        ["option", "what it does"],
        [[f"`{'`, `'.join(flags)}`", _help(info)] for flags, info, _, _ in _options(app._describe)]
        + [["`--help`", "Show the options of the program, or of a command after its name."]],
    )
    parts = [
        f"{NOTE}# The command line\n",
        _INTRODUCTION,
        table(
            ["command", "what it does"],
            [[f"[`{name}`](#command-{name})", summary] for name, summary in names.items()],
        ),
        f"Before the command:\n\n{general}",
        *map(_command, functions),
    ]
    return "\n".join(parts)


def _name(function: Callable[..., Any]) -> str:
    return function.__name__.replace("_", "-")


def _summary(function: Callable[..., Any]) -> str:
    return plain(inspect.getdoc(function) or "").partition("\n")[0]


def _command(function: Callable[..., Any]) -> str:
    name = _name(function)
    arguments, options = [], []
    for flags, info, kind, default in _options(function):
        words = _help(info)
        if default not in (None, False, inspect.Parameter.empty, []):
            words += f" Default: {code(_plain(default))}."
        if choices := _choices(kind):
            words += f" One of {', '.join(map(code, choices))}."
        if not flags:
            arguments.append([code(info.metavar or "ARGUMENT"), words])
        else:
            takes = "" if kind is bool else f" {info.metavar or _metavar(kind)}"
            options.append([", ".join(f"`{flag}{takes}`" for flag in flags), words])
    text = plain(inspect.getdoc(function) or "")
    usage = " ".join(["cluster-sim", name, *(row[0].strip("`") for row in arguments), "[OPTIONS]"])
    parts = [f"{anchor(f'command-{name}')}## `{name}`\n", f"```text\n{usage}\n```\n", f"{text}\n"]
    if arguments:
        parts.append(table(["argument", "what it is"], arguments))
    parts.append(table(["option", "what it does"], options) if options else "No options.\n")
    return "\n".join(parts)


def _options(function: Callable[..., Any]) -> list[tuple[list[str], Any, Any, Any]]:
    """Return the flags (none for an argument), description, type and default of each parameter."""
    from typer.models import OptionInfo, ParameterInfo

    hints = typing.get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if typing.get_origin(hint) is not Annotated:
            raise TypeError(f"{function.__name__}: {name} is not annotated for typer")
        kind, *marks = typing.get_args(hint)
        info = next(mark for mark in marks if isinstance(mark, ParameterInfo))
        flags: list[str] = []
        if isinstance(info, OptionInfo):
            # Within Annotated, the first flag stands where a default would.
            flags = [flag for flag in (info.default, *(info.param_decls or ())) if _is_flag(flag)]
            flags = flags or [f"--{name.replace('_', '-')}"]
        found.append((sorted(flags, key=len, reverse=True), info, kind, parameter.default))
    return found


def _is_flag(value: object) -> bool:
    return isinstance(value, str) and value.startswith("-")


def _help(info: Any) -> str:
    return plain(info.help or "")


def _choices(kind: Any) -> list[str]:
    kinds = [kind, *typing.get_args(kind)]
    return [
        str(member.value)
        for each in kinds
        if isinstance(each, type) and issubclass(each, enum.Enum)
        for member in each
    ]


def _metavar(kind: Any) -> str:
    kinds = [each for each in (typing.get_args(kind) or (kind,)) if each is not type(None)]
    if isinstance(kinds[0], type) and issubclass(kinds[0], enum.Enum):
        return "NAME"
    return {int: "INTEGER", float: "NUMBER"}.get(kinds[0], "TEXT")


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value
