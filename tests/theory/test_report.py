"""The report gathers the same numbers as the functions, and says why something is missing."""

from __future__ import annotations

import json

import pytest

from cluster_sim.theory.bounds import heavy_traffic_bounds
from cluster_sim.theory.capacity import largest_load_factor
from cluster_sim.theory.decomposition import ideal_load_decomposition
from cluster_sim.theory.report import theory_report

TYPES, RATES = [(0,), (0, 1), (2,)], [1.1, 0.3, 0.2]
TWO = {"n_servers": 3, "rates": (1.0, 0.5)}


def test_report_repeats_the_functions() -> None:
    """Every entry equals what its own function returns."""
    report = theory_report(TYPES, RATES, **TWO)
    ideal = ideal_load_decomposition(TYPES, RATES, **TWO)
    factor = largest_load_factor(TYPES, RATES, **TWO)
    assert report.load == pytest.approx(1 / factor)
    assert report.capacity == pytest.approx(1.6 * factor)
    assert report.beneficiaries == (0,)
    assert report.helpers == (1, 2)
    assert report.phi == ideal.phi
    assert report.epsilon == ideal.epsilon
    assert report.heavy_traffic == heavy_traffic_bounds(ideal)
    assert report.helper_types_rate + report.beneficiary_types_rate == pytest.approx(1.6)
    away = [ideal.nu[0, 1], ideal.nu[0, 2]]
    assert report.remote_rate == pytest.approx(sum(away))
    assert report.n_groups == 2
    assert report.notes == ()


def test_outside_the_region_only_capacity_is_reported() -> None:
    """Beyond the boundary the rest is None, with a note."""
    report = theory_report(TYPES, [3.0, 0.3, 0.2], **TWO)
    assert report.load > 1.0
    assert report.beneficiaries is None
    assert report.heavy_traffic is None
    assert "not below 1" in report.notes[0]


def test_three_tiers_have_a_capacity_and_a_note() -> None:
    """With racks the load is exact, the decomposition is not defined."""
    report = theory_report(
        TYPES, RATES, n_servers=3, rates=(1.0, 0.8, 0.5), ancestors=[[0, 1, 2], [0, 0, 1], [0] * 3]
    )
    assert 0.0 < report.load < 1.0
    assert report.epsilon is None
    assert "two tiers" in report.notes[0]


def test_nothing_arrives() -> None:
    """An idle cluster has load 0 and no finite capacity in a direction of nothing."""
    report = theory_report([], [], **TWO)
    assert (report.load, report.n_types, report.capacity) == (0.0, 0, float("inf"))
    assert report.to_dict()["capacity"] is None


def test_report_is_plain_json() -> None:
    """The dictionary goes through JSON and back unchanged."""
    values = theory_report(TYPES, RATES, **TWO).to_dict()
    assert json.loads(json.dumps(values)) == values
