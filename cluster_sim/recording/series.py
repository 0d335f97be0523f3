"""A time series in bounded memory: when it is full, every second point goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Series", "Thinning"]


@dataclass(frozen=True, eq=False)
class Series:
    """The state at equally spaced observation points, and exact sums up to each.

    Parameters
    ----------
    slots : int64 array, shape (n_points,)
    in_system : int64 array, shape (n_points,)
        Tasks in the system.
    waiting : int64 array, shape (n_points,)
        Tasks waiting.
    arrived : int64 array, shape (n_points,)
        Tasks that arrived in the slots before.
    in_system_sum, waiting_sum : int64 array, shape (n_points,)
        The tasks in the system, and waiting, summed over the observation points of all slots
        before. Between two points kept, the difference is an exact sum; nothing is lost by
        thinning.
    """

    slots: npt.NDArray[np.int64]
    in_system: npt.NDArray[np.int64]
    waiting: npt.NDArray[np.int64]
    arrived: npt.NDArray[np.int64]
    in_system_sum: npt.NDArray[np.int64]
    waiting_sum: npt.NDArray[np.int64]

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same points."""
        return isinstance(other, Series) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in self.__dataclass_fields__
        )

    __hash__ = None  # type: ignore[assignment]


class Thinning:
    """Decide which slots to keep, so that at most twice `n_points` are kept, equally spaced.

    Parameters
    ----------
    n_points : int
        At least 1; the series ends with between `n_points` and twice as many points, or all slots
        if they are fewer.

    Examples
    --------
    >>> thinning = Thinning(2)
    >>> for slot in range(10):
    ...     thinning.offer(slot, slot, 0)
    >>> thinning.series().slots.tolist()
    [0, 4, 8]
    """

    def __init__(self, n_points: int) -> None:
        self._limit = 2 * max(n_points, 1)
        self.next_slot = 0
        self._stride = 1
        self._points: list[tuple[int, ...]] = []

    def offer(
        self,
        slot: int,
        in_system: int,
        waiting: int,
        *,
        arrived: int = 0,
        in_system_sum: int = 0,
        waiting_sum: int = 0,
    ) -> None:
        """Keep the state of a slot if its turn has come.

        Parameters
        ----------
        slot, in_system, waiting : int
        arrived, in_system_sum, waiting_sum : int
            Over the slots before, as in `Series`.
        """
        if slot != self.next_slot:
            return
        if len(self._points) == self._limit:
            del self._points[1::2]
            self._stride *= 2
        if slot % self._stride == 0:
            self._points.append((slot, in_system, waiting, arrived, in_system_sum, waiting_sum))
        self.next_slot = (slot // self._stride + 1) * self._stride

    def series(self) -> Series:
        """Return what was kept.

        Returns
        -------
        Series
        """
        columns = np.array(self._points, dtype=np.int64).reshape(-1, 6).T
        return Series(*columns)
