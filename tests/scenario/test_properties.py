"""Laws of the reader over random scenarios and random damage."""

from __future__ import annotations

import json
import math
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_sim.scenario import (
    apply_overrides,
    load_mapping,
    parse_scenario,
    to_toml,
)
from cluster_sim.scenario.lines import index_lines
from tests.scenario.samples import BASE, TRAFFIC, accept_any, change, refusal_of

positive = st.floats(1e-300, 10, exclude_min=True)
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
parameter = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def arrivals(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an intensity and a process that can reach it."""
    rate = draw(st.none() | st.floats(1e-9, 1.0))
    intensity = {"load": draw(positive)} if rate is None else {"rate": rate}
    kind = draw(st.sampled_from(["poisson", "bernoulli", "binomial", "batch", None]))
    owned = {"poisson": "max_arrivals", "binomial": "trials", "batch": "batch_size"}
    process: dict[str, Any] = {} if kind is None else {"arrivals": kind}
    if kind in owned and (kind != "poisson" or draw(st.booleans())):
        process[owned[kind]] = draw(st.integers(1, 50))
    return intensity | process


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the mapping of a valid scenario."""
    servers = draw(st.integers(6, 40))
    replicas = draw(st.integers(1, 3))
    racks = draw(st.integers(1, servers))
    pods = draw(st.integers(1, racks))
    rates = sorted(draw(st.lists(st.floats(0.01, 1), min_size=4, max_size=4)), reverse=True)
    levels = draw(st.sampled_from([{}, {"racks": racks}, {"levels": {"rack": racks, "pod": pods}}]))
    service = {"local": rates[0], "remote": rates[3]}
    if levels and draw(st.booleans()):
        service["rack_local"] = rates[1]
    if "levels" in levels and draw(st.booleans()):
        service["pod_local"] = rates[2]
    types = [
        {"replicas_on": sorted(on), "weight": weight}
        for on, weight in draw(
            st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), positive), min_size=1)
        )
    ]
    traffic = draw(
        st.sampled_from(
            [
                {"kind": "even", "replicas": replicas},
                {"kind": "hotspot", "hot_servers": 3, "hot_probability": rates[1]},
                {"kind": "zipf", "chunks": racks, "exponent": rates[0]},
                {"kind": "types", "types": types},
            ]
        )
    ) | draw(arrivals())
    trace = {"kind": "trace", "slot_seconds": rates[0], "replicas": replicas, "path": draw(text)}
    policy = {"policy": draw(text)} | draw(st.dictionaries(text, parameter, max_size=3))
    slots = draw(st.integers(1, 2**63 - 1))
    run = {"slots": slots, "seed": draw(st.integers(0, 2**64 - 1))}
    run["warmup"] = draw(st.just("auto") | st.integers(0, slots - 1))
    whole = {
        "cluster": {"servers": servers, **levels},
        "service": service,
        "traffic": draw(st.sampled_from([traffic, trace])),
        "scheduler": policy,
        "run": run,
        "reading": {"tie_break": draw(st.sampled_from(["random", "local", "index"]))},
    }
    return whole | ({"title": draw(text)} if draw(st.booleans()) else {})


@given(scenarios())
def test_a_scenario_written_and_read_is_the_same(mapping: dict[str, Any]) -> None:
    """TOML and JSON both give back exactly the scenario they were written from."""
    scenario = load_mapping(mapping, check_scheduler=accept_any)
    assert parse_scenario(to_toml(scenario), check_scheduler=accept_any) == scenario
    again = json.loads(json.dumps(scenario.as_dict(), allow_nan=False))
    assert load_mapping(again, check_scheduler=accept_any) == scenario


@given(scenarios())
def test_every_key_that_is_written_has_a_line(mapping: dict[str, Any]) -> None:
    """The line index knows every path of a document, and the line holds the key's name."""
    document = to_toml(load_mapping(mapping, check_scheduler=accept_any))
    rows, lines = document.split("\n"), index_lines(document)
    for table in ("cluster", "service", "run", "reading"):
        for key in parse_scenario(document, check_scheduler=accept_any).as_dict()[table]:
            assert rows[lines[(table, key)] - 1].startswith(key)


TEXTS = [
    BASE,
    change(TRAFFIC, 'kind = "types"\nload = 0.9\n[[traffic.types]]\nreplicas_on = [0]\nweight = 1'),
    change(TRAFFIC, 'kind = "hotspot"\nrate = 4\nhot_servers = 6\nhot_probability = 0.5'),
    change("racks = 4", "levels = { rack = 4, pod = 2 }"),
]
PIECES = [
    *string.punctuation,
    *("\n", "\r", "\0", "\x7f", "é", "\u2028", "0", "9" * 30, "-1", "1e400", "nan", "inf", "true"),
    *('"', '"""', "'''", "[[", "]]", "[run]\n", "a.b = 1\n", "2020-01-01", "{ }", "[]", "= ="),
    *('kind = "zipf"\n', "traffic = 3\n", "[traffic.types]\n", "[cluster.servers]\n", "\ud800"),
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Draw a valid text with a few pieces cut out, doubled or put in."""
    result = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(result)))
        end = min(len(result), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from([*PIECES, result[start:end] * 2]))
        result = result[:start] + piece + result[end:]
    return result


def is_in_our_words(message: str) -> bool:
    """Return whether a message has neither a library's name nor its address in it."""
    return not any(
        word in message for word in ("pydantic", "http", "Traceback", "tomllib", "<class")
    )


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_damage_is_accepted_or_told_in_our_words(damage: str) -> None:
    """No damage to a text raises anything but our error, each problem on one line."""
    error = refusal_of(lambda: parse_scenario(damage, "case.toml", check_scheduler=accept_any))
    if error is not None:
        assert is_in_our_words(str(error))
        assert error.problems
        n_lines = damage.count("\n") + 1
        for problem in error.problems:
            assert "\n" not in str(problem)
            assert problem.line is None or 1 <= problem.line <= n_lines


@settings(max_examples=200)
@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["run.slots=5", "a.b=[", "x={"]), max_size=3)
)
def test_any_override_is_accepted_or_told_in_our_words(overrides: list[str]) -> None:
    """No text after --set raises anything but our error."""
    error = refusal_of(
        lambda: parse_scenario(BASE, "case.toml", overrides, check_scheduler=accept_any)
    )
    assert error is None or is_in_our_words(str(error))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
        | st.tuples(inner)
        | st.frozensets(st.integers(), max_size=2)
    ),
    max_leaves=4,
)
NAMES = "servers racks levels local rate kind load types replicas rack_local policy slots warmup"
KEYS = NAMES.split()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["title", "cluster", "service", "traffic", "scheduler", "reading", "run"]),
        st.dictionaries(st.sampled_from(KEYS), anything, max_size=4) | anything,
    )
)
def test_any_python_mapping_is_told_in_our_words(mapping: dict[str, Any]) -> None:
    """Whatever Python objects stand in a mapping, the error is ours."""
    error = refusal_of(lambda: load_mapping(mapping, check_scheduler=accept_any))
    assert error is None or is_in_our_words(str(error))


@given(st.floats(allow_nan=False) | st.integers(-(10**9), 10**9) | st.booleans())
def test_an_override_reads_what_a_file_would_hold(value: float) -> None:
    """A number written as TOML in an override is that number."""
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    read = apply_overrides({}, [f"scheduler.x={written}"])["scheduler"]["x"]
    assert read == value
    assert type(read) is type(value)
    assert math.copysign(1, read) == math.copysign(1, value)


def test_the_check_for_our_words_can_fail() -> None:
    """The guard of these laws sees a leak when there is one."""
    with pytest.raises(AssertionError):
        assert is_in_our_words("For further information visit https://errors.pydantic.dev")
