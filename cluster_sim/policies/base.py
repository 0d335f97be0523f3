"""The contract of a queue policy: its queues, where a task joins, what an idle server takes."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import ClassVar

__all__ = [
    "SHARED",
    "Guarantee",
    "Optimality",
    "Policy",
    "PolicyKind",
    "QueuePolicy",
    "in_inverse_proportion",
    "in_proportion",
    "ratio",
]

SHARED = -1  # the owner of a queue that belongs to no server
EXACT = 2**53  # up to here floats hold every whole number


class Optimality(enum.Enum):
    """What is known of a policy, for a property such as throughput optimality."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Guarantee:
    """What is proved of a policy, and where.

    Parameters
    ----------
    throughput : Optimality
        Does it stabilise every arrival rate vector strictly inside the capacity region?
    heavy_traffic : Optimality
        Is its mean delay asymptotically least at the boundary?
    conditions : str
        Under which conditions, and the source.
    """

    throughput: Optimality
    heavy_traffic: Optimality
    conditions: str


class PolicyKind(enum.Enum):
    """What a policy decides over."""

    QUEUE = "queue"  # where a task joins and which queue a server serves: both engines run it
    TASK = "task"  # jobs, or whole assignments of tasks to servers: the SimPy engine runs it


@dataclass(frozen=True)
class Policy(ABC):
    """A scheduling algorithm of either kind: what is said of it, and whose its queues are.

    Attributes
    ----------
    name : str
        The name in scenarios and tables.
    title : str
        One line for tables.
    paper : str
        The source.
    guarantee : Guarantee
    kind : PolicyKind
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str] = ""
    guarantee: ClassVar[Guarantee] = Guarantee(Optimality.UNKNOWN, Optimality.UNKNOWN, "")
    kind: ClassVar[PolicyKind]

    @abstractmethod
    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return the server that each queue belongs to, or `SHARED`.

        Parameters
        ----------
        n_servers, n_tiers : int

        Returns
        -------
        sequence of int, length n_queues
        """


@dataclass(frozen=True)
class QueuePolicy(Policy):
    """A scheduling algorithm over queues, as two pure decisions.

    A subclass is a frozen dataclass. Its fields are its parameters, as a scenario's ``[scheduler]``
    table names them. Its decisions `route` and `serve` are static methods over plain numbers and
    sequences: the SimPy scheduler calls them as Python, the compiled engine compiles the same
    source. They return a queue; the scheduler checks the decision and performs it.

    Attributes
    ----------
    name : str
        The name in scenarios and tables.
    title : str
        One line for tables.
    paper : str
        The source.
    guarantee : Guarantee
    uses_longest : bool
        Whether `serve` reads `longest`. The scheduler then keeps an index of the longest queues.
    uses_least : bool
        Whether `route` reads `least` or `weights`. The policy then defines `weigh`, and the
        scheduler keeps an index of the servers of least weight.
    takes_own_first : bool
        Whether `serve` always answers a server's own queue, the first that it owns, when a task
        waits there. A promise that the engines use for speed; `cluster_sim.testing.check_policy`
        holds a policy to it.
    """

    kind: ClassVar[PolicyKind] = PolicyKind.QUEUE
    uses_longest: ClassVar[bool] = False
    uses_least: ClassVar[bool] = False
    takes_own_first: ClassVar[bool] = False

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return the server that each queue belongs to.

        Parameters
        ----------
        n_servers, n_tiers : int

        Returns
        -------
        sequence of int, length n_queues
            `SHARED` for a queue of nobody. By default queue m is server m's. A server may own
            several, such as one a tier.
        """
        return range(n_servers)

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the numbers that the two decisions need.

        Parameters
        ----------
        rates : tuple of float
            Service rate per tier, local to remote. Estimates may be in any order.

        Returns
        -------
        tuple of float
            Passed to `route` and `serve` as `constants`.
        """
        return (0.0,)

    def longest_above(self, rates: tuple[float, ...]) -> float:
        """Return the length that a queue must exceed to be offered in `longest`.

        Parameters
        ----------
        rates : tuple of float

        Returns
        -------
        float
            At least 0.
        """
        return 0.0

    @staticmethod
    def weigh(server: int, lengths: Sequence[int], constants: Sequence[float]) -> float:
        """Return the weight of a server, for policies with `uses_least`.

        It is asked anew whenever a queue of the server changes, so equal lengths give equal
        weights, and a tie is seen where the numbers are exact: take whole numbers where possible.

        Parameters
        ----------
        server : int
        lengths : sequence of int, length n_queues
            As `route` is shown them. Only those of the server's own queues may be read.
        constants : sequence of float
            What `constants` returned.

        Returns
        -------
        float
            Not NaN.
        """
        raise NotImplementedError("a policy with uses_least = True defines weigh()")

    @staticmethod
    @abstractmethod
    def route(
        replicas: Sequence[int],
        lengths: Sequence[int],
        waiting: Sequence[int],
        least: Sequence[int],
        weights: Sequence[float],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        """Return the queue that an arriving task joins.

        Parameters
        ----------
        replicas : sequence of int
            The servers that hold the task's chunk, ascending.
        lengths : sequence of int, length n_queues
            Length of every queue under the readings `queue_length` and `routing_view`.
        waiting : sequence of int, length n_queues
            Waiting tasks in every queue, now.
        least : sequence of int, length n_tiers
            For each tier, a server of the least weight among those within that tier of one of the
            replicas (nearer ones included): entry 0 is one of the replicas, the last one any
            server. Ties are already broken, by `tie`: uniformly, or under `BY_INDEX` for the lowest
            server. Empty unless `uses_least`.
        weights : sequence of float, length n_servers
            What `weigh` returned for each server; as old as `lengths`. Empty unless `uses_least`.
        constants : sequence of float
            What `constants` returned.
        tie_break : int
            `choices.UNIFORMLY`, `LOCAL_FIRST` or `BY_INDEX`.
        tie : float
            The task's own uniform on [0, 1). It has broken the ties in `least`, so an answer may
            depend on the one or on the other, not on both.

        Returns
        -------
        int
        """

    @staticmethod
    @abstractmethod
    def serve(
        server: int,
        lengths: Sequence[int],
        waiting: Sequence[int],
        longest: Sequence[int],
        n_longest: Sequence[int],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        """Return the queue whose head an idle server takes, or `choices.NO_QUEUE`.

        Parameters
        ----------
        server : int
            The idle server.
        lengths, waiting : sequence of int, length n_queues
            As they are now.
        longest : sequence of int, length n_tiers
            For each tier, a longest queue among those with a waiting task and a length above
            `longest_above` that belong to servers within that tier of this one (nearer ones
            included); `NO_QUEUE` if there is none. Ties are already broken. Entry 0 is the server's
            own queue, if it qualifies. Empty unless `uses_longest`.
        n_longest : sequence of int, length n_tiers
            How many queues are tied for each entry of `longest`.
        constants : sequence of float
            What `constants` returned.
        tie_break : int
            `choices.UNIFORMLY`, `LOCAL_FIRST` or `BY_INDEX`.
        tie : float
            Uniform on [0, 1), this server's in this slot; independent of the choice in `longest`.

        Returns
        -------
        int
        """


def in_proportion(rates: tuple[float, ...]) -> tuple[float, ...]:
    """Return rates as whole numbers in proportion, so that products with lengths compare exactly.

    Parameters
    ----------
    rates : tuple of float

    Returns
    -------
    tuple of float
        Whole numbers. In floating point 3 * 0.2 exceeds 0.6; with 3 and 1 for 0.6 and 0.2 the tie
        is seen.

    Examples
    --------
    >>> in_proportion((0.6, 0.2))
    (3.0, 1.0)
    """
    exact = [Fraction(repr(float(rate))) for rate in rates]
    common = lcm(*(value.denominator for value in exact))
    whole = [int(value * common) for value in exact]
    divisor = gcd(*whole)
    return tuple(float(value // divisor) for value in whole)


def in_inverse_proportion(rates: tuple[float, ...]) -> tuple[float, ...]:
    """Return numbers in proportion to the mean service times 1 / rate, whole where possible.

    Parameters
    ----------
    rates : tuple of float

    Returns
    -------
    tuple of float
        Whole numbers, so that sums of them compare exactly; multiples of the least service time
        where whole numbers would exceed 2^53.

    Examples
    --------
    >>> in_inverse_proportion((1.0, 0.9, 0.5))
    (9.0, 10.0, 18.0)
    """
    times = [1 / Fraction(repr(float(rate))) for rate in rates]
    common = lcm(*(value.denominator for value in times))
    whole = [int(value * common) for value in times]
    divisor = gcd(*whole)
    if max(whole) // divisor > EXACT:
        return tuple(float(value / min(times)) for value in times)
    return tuple(float(value // divisor) for value in whole)


def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient of two decimal numbers, rounded once.

    Parameters
    ----------
    numerator, denominator : float

    Returns
    -------
    float

    Examples
    --------
    >>> 0.6 / 0.2, ratio(0.6, 0.2)
    (2.9999999999999996, 3.0)
    """
    return float(Fraction(repr(float(numerator))) / Fraction(repr(float(denominator))))
