#!/usr/bin/env python3
"""A policy of one's own in about twenty lines, checked, and compared with the paper's.

    python own_policy.py
    python own_policy.py --load 0.95

The paper's policy looks at the queues of all replicas of a chunk. Looking costs messages: what if a
task looks at two replicas only, drawn at random ("the power of two choices")? The class below is
such a policy. An idle server acts as in the paper.

The script holds the policy to the laws of the model, then runs it against `priority` on a hundred
evenly loaded servers. Both meet the same tasks with the same service luck (common random numbers),
so the difference is taken replication by replication and has a narrow interval.

What to look at: with two probes of three, a task takes about a quarter longer; with one (--probes
1), twice as long. With three probes the rule is the paper's, but for the way of breaking ties.

In a scenario file beside this one the policy is named by its module:

    [scheduler]
    policy = "own_policy:FewProbes"
    probes = 2
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cluster_sim import QueuePolicy, Scenario, compare
from cluster_sim.policies.base import ratio
from cluster_sim.testing import check_policy


@dataclass(frozen=True)
class FewProbes(QueuePolicy):
    """Join the shortest of a few of the local queues; serve as the priority policy does."""

    name: ClassVar[str] = "few-probes"
    title: ClassVar[str] = "Few probes: the shortest of a few local queues"
    uses_longest: ClassVar[bool] = True
    takes_own_first: ClassVar[bool] = True

    probes: int = 2

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:  # noqa: ARG002
        return (float(self.probes),)

    def longest_above(self, rates: tuple[float, ...]) -> float:
        return ratio(rates[0], rates[-1])

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        n = len(replicas)
        first = int(tie * n)  # the probed replicas follow each other, from one drawn at random
        best = replicas[first]
        for i in range(1, min(n, int(constants[0]))):
            queue = replicas[(first + i) % n]
            if lengths[queue] < lengths[best]:
                best = queue
        return best

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server if waiting[server] > 0 else longest[-1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--slots", type=int, default=8000, help="default: %(default)s")
    parser.add_argument("--load", type=float, default=0.9, help="default: %(default)s")
    parser.add_argument("--probes", type=int, default=2, help="default: %(default)s")
    options = parser.parse_args(arguments)

    check_policy(FewProbes(options.probes), n_slots=30)
    print(f"FewProbes(probes={options.probes}) keeps the laws.\n")

    own = f"{__name__}:FewProbes"  # this very module, also when it runs as a script
    scenario = Scenario(
        cluster={"servers": 100},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "even", "load": options.load},
        scheduler={"policy": own, "probes": options.probes},
        run={"slots": options.slots, "warmup": options.slots // 4, "replications": 4},
    )
    comparison = compare(scenario, ["priority", own])
    for outcome in comparison.outcomes:
        name = outcome.prepared.system.policy.name
        print(f"{name:<12} {outcome.mean_completion_time} slots  ({outcome.engine} engine)")
    (difference,) = comparison.differences
    print(f"difference   {difference.difference} slots, paired; ratio {difference.ratio}")


if __name__ == "__main__":
    main()
