"""Whatever happens to a valid file, ``cluster-sim check`` accepts it or says what is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.shell import OF_TRACE, SCENARIO, TRACE, call

VALUES = ("-1", "0", "1e9", "nan", "inf", "true", '""', '"x:y"', "[]", "{}", "1979-05-27", "9" * 40)
PIECES = ("=", "\n", "[", "]", '"', "'", "#", ".", ",", "\0", "\u2028", "é", "[run]\n", "[[run]]\n")


@st.composite
def mutated(draw: st.DrawFn, text: str, cell: str) -> str:
    """A text with a few of its pieces cut, doubled, replaced or moved."""
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True) or [""]
        number = draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        begin = draw(st.integers(0, len(line)))
        end = draw(st.integers(begin, min(len(line), begin + 8)))
        match draw(st.sampled_from(("cut", "insert", "value", "drop", "double", "swap"))):
            case "cut":
                lines[number] = line[:begin] + line[end:]
            case "insert":
                lines[number] = line[:begin] + draw(st.sampled_from(PIECES)) + line[begin:]
            case "value":
                head, separator, _ = line.partition(cell)
                if separator:
                    lines[number] = head + cell + draw(st.sampled_from(VALUES)) + "\n"
            case "drop":
                del lines[number]
            case "double":
                lines.insert(number, line)
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[number], lines[other] = lines[other], lines[number]
        text = "".join(lines)
    return text


def check(scenario: str, trace: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "case.toml")
        path.write_text(scenario, encoding="utf-8", newline="")
        Path(folder, "day.tsv").write_text(trace, encoding="utf-8", newline="")
        result = call("check", str(path))
        assert sorted(p.name for p in Path(folder).iterdir()) == ["case.toml", "day.tsv"]
    assert "Traceback" not in result.err
    if result.status == 0:
        assert result.out.startswith(f"{path}: ok: ")
    else:
        assert result.status == 2, result
        assert result.out == ""
        assert all(line.startswith(folder) for line in result.err.splitlines()), result.err


@settings(max_examples=60)
@given(mutated(SCENARIO, "= "))
def test_mutated_scenario_is_accepted_or_explained(text: str) -> None:
    """No edit of a scenario file ends in anything but ``ok`` or messages that name the file."""
    check(text, TRACE)


@settings(max_examples=40)
@given(mutated(TRACE, "\t"))
def test_mutated_trace_is_accepted_or_explained(trace: str) -> None:
    """No edit of a trace file ends in anything but ``ok`` or messages that name a file."""
    check(OF_TRACE, trace)
