"""Proportions and ratios of decimal rates are exact, and the contract's records read back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.policies import get, names
from cluster_sim.policies.base import in_proportion, ratio

percent = st.integers(1, 1000).map(lambda n: n / 1000)


@given(st.lists(percent, min_size=1, max_size=4))
def test_proportions_are_exact_and_in_lowest_terms(rates: list[float]) -> None:
    """The whole numbers stand in the ratio of the decimals, and share no divisor."""
    whole = in_proportion(tuple(rates))
    assert all(value.is_integer() and value >= 1 for value in whole)
    decimals = [Fraction(str(rate)) for rate in rates]
    factors = {Fraction(value) / rate for value, rate in zip(whole, decimals, strict=True)}
    assert len(factors) == 1
    smallest = min(decimals)
    assert in_proportion(tuple(whole)) == whole
    assert Fraction(min(whole)) / smallest == factors.pop()


@given(st.lists(percent, min_size=2, max_size=2), st.integers(1, 500), st.integers(1, 500))
def test_products_with_lengths_compare_exactly(rates: list[float], n: int, m: int) -> None:
    """Weights compare as the decimals do, ties included."""
    a, b = in_proportion((rates[0], rates[1]))
    exact_a, exact_b = (Fraction(str(rate)) for rate in rates)
    assert (a * n > b * m) == (exact_a * n > exact_b * m)
    assert (a * n == b * m) == (exact_a * n == exact_b * m)


@pytest.mark.parametrize(
    ("rates", "whole"),
    [
        ((1.0, 0.5), (2.0, 1.0)),
        ((1.0, 0.9, 0.5), (10.0, 9.0, 5.0)),
        ((0.6, 0.2), (3.0, 1.0)),
        ((0.7, 0.7), (1.0, 1.0)),
    ],
)
def test_proportions_by_hand(rates: tuple[float, ...], whole: tuple[float, ...]) -> None:
    """Decimals as a scenario writes them become small whole numbers."""
    assert in_proportion(rates) == whole


@given(percent, percent)
def test_a_ratio_is_the_decimal_quotient_rounded_once(numerator: float, denominator: float) -> None:
    """The quotient is the float nearest to that of the decimals."""
    exact = Fraction(str(numerator)) / Fraction(str(denominator))
    assert ratio(numerator, denominator) == float(exact)


@pytest.mark.parametrize("name", names())
def test_policies_declare_themselves(name: str) -> None:
    """Every built-in policy has a title, a source, conditions, and a repr that makes it again."""
    policy = get(name)
    assert policy.name == name
    assert policy.title
    assert policy.paper
    assert policy.guarantee.conditions
    namespace = {type(policy).__name__: type(policy)}
    assert eval(repr(policy), namespace) == policy
