"""Every key of a TOML text has the line on which it is written, however the text is laid out."""

from __future__ import annotations

import pytest

from cluster_sim.scenario.lines import find_line, index_lines
from tests.scenario.samples import problems_of

LAYOUT = '''\
# a comment

top = """
[run]
slots = 1
"""
a.b.c = 1
a.b.d = 2
"quoted key"."dot.ted" = 3
'single' = [
  1,  # a comment, with ] and ,

  { x = 1, y.z = 2 },
  [
    5,
  ],
]
[ cluster . levels ]
rack = 2
[cluster]
servers = 3 # [traffic]
[[traffic.types]]
weight = 1
replicas_on = [0,
  1,
  2]
[[ traffic.types ]]
[traffic.types.inner]
deep = true
[traffic]
load = 0.5
inline = { one = 1, "two words" = [ { three = 3 } ] }
'''

EXPECTED = {
    ("top",): 3,
    ("a",): 7,
    ("a", "b"): 7,
    ("a", "b", "c"): 7,
    ("a", "b", "d"): 8,
    ("quoted key", "dot.ted"): 9,
    ("single",): 10,
    ("single", 0): 11,
    ("single", 1): 13,
    ("single", 1, "y", "z"): 13,
    ("single", 2): 14,
    ("single", 2, 0): 15,
    ("cluster", "levels"): 18,
    ("cluster", "levels", "rack"): 19,
    ("cluster",): 20,
    ("cluster", "servers"): 21,
    ("traffic", "types"): 22,
    ("traffic", "types", 0): 22,
    ("traffic", "types", 0, "weight"): 23,
    ("traffic", "types", 0, "replicas_on"): 24,
    ("traffic", "types", 0, "replicas_on", 0): 24,
    ("traffic", "types", 0, "replicas_on", 2): 26,
    ("traffic", "types", 1): 27,
    ("traffic", "types", 1, "inner"): 28,
    ("traffic", "types", 1, "inner", "deep"): 29,
    ("traffic",): 30,
    ("traffic", "load"): 31,
    ("traffic", "inline", "one"): 32,
    ("traffic", "inline", "two words", 0, "three"): 32,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_index_has_the_line_of_every_key(newline: str) -> None:
    """Comments, dotted and quoted keys, inline tables and arrays of tables all have their line."""
    lines = index_lines(LAYOUT.replace("\n", newline))
    assert {path: lines[path] for path in EXPECTED} == EXPECTED


def test_text_in_a_string_is_no_key() -> None:
    """What looks like a table inside a multi-line string is not one."""
    assert ("run",) not in index_lines(LAYOUT)


def test_a_missing_key_has_the_line_of_its_table() -> None:
    """The line of what is not written is that of the nearest thing around it."""
    lines = index_lines(LAYOUT)
    assert find_line(lines, ("cluster", "racks")) == 20
    assert find_line(lines, ("traffic", "types", 1, "weight")) == 27
    assert find_line(lines, ("service",)) is None


def test_lines_hold_in_a_file_of_inline_and_dotted_tables() -> None:
    """A scenario without a single header still has a line for each of its mistakes."""
    text = (
        "cluster = { servers = 0 }\n"
        "service.local = 1.0\n"
        "service.remote = 2\n"
        'traffic = { kind = "types", load = 1, types = [\n'
        "  { replicas_on = [0], weight = 1 },\n"
        "  { replicas_on = [0], weigth = 1 } ] }\n"
        'scheduler.policy = "fifo"\n'
        "run.slots = 0\n"
    )
    assert [(problem.line, problem.key) for problem in problems_of(text)] == [
        (1, "cluster.servers"),
        (3, "service.remote"),
        (6, "traffic.types[1].weigth"),
        (8, "run.slots"),
    ]
