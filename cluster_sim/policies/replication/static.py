"""No scheme: replicas stay where the placement put them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.replication.base import Replicating, ReplicationScheme, SchemeSetting

__all__ = ["Static"]


class _Nothing(Replicating):
    """The state of a scheme that does nothing."""


@final
@dataclass(frozen=True)
class Static(ReplicationScheme):
    """Replicas stay where they are, as in the paper's model (section 2)."""

    name: ClassVar[str] = "static"
    title: ClassVar[str] = "replicas stay where the placement put them"
    paper: ClassVar[str] = "the model of the paper, section 2"

    @property
    def is_static(self) -> bool:
        """True."""
        return True

    def begin(self, setting: SchemeSetting) -> Replicating:
        """Return a state that does nothing."""
        return _Nothing()
