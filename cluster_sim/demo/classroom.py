"""Systems of the lessons that are no hot spot, and what several lessons draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.demo.charts import Chart, policy_look
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["even", "mean_field_time", "one_server", "queue_samples", "queue_tail", "series_chart"]

_READABLE = 3_000  # slots that the SimPy engine runs in their place


def one_server(arrival: float, service: float, *, slots: int) -> Scenario:
    """Return one server with Bernoulli arrivals: the Geo/Geo/1 queue.

    Parameters
    ----------
    arrival, service : float
        Probabilities per slot.
    slots : int

    Returns
    -------
    Scenario
    """
    return Scenario(
        title="One server",
        cluster={"servers": 1},
        service={"local": service, "remote": service},
        traffic={"kind": "even", "replicas": 1, "arrivals": "bernoulli", "rate": arrival},
        scheduler={"policy": "priority"},
        run={"slots": slots, "warmup": slots // 20, "seed": 1},
    )


def even(n_choices: int, load: float, *, slots: int, service: float = 0.1) -> Scenario:
    """Return 100 equal servers, where a task joins the shortest of a few random queues.

    Parameters
    ----------
    n_choices : int
        Servers that a task may run on, drawn at random.
    load : float
    slots : int
    service : float
        Probability per slot, small, so that slots are short beside a service.

    Returns
    -------
    Scenario
    """
    return Scenario(
        title="A hundred servers",
        cluster={"servers": 100},
        service={"local": service, "remote": service},
        traffic={"kind": "even", "replicas": n_choices, "load": load},
        scheduler={"policy": "jsq-local"},
        run={"slots": slots, "warmup": slots // 5, "seed": 1},
    )


def queue_tail(n_choices: int, load: float, n: int) -> npt.NDArray[np.float64]:
    """Return the share of queues with at least 0, 1, ..., n - 1 tasks in a very large cluster.

    Parameters
    ----------
    n_choices : int
        d.
    load : float
        rho.
    n : int

    Returns
    -------
    float64 array, shape (n,)

    Notes
    -----
    ``rho ** ((d**k - 1) / (d - 1))``, which is ``rho ** k`` for one choice: in continuous time, as
    the number of servers grows.

    References
    ----------
    Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001.

    Examples
    --------
    >>> queue_tail(2, 0.5, 4).tolist()
    [1.0, 0.5, 0.125, 0.0078125]
    """
    levels = np.arange(n, dtype=np.float64)
    d = float(n_choices)
    powers = levels if n_choices == 1 else (d**levels - 1.0) / (d - 1.0)
    return np.asarray(load**powers, dtype=np.float64)


def mean_field_time(n_choices: int, load: float, service: float) -> float:
    """Return the mean completion time of the above, by Little's law.

    Parameters
    ----------
    n_choices : int
    load : float
    service : float
        Probability per slot.

    Returns
    -------
    float
        Slots.

    Examples
    --------
    >>> round(mean_field_time(1, 0.9, 0.1), 6)
    100.0
    """
    tail = queue_tail(n_choices, load, 2_000 if n_choices == 1 else 40)
    return float(tail[1:].sum() / (load * service))


def queue_samples(scenario: Scenario, *, every: int = 20) -> npt.NDArray[np.int64]:
    """Run a scenario and return the queue lengths after its warm-up.

    Parameters
    ----------
    scenario : Scenario
        Its first slots only, where the compiled engine cannot be had.
    every : int
        Slots from one sample to the next.

    Returns
    -------
    int64 array, shape (n_samples, n_queues)
    """
    prepared = prepare(scenario)
    engine = choose_engine(scenario.run.engine, prepared.system)
    slots, warmup = prepared.slots, prepared.warmup
    if engine.name == "simpy" and slots > _READABLE:
        slots, warmup = _READABLE, _READABLE // 5
    samples = QueueSamples(look_every=every, first_slot=warmup)
    engine.simulate(prepared.system, prepared.key(0), slots=slots, observers=[samples])
    return samples.lengths.copy()


def series_chart(series: Sequence[tuple[str, Any]], title: str, *, height: float = 300.0) -> str:
    """Return tasks in the system over time, a line a run.

    Parameters
    ----------
    series : sequence of (str, Series)
        Policy, or another label, and the series of a result.
    title : str
    height : float
        Pixels.

    Returns
    -------
    str
        SVG.
    """
    most = max(float(each.in_system.max()) for _, each in series)
    end = max(float(each.slots[-1]) for _, each in series)
    chart = Chart(
        (0.0, end),
        (0.0, max(most, 1.0) * 1.05),
        "slot",
        "tasks in the system",
        title,
        height=height,
    )
    for policy, each in series:
        colour, dash = policy_look(policy)
        chart.line(each.slots, each.in_system, policy, colour, dash=dash, width=1.6)
    return chart.svg()
