"""The tables [failures] and [replication]: what they build, and what is refused."""

from __future__ import annotations

import math

import pytest

from cluster_sim.model.failures import Disks, LostChunks, Outage
from cluster_sim.model.placement import HdfsPlacement
from cluster_sim.policies.replication import Dare, Static
from cluster_sim.scenario import InvalidScenarioError, parse_scenario
from cluster_sim.scenario.build import prepare
from tests.scenario.samples import BASE, TRAFFIC, change

ZIPF = change(TRAFFIC, 'kind = "zipf"\nchunks = 30\nexponent = 1.0\nload = 0.5')


def refused(text: str, words: str) -> None:
    """The text has one problem, in these words."""
    with pytest.raises(InvalidScenarioError) as caught:
        parse_scenario(text, "case.toml")
    assert len(caught.value.problems) == 1, str(caught.value)
    assert words in str(caught.value)


def test_the_tables_become_the_model() -> None:
    """Every field reaches the system; the placement is that of the chunks."""
    text = change("load = 0.5", 'load = 0.5\nplacement = "hdfs"', ZIPF) + (
        "[failures]\nserver_mean_up = 100\nserver_mean_down = 10\nrack_mean_up = 500.0\n"
        'rack_mean_down = 5\ndisks = "kept"\nrereplication = 0.5\nlost_chunks = "wait"\n'
        "[[failures.events]]\nslot = 3\ndown = 4\nserver = 5\n"
        "[[failures.events]]\nslot = 6\ndown = 1\nrack = 3\n"
        '[replication]\nscheme = "dare"\nbudget = inf\n'
    )
    scenario = parse_scenario(text)
    system = prepare(scenario).system
    failures = system.failures
    assert failures is not None
    assert (failures.server_mean_up, failures.server_mean_down) == (100, 10)
    assert (failures.rack_mean_up, failures.rack_mean_down) == (500, 5)
    assert failures.events == (Outage(3, 4, server=5), Outage(6, 1, rack=3))
    assert (failures.disks, failures.lost_chunks) == (Disks.KEPT, LostChunks.WAIT)
    assert failures.rereplication == 0.5
    assert isinstance(failures.placement, HdfsPlacement)
    assert system.replication == Dare(budget=math.inf)
    assert system.is_dynamic
    assert parse_scenario(scenario.to_toml()) == scenario


def test_without_the_tables_nothing_happens() -> None:
    """Nothing breaks down, replicas stay, and both engines will do."""
    system = prepare(parse_scenario(BASE)).system
    assert system.failures is None
    assert system.replication == Static()
    assert not system.is_dynamic


def test_another_scheme_starts_from_its_defaults() -> None:
    """As another policy does: the parameters in the file were meant for the file's scheme."""
    text = ZIPF + '[replication]\nscheme = "dare"\nthreshold = 2\nbudget = 0.1\n'
    changed = parse_scenario(text, overrides=["replication.scheme=scarlett"])
    assert changed.replication is not None
    assert changed.replication.parameters == {}
    both = parse_scenario(text, overrides=["replication.scheme=scarlett", "replication.budget=0.3"])
    assert both.replication is not None
    assert both.replication.parameters == {"budget": 0.3}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("server_mean_up = 5", "missing; server_mean_up is given, and both are needed"),
        ("rack_mean_down = 5", "missing; rack_mean_down is given, and both are needed"),
        ("rereplication = 1", "nothing breaks down: add server_mean_up"),
        ("server_mean_up = 0.5\nserver_mean_down = 1", "must be a number of slots, from 1"),
        ("server_mean_up = 5\nserver_mean_down = 1\nrereplication = -1", "at least 0"),
        ('server_mean_up = 5\nserver_mean_down = 1\ndisks = "gone"', "is not known"),
        ("[[failures.events]]\nslot = 1\ndown = 1", "missing; add server = 0"),
        ("[[failures.events]]\nslot = 1\ndown = 1\nserver = 1\nrack = 1", "keep one of them"),
        ("[[failures.events]]\nslot = 1\ndown = 1\nserver = 12", "there are 12"),
        ("[[failures.events]]\nslot = 1\ndown = 1\nrack = 4", "there are 4"),
        ("[[failures.events]]\nslot = 1\nserver = 1", "missing"),
        ("[[failures.events]]\nslot = 1\ndown = 1\nservr = 1", "unknown key"),
        ("events = [3]", "must be a table"),
    ],
)
def test_breakdowns_that_cannot_be_are_refused(lines: str, words: str) -> None:
    """One mistake, one line."""
    if "servr" in lines:  # two: the misspelt key, and that nothing is named
        with pytest.raises(InvalidScenarioError, match=words):
            parse_scenario(f"{BASE}[failures]\n{lines}\n")
        return
    refused(f"{BASE}[failures]\n{lines}\n", words)


def test_racks_must_be_there_to_fail() -> None:
    """Without racks in the cluster, none breaks down."""
    flat = change("racks = 4\n", "", change("rack_local = 0.8\n", ""))
    refused(
        f"{flat}[failures]\n[[failures.events]]\nslot = 1\ndown = 1\nrack = 1\n",
        "the cluster declares no racks",
    )
    with pytest.raises(InvalidScenarioError, match='needs the level "rack" declared'):
        parse_scenario(f"{flat}[failures]\nrack_mean_up = 5\nrack_mean_down = 5\n")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('scheme = "dar"', "Did you mean 'dare'"),
        ('scheme = "dare"\nbudgett = 1', "Did you mean 'budget'"),
        ('scheme = "dare"\nprobability = 2', "must be from 0 to 1"),
        ("budget = 1", "missing; add for example scheme"),
        ('scheme = "static"\nbudget = 1', "It has none"),
    ],
)
def test_schemes_that_cannot_be_are_refused(lines: str, words: str) -> None:
    """By the registry and by the scheme itself."""
    refused(f"{ZIPF}[replication]\n{lines}\n", words)


@pytest.mark.parametrize("kind", ["even", "hotspot"])
def test_a_scheme_needs_traffic_whose_tasks_share_chunks(kind: str) -> None:
    """Else each task has a chunk of its own; the remedy is named. Static may stand there."""
    more = "\nhot_servers = 6\nhot_probability = 0.5" if kind == "hotspot" else ""
    text = change(TRAFFIC, f'kind = "{kind}"\nload = 0.5{more}') + "[replication]\n"
    refused(f'{text}scheme = "scarlett"\n', 'use kind = "zipf", "types" or "trace"')
    parse_scenario(f'{text}scheme = "static"\n')
