"""The order of events within a slot, as SimPy priorities.

SimPy processes events by (time, priority, sequence). A slot is an instant of SimPy's clock; its
phases are priorities, in the order of the slot protocol. SimPy's own priorities 0 and 1 stay free
for its bookkeeping.
"""

from __future__ import annotations

import enum

import simpy
from simpy.events import Event

__all__ = ["Alarm", "Bell", "Ends", "Phase"]


class Phase(enum.IntEnum):
    """The four phases of a slot; smaller comes first."""

    COMPLETIONS = 2
    OBSERVATION = 3
    ARRIVALS = 4
    DISPATCH = 5


class Alarm(Event):
    """An event that can happen again and again, each time in a phase some slots from now.

    SimPy makes a new event for each happening, always in its one phase. An alarm has a phase and
    can be set anew, so the slot clock needs three for a run.

    Parameters
    ----------
    env : simpy.Environment
    phase : Phase
    """

    def __init__(self, env: simpy.Environment, phase: Phase) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        self._phase = int(phase)

    def set(self, delay: int) -> Alarm:
        """Let it happen `delay` slots from now; only when it has happened, or never been set.

        Parameters
        ----------
        delay : int

        Returns
        -------
        Alarm
            Itself, to be yielded.
        """
        self.callbacks = []
        self.env.schedule(self, self._phase, delay)  # type: ignore[arg-type]
        return self


class Ends:
    """The ends of services: one event for all that complete in the same slot.

    Whoever waits for the same slot is resumed in the order in which it began to wait, so
    completions come in the order of starts. SimPy's queue holds one entry a slot instead of one a
    task.

    Parameters
    ----------
    env : simpy.Environment
    """

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._pending: dict[int, Alarm] = {}

    def at(self, slot: int) -> Alarm:
        """Return the event of the completions phase of a slot.

        Parameters
        ----------
        slot : int
            After the present one.

        Returns
        -------
        Alarm
        """
        end = self._pending.get(slot)
        if end is None:
            delay = slot - int(self._env.now)
            end = self._pending[slot] = Alarm(self._env, Phase.COMPLETIONS).set(delay)
            end.callbacks.append(self._forget)
        return end

    def _forget(self, _: Event) -> None:
        del self._pending[int(self._env.now)]


class Bell(Event):
    """An event that happens when somebody rings, at once and outside SimPy's queue; reusable.

    A server sleeps on its bell, alone, until the scheduler rings with a task. It is resumed inside
    `ring`.
    """

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env)
        self._ok = True

    def ring(self, value: object) -> None:
        """Wake the process that waits, if one does, and be ready to be waited for again.

        Parameters
        ----------
        value : object
            What the waiting process receives.
        """
        self._value = value
        if self.callbacks:
            self.callbacks.pop()(self)
