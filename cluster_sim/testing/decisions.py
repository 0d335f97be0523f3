"""Laws of a policy's decisions, checked on every call of a run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.testing.laws import Law, LawViolation

__all__ = ["check_declaration", "own_queues", "watched"]

P = TypeVar("P", bound=QueuePolicy)
Arguments = Sequence[Any]  # of `route` or `serve`, in their order

ROUTE_ARGUMENTS = (
    "replicas",
    "lengths",
    "waiting",
    "least",
    "weights",
    "constants",
    "tie_break",
    "tie",
)
SERVE_ARGUMENTS = (
    "server",
    "lengths",
    "waiting",
    "longest",
    "n_longest",
    "constants",
    "tie_break",
    "tie",
)


def own_queues(policy: QueuePolicy, n_servers: int, n_tiers: int) -> list[int]:
    """Return the queue of each server: the first that belongs to it.

    Parameters
    ----------
    policy : QueuePolicy
    n_servers, n_tiers : int

    Returns
    -------
    list of int, length n_servers
        `NO_QUEUE` for a server without one.
    """
    owners = list(policy.owners(n_servers, n_tiers))
    return [owners.index(m) if m in owners else NO_QUEUE for m in range(n_servers)]


def watched(policy: P, n_servers: int, n_tiers: int) -> P:
    """Return a copy of a policy whose decisions are checked on every call.

    The copy makes no promise to serve own queues first, so that an engine asks it each time and the
    promise of the original is checked. The compiled engine cannot compile it.

    Parameters
    ----------
    policy : QueuePolicy
    n_servers, n_tiers : int

    Returns
    -------
    QueuePolicy

    Raises
    ------
    LawViolation
        From within `route` and `serve`: valid decision, pure decision, no mutation, own queue
        first.
    """
    twin = copy.copy(policy)
    route = _Checked(policy, "route", ROUTE_ARGUMENTS)
    serve = _Checked(policy, "serve", SERVE_ARGUMENTS)
    own = own_queues(policy, n_servers, n_tiers) if policy.takes_own_first else []

    def checked_serve(*arguments: Any) -> int:
        queue = serve(*arguments)
        server, _, waiting = arguments[:3]
        _check_serves_waiting(serve, queue, arguments)
        if own and own[server] != NO_QUEUE and waiting[own[server]] > 0 and queue != own[server]:
            raise LawViolation(
                Law.OWN_FIRST,
                f"{serve.told(arguments)} returned {queue}, though a task waits in the own queue "
                f"{own[server]}; serve it first, or set takes_own_first = False",
            )
        return queue

    # The dataclass is frozen; on the instance these hide the static methods of the class.
    object.__setattr__(twin, "route", route)
    object.__setattr__(twin, "serve", checked_serve)
    object.__setattr__(twin, "takes_own_first", False)
    return twin


class _Checked:
    """A decision function that checks the laws which need no knowledge of the system."""

    def __init__(self, policy: QueuePolicy, method: str, names: Sequence[str]) -> None:
        self._decide: Callable[..., Any] = getattr(policy, method)
        self._who = f"policy {policy.name!r}: {method}"
        self._names = names
        self._lowest = NO_QUEUE if method == "serve" else 0

    def told(self, arguments: Arguments) -> str:
        """Return the call in words."""
        listed = ", ".join(
            f"{name}={list(value) if isinstance(value, Sequence) else value}"
            for name, value in zip(self._names, arguments, strict=True)
        )
        return f"{self._who}({listed})"

    def __call__(self, *arguments: Any) -> int:
        """Return the decision, having made it three times: as it is, again, and on arrays."""
        before = [list(a) if isinstance(a, Sequence) else a for a in arguments]
        try:
            queue = self._decide(*arguments)
        except Exception as error:
            raise LawViolation(
                Law.VALID_DECISION,
                f"{self.told(before)} raised {type(error).__name__}: {error}",
            ) from error
        queue = self._valid(queue, arguments)
        after = [list(a) if isinstance(a, Sequence) else a for a in arguments]
        changed = [
            f"{name} from {was} to {now}"
            for name, was, now in zip(self._names, before, after, strict=True)
            if was != now
        ]
        if changed:
            raise LawViolation(
                Law.NO_MUTATION,
                f"{self._who} changed {' and '.join(changed)}; copy what you want to change",
            )
        again = self._decide(*before)
        if again != queue:
            raise LawViolation(
                Law.PURE_DECISION,
                f"{self.told(arguments)} returned {queue}, and then {again!r}; decide from the "
                "arguments alone, and take randomness from `tie`",
            )
        self._check_on_arrays(queue, arguments)
        return queue

    def _check_on_arrays(self, queue: int, arguments: Arguments) -> None:
        """Call once more as the compiled engine would: with arrays in place of lists."""
        arrays = [np.array(a) if isinstance(a, Sequence) else a for a in arguments]
        advice = "use indices, len() and loops only, which mean the same on lists and arrays"
        try:
            result = self._decide(*arrays)
            is_same = bool(result == queue)
        except Exception as error:
            raise LawViolation(
                Law.PURE_DECISION,
                f"{self.told(arguments)} raises {type(error).__name__}: {error}, if its lists are "
                f"arrays; {advice}",
            ) from error
        if not is_same:
            raise LawViolation(
                Law.PURE_DECISION,
                f"{self.told(arguments)} returned {queue}, but {result} if its lists are arrays; "
                f"{advice}",
            )

    def _valid(self, queue: Any, arguments: Arguments) -> int:
        lengths = arguments[1]
        is_whole = isinstance(queue, (int, np.integer)) and not isinstance(queue, bool)
        if not is_whole or not self._lowest <= queue < len(lengths):
            allowed = f"a queue from 0 to {len(lengths) - 1}"
            if self._lowest == NO_QUEUE:
                allowed += ", or NO_QUEUE (-1)"
            raise LawViolation(
                Law.VALID_DECISION,
                f"{self.told(arguments)} returned {queue!r}; it must return {allowed}",
            )
        return int(queue)


def _check_serves_waiting(serve: _Checked, queue: int, arguments: Arguments) -> None:
    waiting = arguments[2]
    if queue != NO_QUEUE and waiting[queue] <= 0:
        raise LawViolation(
            Law.VALID_DECISION,
            f"{serve.told(arguments)} returned {queue}, where no task waits; return a queue with "
            "waiting > 0, or NO_QUEUE",
        )


def check_declaration(policy: QueuePolicy, n_servers: int, rates: tuple[float, ...]) -> None:
    """Raise unless what a policy says of itself can be used, and is the same every time.

    That its queues belong to servers which exist is checked by `System`.

    Parameters
    ----------
    policy : QueuePolicy
    n_servers : int
    rates : tuple of float
        Service rate per tier.

    Raises
    ------
    LawViolation
    """
    who = f"policy {policy.name!r} with {n_servers} servers and rates {rates}"
    said = [
        (
            list(policy.owners(n_servers, len(rates))),
            tuple(policy.constants(rates)),
            policy.longest_above(rates),
        )
        for _ in range(2)
    ]
    _, constants, above = said[0]

    def broken(what: str) -> LawViolation:
        return LawViolation(Law.DECLARATION, f"{who}: {what}")

    if said[0] != said[1]:
        raise broken(f"owners, constants and longest_above were {said[0]}, and then {said[1]}")
    if not constants or not all(isinstance(c, float) for c in constants):
        raise broken(f"constants() returned {constants}; it must return at least one float")
    if not above >= 0:
        raise broken(f"longest_above() returned {above}; it must be 0 or more")
