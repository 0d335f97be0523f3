"""What anyone would write first: one SimPy Store a server, join the shortest of three.

The yardstick of the SimPy engine: no policy, no tiers, no remote service, no statistics but a sum.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import simpy


def run_stores(n_servers: int, load: float, n_slots: int) -> int:
    """Run JSQ(3) on one Store a server, service in one slot; return the tasks completed."""
    env = simpy.Environment()
    stores = [simpy.Store(env) for _ in range(n_servers)]
    busy = [0] * n_servers
    done = 0
    total_time = 0.0
    draw = random.Random(1)

    def serve(server: int) -> Generator[Any, Any, None]:
        nonlocal done, total_time
        while True:
            arrival = yield stores[server].get()
            busy[server] = 1
            yield env.timeout(1)
            busy[server] = 0
            done += 1
            total_time += env.now - arrival

    def arrive() -> Generator[Any, Any, None]:
        servers = range(n_servers)
        while True:
            # Binomial arrivals, cheap to draw: the same mean as the engine's Poisson.
            for _ in range(sum(draw.random() < load for _ in servers)):
                near = draw.sample(servers, 3)
                best = min(near, key=lambda m: len(stores[m].items) + busy[m])
                stores[best].put(env.now)
            yield env.timeout(1)

    for server in range(n_servers):
        env.process(serve(server))
    env.process(arrive())
    env.run(until=n_slots)
    return done


def run_events(n_events: int) -> int:
    """Raw SimPy throughput: one process that does nothing but wait; return the events processed."""
    env = simpy.Environment()

    def tick() -> Generator[Any, Any, None]:
        for _ in range(n_events):
            yield env.timeout(1)

    env.process(tick())
    env.run()
    return n_events
