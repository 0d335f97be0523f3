"""The verdicts of the reproductions come from the data: other data, another verdict."""

from __future__ import annotations

import pytest

from cluster_sim.errors import UnknownNameError
from cluster_sim.experiments.boundary import Boundary, Load
from cluster_sim.experiments.reproductions import Verdict, find, names, theorem_1
from cluster_sim.experiments.reproductions.approach import Distance
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.experiments.reproductions.collapse import THEOREMS as COLLAPSES
from cluster_sim.experiments.reproductions.collapse import collapse_lines, helper_lines
from cluster_sim.experiments.reproductions.heavy_traffic import Effort, Theorem, approach
from cluster_sim.experiments.reproductions.queue_sums import (
    THEOREMS as SUMS,
)
from cluster_sim.experiments.reproductions.queue_sums import (
    lower_bound_lines,
    upper_bound_lines,
)
from cluster_sim.experiments.stability import Growth
from cluster_sim.experiments.statistics import Estimate
from cluster_sim.scenario.build import prepare
from cluster_sim.theory.bounds import HeavyTraffic
from tests.scenarios.shipped import HAS_NUMBA

compiled = pytest.mark.skipif(not HAS_NUMBA, reason="the runs need the compiled engine")

EPSILONS = (0.4, 0.2, 0.1)
NOISE = (0.98, 0.99, 1.01, 1.02)


def series(**powers: tuple[float, float]) -> list[Distance]:
    """Return distances where each value is ``c epsilon^-p``, with a little noise; limit 2."""
    return [
        Distance(
            base("evenly-loaded"),
            HeavyTraffic(2, 2, epsilon, 3.0, 1.0, 3.0),
            {
                name: [c * epsilon**-p * (1 + epsilon * (n - 1)) for n in NOISE]
                for name, (c, p) in powers.items()
            },
        )
        for epsilon in EPSILONS
    ]


def verdicts(lines: tuple[object, ...]) -> list[str | None]:
    return [line.verdict and line.verdict.value for line in lines]  # type: ignore[attr-defined]


def test_every_theorem_of_the_paper_has_a_name() -> None:
    """Theorems 1 to 8, in order, first in the list."""
    assert names()[:8] == tuple(f"theorem-{n}" for n in range(1, 9))
    assert {t.number for t in (*COLLAPSES, *SUMS)} == set(range(2, 9))


def test_an_unknown_name_is_refused() -> None:
    """The message names the nearest."""
    with pytest.raises(UnknownNameError, match=r"reproduction 'theorem-12': Did you mean 'theo"):
        find("theorem-12")


def test_lower_bound_can_be_violated() -> None:
    """Queues of twice the limit are above the bound, queues of half of it are below."""
    assert set(verdicts(lower_bound_lines({"priority": series(bounded=(4.0, 1.0))}))) == {"seen"}
    low = verdicts(lower_bound_lines({"priority": series(bounded=(1.0, 1.0))}))
    assert low[-1] == "not seen"
    assert "not seen" in low[:-1]


def test_limit_can_be_missed() -> None:
    """Queues of 2 / epsilon + 1 meet the limit 2; those of 4 / epsilon + 1 do not."""
    for factor, verdict in ((2.0, "seen"), (4.0, "not seen")):
        distances = series(bounded=(factor, 1.0))
        for each in distances:
            each.values["bounded"][:] = [value + 1.0 for value in each.values["bounded"]]
        assert verdicts(upper_bound_lines({"priority": distances}))[-1] == verdict


def test_helper_queues_that_grow_are_noticed() -> None:
    """Bounded helpers are seen; helpers that grow like 1 / epsilon are not."""
    for power, verdict in ((0.0, "seen"), (1.0, "not seen")):
        lines = helper_lines({"priority": series(helpers=(3.0, power))})
        assert verdicts(lines) == [None, None, None, verdict]


def test_a_contrast_does_not_count() -> None:
    """Another policy's helpers may do what they like."""
    found = {"priority": series(helpers=(3.0, 0.0)), "other": series(helpers=(3.0, 0.0))}
    ours, theirs = helper_lines(found)[-2:]
    assert (ours.is_remark, ours.verdict) == (False, Verdict.SEEN)
    assert (theirs.is_remark, theirs.verdict) == (True, Verdict.NOT_SEEN)


@compiled
def test_collapse_is_seen_under_priority_only() -> None:
    """Short runs: under JSQ only the parallel part grows; under random routing both do."""
    effort = Effort((0.4, 0.1), 0.12, 4)
    found = approach("evenly-loaded", {"priority": effort, "random-local": effort}, workers=1)
    ours = [line for line in collapse_lines(found) if line.verdict and not line.is_remark]
    assert {line.verdict for line in ours} == {Verdict.SEEN}
    # The same judgement of a policy without collapse, as if it were ours.
    theirs = collapse_lines({"priority": found["random-local"]})
    exponents = {line.quantity: line.verdict for line in theirs if line.verdict}
    assert exponents["growth exponent of E||Q_perp||"] is Verdict.NOT_SEEN
    assert exponents["growth exponent of E||Q_par||"] is Verdict.SEEN


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("theorem", [*COLLAPSES, *SUMS], ids=lambda t: f"theorem-{t.number}")
def test_short_runs_do_not_contradict_the_theorems(theorem: Theorem) -> None:
    """With wide intervals every claim is seen or undecided, and the bounds hold."""
    effort = Effort((0.4, 0.2, 0.1), 0.06, 8)
    policies = {"priority": effort, **dict.fromkeys(theorem.contrasts, effort)}
    report = theorem.report(approach(theorem.base, policies, workers=2))
    assert report.verdict is not Verdict.NOT_SEEN, report.as_dict()
    assert report.panels
    assert report.name == f"theorem-{theorem.number}"


# --- Theorem 1 ------------------------------------------------------------------------------------


def boundary(*verdicts: tuple[float, str]) -> Boundary:
    return Boundary(
        "any", tuple(Load(load, Estimate(0.0, 0.0, 4), Growth(v)) for load, v in verdicts)
    )


@pytest.mark.parametrize(
    ("known", "loads", "verdict"),
    [
        (1.0, [(0.9, "stable"), (1.1, "unstable")], Verdict.SEEN),
        (0.5, [(0.9, "stable"), (1.1, "unstable")], Verdict.NOT_SEEN),
        (1.2, [(0.9, "stable"), (1.1, "unstable")], Verdict.NOT_SEEN),
        (1.0, [(0.9, "undecided"), (1.1, "unstable")], Verdict.UNDECIDED),
        (None, [(0.9, "stable"), (1.1, "unstable")], None),
    ],
)
def test_a_boundary_is_held_against_the_known_one(
    known: float | None, loads: list[tuple[float, str]], verdict: Verdict | None
) -> None:
    """Growth below the known boundary contradicts it, and so does settling above."""
    assert theorem_1.as_foretold(boundary(*loads), known) is verdict


@pytest.mark.parametrize(
    ("name", "policy", "load"),
    [
        ("hotspot-boundary", "priority", 1.0),
        # N alpha / sigma = 31.25 tasks per slot of 41.67.
        ("hotspot-boundary", "jsq-local", 0.75),
        ("hotspot-boundary", "random-local", 0.75),
        ("even-boundary", "jsq-local", 1.0),
        ("even-boundary", "random-local", 1.0),
        # A task is local with probability 3 / 50: 1 / (0.06 + 0.94 / 0.5) of the servers' time.
        ("even-boundary", "fifo", 1 / 1.94),
        # The same with 0.8 * 3 / 25 on the hot servers, 0.2 * 3 / 25 on the others.
        (
            "hotspot-boundary",
            "fifo",
            25 * (1 / (0.096 + 0.904 / 0.5) + 1 / (0.024 + 0.976 / 0.5)) / (125 / 3),
        ),
    ],
)
def test_known_boundaries_by_hand(name: str, policy: str, load: float) -> None:
    """Where a policy stops settling, computed by hand for the two clusters of Theorem 1."""
    assert theorem_1.known_boundary(policy, prepare(base(name))) == pytest.approx(load, rel=1e-6)


@compiled
@pytest.mark.slow
def test_theorem_1_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every verdict of the sweep is seen; with the wrong expectation one is not."""
    monkeypatch.setattr(theorem_1, "_QUICK_LOADS", (0.4, 0.9, 1.1))
    monkeypatch.setattr(theorem_1, "_QUICK_RUN", {"run.slots": 2_000, "run.warmup": 1_000})
    told: list[tuple[int, int]] = []
    report = find("theorem-1").run(
        quick=True, workers=2, progress=lambda what, done, total: told.append((done, total))
    )
    assert report.verdict is Verdict.SEEN, report.as_dict()
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    monkeypatch.setattr(theorem_1, "known_boundary", lambda policy, prepared: 0.3)
    assert find("theorem-1").run(quick=True, workers=2).verdict is Verdict.NOT_SEEN
