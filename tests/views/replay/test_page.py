"""The page of a replay stands alone, holds the runs, and stays small."""

from __future__ import annotations

import base64
import json

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.views.replay import page as replay
from cluster_sim.views.replay.page import Detail, Shown, describe, pack, replay_page
from tests.views.html_checks import check_page
from tests.views.replay.cases import PODS, RACKS, shown


def test_a_page_stands_alone() -> None:
    """No address, no inline style, and a policy that allows its own script and style only."""
    runs = shown(["priority", "jsq-maxweight"], title="</script><b>Hot & cold</b>")
    page = check_page(replay_page(runs, repeat="cluster-sim replay x.toml").text)
    assert len(page.blocks["script"]) == 1
    assert "script-src 'sha256-" in page.policy
    meta = json.loads(page.data["meta"])
    assert meta["title"] == "</script><b>Hot & cold</b>"
    assert meta["repeat"] == "cluster-sim replay x.toml"
    assert [run["policy"] for run in meta["runs"]] == ["priority", "jsq-maxweight"]
    _, packed = pack(runs, Detail.AUTO)
    for i, each in enumerate(packed):
        assert base64.b64decode(page.data[f"run-{i}"]) == each.data


def test_helpers_and_beneficiaries_are_those_of_the_decomposition() -> None:
    """The five hot servers of ten receive help."""
    meta = meta_of(shown(["priority"]))
    assert meta["kinds"] == "bbbbbhhhhh"
    assert meta["kindsNote"] == ""


def meta_of(runs: list[Shown]) -> dict[str, object]:
    return describe(runs, *pack(runs, Detail.AUTO))


def test_where_they_are_not_defined_a_note_says_so() -> None:
    """With three tiers, and at or above the capacity."""
    assert "two tiers only" in str(meta_of(shown(["priority"], RACKS))["kindsNote"])
    overload = meta_of(shown(["priority"], **{"traffic.load": 1.1}))
    assert overload["kinds"] is None
    assert "below the capacity" in str(overload["kindsNote"])


def test_servers_know_their_racks_and_pods() -> None:
    """Levels go from inner to outer, a number for each server."""
    meta = meta_of(shown(["maxweight"], PODS))
    assert meta["levels"] == [
        {"name": "rack", "of": [m // 2 for m in range(16)]},
        {"name": "pod", "of": [m // 8 for m in range(16)]},
    ]
    assert meta["tiers"] == ["local", "rack_local", "pod_local", "remote"]


def test_what_is_too_large_loses_names_then_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detail is given up in this order, for all runs together, until the budget is kept."""
    runs = shown(["priority", "jsq-maxweight"])
    sizes = []
    for names, pairs in ((True, True), (False, True), (False, False)):
        packed = pack(runs, Detail.AUTO)[1]
        assert {(each.has_names, each.has_pairs) for each in packed} == {(names, pairs)}
        sizes.append(sum(len(each.data) for each in packed))
        monkeypatch.setattr(replay, "BUDGET", sizes[-1] - 1)
    assert sizes == sorted(sizes, reverse=True)
    assert all(each.has_names for each in pack(runs, Detail.FULL)[1]), "full is full"
    monkeypatch.undo()
    assert not any(each.has_pairs for each in pack(runs, Detail.STATES)[1])
    assert not replay_page(runs, detail=Detail.STATES).has_pairs


def test_runs_that_do_not_fit_together_are_refused() -> None:
    """One clock needs the same slots, one floor the same servers."""
    with pytest.raises(ScenarioError, match=r"needs at least one recorded run"):
        replay_page([])
    runs = [*shown(["priority"]), *shown(["jsq-maxweight"], n_slots=50)]
    with pytest.raises(ScenarioError, match=r"\(0, 60, 10\) and \(0, 50, 10\); record the same"):
        replay_page(runs)
