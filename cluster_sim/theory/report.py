"""What the command line shows of a cluster before anything runs: `theory_report`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy.typing as npt

from cluster_sim.theory.bounds import HeavyTraffic, connected_groups, heavy_traffic_bounds
from cluster_sim.theory.capacity import Method, largest_load_factor
from cluster_sim.theory.decomposition import Decomposition, ideal_load_decomposition
from cluster_sim.theory.task_types import TypesLike, check_rates, merge_types

__all__ = ["TheoryReport", "theory_report"]

_OUTSIDE = "the load is not below 1: queues grow without bound, and nothing else is defined"
_TIERS = "helpers, beneficiaries and bounds are defined for two tiers only"
_SPEEDS = "helpers, beneficiaries and bounds are defined for servers of one speed only"


@dataclass(frozen=True)
class TheoryReport:
    """Capacity, ideal load decomposition and bounds of one rate vector.

    Attributes
    ----------
    n_servers, n_types : int
        Servers, and distinct task types that arrive.
    rates : tuple of float
        Service probability per slot for each tier.
    arrival_rate : float
        Total, tasks per slot.
    capacity : float
        The total arrival rate at which the boundary is met in this direction;
        infinite if nothing arrives.
    load : float
        Arrival rate over capacity.
    n_groups : int
        Connected groups of servers.
    helpers, beneficiaries : tuple of int, or None
        The sets H and B.
    phi, epsilon, epsilon_0 : float or None
        Eqs. (9), (10) and Lemma 9; Eq. (20) and Lemma 24 without beneficiaries.
    helper_types_rate, beneficiary_types_rate : float or None
        Arrival rates of the types in L_H* and in L_B.
    remote_rate : float or None
        Rate of remote service under the decomposition, tasks per slot.
    heavy_traffic : HeavyTraffic or None
        Constants and bounds of Theorems 3 to 8.
    notes : tuple of str
        Why something is None.
    """

    n_servers: int
    n_types: int
    rates: tuple[float, ...]
    arrival_rate: float
    capacity: float
    load: float
    n_groups: int
    helpers: tuple[int, ...] | None = None
    beneficiaries: tuple[int, ...] | None = None
    phi: float | None = None
    epsilon: float | None = None
    epsilon_0: float | None = None
    helper_types_rate: float | None = None
    beneficiary_types_rate: float | None = None
    remote_rate: float | None = None
    heavy_traffic: HeavyTraffic | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON; an infinite capacity becomes None."""
        values = asdict(self)
        values["heavy_traffic"] = self.heavy_traffic.to_dict() if self.heavy_traffic else None
        if self.capacity == float("inf"):
            values["capacity"] = None
        for name in ("rates", "helpers", "beneficiaries", "notes"):
            values[name] = None if values[name] is None else list(values[name])
        return values


def _decomposed(
    ideal: Decomposition, arrival_variance: float | None, has_bounds: bool
) -> dict[str, Any]:
    inside = float(ideal.types.arrival_rates[ideal.is_beneficiary_type].sum())
    return {
        "helpers": tuple(ideal.helpers.tolist()),
        "beneficiaries": tuple(ideal.beneficiaries.tolist()),
        "phi": ideal.phi,
        "epsilon": ideal.epsilon,
        "epsilon_0": ideal.epsilon_0,
        "helper_types_rate": ideal.types.total_rate - inside,
        "beneficiary_types_rate": inside,
        "remote_rate": float(ideal.flow_rate[~ideal.is_local_flow].sum()),
        "heavy_traffic": (
            heavy_traffic_bounds(ideal, arrival_variance=arrival_variance) if has_bounds else None
        ),
    }


def theory_report(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    arrival_variance: float | None = None,
    method: Method = "auto",
    speeds: Sequence[float] | None = None,
    without_bounds: Sequence[str] = (),
) -> TheoryReport:
    """Gather what the theory says of a cluster and its traffic.

    Parameters
    ----------
    types, arrival_rates, n_servers, rates, ancestors, method
        As for `capacity.capacity_certificate`.
    arrival_variance : float, optional
        Variance of all arrivals in a slot. By default that of Poisson arrivals.
    speeds : sequence of float, length n_servers, optional
        What multiplies the rates of each server; 1 where left out.
    without_bounds : sequence of str
        Why the theorems on queues do not hold here, such as service that is not geometric; noted.

    Returns
    -------
    TheoryReport
        Whatever is not defined for the input is None, with a note.

    Raises
    ------
    ScenarioError
        If the input is not usable.

    Examples
    --------
    >>> report = theory_report([(0,), (0, 1)], [1.2, 0.2], n_servers=2, rates=(1.0, 0.5))
    >>> round(report.load, 6), report.helpers, report.beneficiaries, round(report.epsilon, 6)
    (0.866667, (1,), (0,), 0.2)
    """
    tiers = check_rates(rates)
    merged = merge_types(types, arrival_rates, n_servers)
    factor = largest_load_factor(
        types,
        arrival_rates,
        n_servers=n_servers,
        rates=tiers,
        ancestors=ancestors,
        method=method,
        speeds=speeds,
    )
    fraction = 1.0 / factor
    found: dict[str, Any] = {}
    notes: list[str] = []
    if len(tiers) > 2:
        notes.append(_TIERS)
    if speeds is not None:
        notes.append(_SPEEDS)
    if fraction >= 1.0 - 1e-9:
        notes.append(_OUTSIDE)
    if not notes:
        ideal = ideal_load_decomposition(types, arrival_rates, n_servers=n_servers, rates=tiers)
        found = _decomposed(ideal, arrival_variance, not without_bounds)
        notes += without_bounds
    return TheoryReport(
        n_servers=n_servers,
        n_types=merged.n_types,
        rates=tiers,
        arrival_rate=merged.total_rate,
        capacity=merged.total_rate * factor if merged.n_types else float("inf"),
        load=fraction,
        n_groups=int(connected_groups(merged).max()) + 1,
        notes=tuple(notes),
        **found,
    )
