"""Say in the user's terms why numba cannot compile a policy: what, and on which line of theirs."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

from cluster_sim.compiled.closure import as_function, needed
from cluster_sim.policies.base import QueuePolicy

__all__ = ["explain"]

# Numba mentions lines as `File "policy.py", line 7`, `at policy.py (7)` and `from policy.py (7)`.
_PLACE = re.compile(r'(?:File "(.+?)", line |\b(?:at|from) (/.*?\.py|\S+) \()(\d+)')
_NO_LISTS = "it makes a list, an array or another object, and compiled policies work on numbers"
_RETURNS = {
    "route_arrivals": ("route", "route() must return a queue, a whole number, on every path"),
    "choose_queue": ("serve", "serve() must return a queue or NO_QUEUE, a whole number, always"),
    "reweigh_owner": ("weigh", "weigh() must return a number on every path"),
}


def explain(policy: QueuePolicy, error: Exception) -> str:
    """Return why a policy cannot be compiled, with the line that is to blame.

    Parameters
    ----------
    policy : QueuePolicy
    error : Exception
        What numba raised.

    Returns
    -------
    str
    """
    text = str(error)
    complaint, functions = _complaint(text), list(_functions(policy))
    place = next(_places(text, functions), None)
    if place is None:
        complaint, place = _without_place(text, complaint, policy, functions)
    function, line = place
    file = function.__code__.co_filename
    source = linecache.getline(file, line).strip()
    return (
        f"policy {policy.name!r}: numba cannot compile it: {complaint}\n"
        f'  File "{file}", line {line}, in {function.__name__}\n'
        f"    {source}\n"
        "Write that line with plain numbers and loops, or run it on the SimPy engine: "
        'engine = "simpy"'
    )


def _complaint(text: str) -> str:
    """Return the first line of numba's message that says something."""
    if "NRT required" in text:
        return _NO_LISTS
    attribute = re.search(r"Unknown attribute '(\w+)' of type Module\(<module '([\w.]+)'", text)
    if attribute:
        name, module = attribute.groups()
        return f"{module}.{name} is not known to numba; write: from {module} import {name}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if "Failed in" not in line] or lines or ["(numba says no more)"]
    if said[0].endswith(":") and len(said) > 1:
        return f"{said[0]} {said[1].removeprefix('>>> ')}"
    return re.sub(r"\s*Raised from .*", "", said[0])


def _functions(policy: QueuePolicy) -> Iterator[FunctionType]:
    """Yield the functions of a policy: its decisions, and what they call."""
    waiting = [as_function(function) for function in (policy.route, policy.serve, policy.weigh)]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop(0)
        if function is not None and id(function) not in seen:
            seen.add(id(function))
            yield function
            waiting += map(as_function, needed(function, {}).values())


def _lines(code: CodeType) -> set[int]:
    """Return the lines of a function, those of functions within it included."""
    found = {line for _, _, line in code.co_lines() if line is not None}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _lines(constant)
    return found | {code.co_firstlineno}


def _places(text: str, functions: list[FunctionType]) -> Iterator[tuple[FunctionType, int]]:
    """Yield the places in a policy's functions that a message mentions, innermost first."""
    for quoted, bare, number in _PLACE.findall(text):
        name, line = Path(quoted or bare).name, int(number)
        for function in functions:
            code = function.__code__
            lines = _lines(code)
            if Path(code.co_filename).name == name and min(lines) <= line <= max(lines):
                yield function, line


def _without_place(
    text: str, complaint: str, policy: QueuePolicy, functions: list[FunctionType]
) -> tuple[str, tuple[FunctionType, int]]:
    """Return a complaint and a place where numba names none in the policy."""
    unknown = re.search(r"name '(\w+)' is not defined", text)
    for function in functions if unknown else ():
        if unknown and unknown[1] in function.__code__.co_names:
            return complaint, (function, _line_with(function, rf"\b{unknown[1]}\b"))
    for kernel, (decision, rule) in _RETURNS.items():
        if f"def {kernel}(" in text:
            function = as_function(getattr(policy, decision)) or functions[0]
            return f"{rule} ({complaint})", (function, _line_with(function, r"\breturn\b"))
    return complaint, (functions[0], functions[0].__code__.co_firstlineno)


def _line_with(function: FunctionType, pattern: str) -> int:
    """Return the first line of a function's body that a pattern is found in, else its first."""
    code = function.__code__
    for line in sorted(_lines(code)):
        if line > code.co_firstlineno and re.search(
            pattern, linecache.getline(code.co_filename, line)
        ):
            return line
    return code.co_firstlineno
