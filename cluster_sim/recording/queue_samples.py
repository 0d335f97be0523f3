"""An observer that samples the queue vector: `QueueSamples`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.recording.observer import Observer, StateView

__all__ = ["QueueSamples"]

_FIRST_ROWS = 1024


class QueueSamples(Observer):
    """Keep the lengths of all queues at equally spaced observation points.

    Parameters
    ----------
    look_every : int
        Slots from one sample to the next, at least 1.
    first_slot : int
        Samples before this slot are left out, such as those of the warm-up.

    Raises
    ------
    ScenarioError
        If `look_every` is below 1.

    Attributes
    ----------
    look_every : int
        Engines show the state in slots that are multiples of it.
    """

    def __init__(self, *, look_every: int = 1, first_slot: int = 0) -> None:
        if look_every < 1:
            raise ScenarioError(f"look_every = {look_every}: must be at least 1 slot")
        self.look_every = look_every
        self._first_slot = first_slot
        self._rows = np.zeros((0, 0), dtype=np.int64)
        self._n = 0

    def observe(self, slot: int, state: StateView) -> None:
        """Keep the lengths if the turn of this slot has come."""
        if slot < self._first_slot or slot % self.look_every:
            return
        if self._n == len(self._rows):
            grown = np.zeros((max(2 * self._n, _FIRST_ROWS), len(state.lengths)), dtype=np.int64)
            if self._n:
                grown[: self._n] = self._rows
            self._rows = grown
        self._rows[self._n] = state.lengths
        self._n += 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The samples: int64 array, shape (n_samples, n_queues), under the reading `queue_length`.

        A view, valid until the next sample.
        """
        return self._rows[: self._n]
