"""Sample the queue vector in every replication of a scenario."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from cluster_sim.experiments.engines import choose_engine
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.build import Prepared

__all__ = ["sample_queues"]


def sample_queues(
    prepared: Prepared,
    measure: Callable[[npt.NDArray[np.int64]], dict[str, float]],
    *,
    look_every: int,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> dict[str, list[float]]:
    """Run every replication and measure its samples of the queue vector.

    Parameters
    ----------
    prepared : Prepared
    measure : callable
        From the samples of a replication after its warm-up, int64 array, shape
        (n_samples, n_queues), to named numbers. The samples are then dropped.
    look_every : int
        Slots from one sample to the next.
    progress : callable, optional
        Told the slots done of all replications together; from several threads.
    workers : int, optional
        Threads; by default one a processor. The result does not depend on it.

    Returns
    -------
    dict of str to list of float
        For each name the values of the replications, in order.

    Raises
    ------
    KeyboardInterrupt
        If interrupted; nothing is kept.
    """
    asked = prepared.scenario.run
    done = [0] * asked.replications
    stop = threading.Event()

    def replicate(replication: int) -> dict[str, float]:
        def tell(slot: int) -> None:
            if stop.is_set():
                raise KeyboardInterrupt
            done[replication] = slot
            if progress is not None:
                progress(sum(done))

        samples = QueueSamples(look_every=look_every, first_slot=prepared.warmup)
        engine = choose_engine(asked.engine, prepared.system)
        engine.simulate(
            prepared.system,
            prepared.key(replication),
            slots=prepared.slots,
            warmup=prepared.warmup,
            series_points=1,
            observers=[samples],
            progress=tell,
        )
        return measure(samples.lengths)

    n_workers = min(asked.replications, workers or os.cpu_count() or 1)
    if n_workers == 1:
        found = [replicate(replication) for replication in range(asked.replications)]
    else:
        with ThreadPoolExecutor(n_workers) as pool:
            try:
                found = list(pool.map(replicate, range(asked.replications)))
            except BaseException:
                # An interrupt reaches this thread only; the others would run to their end.
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    return {name: [values[name] for values in found] for name in found[0]}
