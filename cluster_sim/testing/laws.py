"""The laws that every run keeps, by name, and what is raised when one is broken."""

from __future__ import annotations

import enum

__all__ = ["Law", "LawViolation"]


class Law(enum.StrEnum):
    """The laws; a `LawViolation` names the one that was broken.

    A slot t has completions, the observation point, arrivals and dispatch, in this order. A task
    arrives in slot a, starts in slot s and completes in slot c.
    """

    # Of a run, whatever the policy.
    SLOT_PROTOCOL = "slot protocol"  # events come in slot and phase order, tasks numbered in turn
    CONSERVATION = "conservation"  # arrived = completed + in system, per queue and in all
    ONE_AT_A_TIME = "one task at a time"  # a server runs one task, a task runs once
    FIFO = "FIFO within a queue"  # who joined a queue first starts first
    NON_PREEMPTION = "non-preemption"  # a service ends where it began, after its service time
    SERVICE = "service time"  # c = s + service >= a + 1; by tier, rate and the task's own luck
    LITTLES_LAW = "Little's law"  # see `LittlesLaw`
    RESULT = "result"  # what a run reports is what its events say
    DETERMINISM = "determinism"  # the same key gives the same events
    NO_FORESIGHT = "no foresight"  # a shorter run is the beginning of a longer one
    COMMON_RANDOM_NUMBERS = "common random numbers"  # policies under one key meet the same tasks

    # Between a run and its policy.
    READINGS = "readings"  # a policy is shown lengths, candidates and ties as the readings say
    DECISION_PERFORMED = "decision performed"  # what it decides happens, and nothing else

    # Of a policy's decisions.
    DECLARATION = "declaration"  # queues, constants and threshold are usable, and always the same
    VALID_DECISION = "valid decision"  # a queue, and one with a waiting task when served
    PURE_DECISION = "pure decision"  # equal arguments, equal answer, be they lists or arrays
    NO_MUTATION = "no mutation"  # a decision does not change its arguments
    OWN_FIRST = "own queue first"  # `takes_own_first` is kept where it is promised
    WEIGHTS = "weights"  # finite, and a function of the lengths of a server's own queues


class LawViolation(AssertionError):  # noqa: N818 - it is the run that errs
    """A law is broken.

    Parameters
    ----------
    law : Law
    message : str
        What happened, with the story of the task concerned.

    Examples
    --------
    >>> print(LawViolation(Law.FIFO, "task 2 overtook task 1"))
    law broken: FIFO within a queue: task 2 overtook task 1
    """

    def __init__(self, law: Law, message: str) -> None:
        # Both go to the base class: SimPy makes failed exceptions anew from their `args`.
        super().__init__(law, message)
        self.law = law
        self.message = message

    def __str__(self) -> str:
        return f"law broken: {self.law}: {self.message}"
