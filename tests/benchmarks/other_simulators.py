"""JSQ(3) in other Python simulators: the part of the work that all of them can express.

Each function has servers with a queue each and service in one slot; a task joins the shortest of
three random queues. It returns the tasks completed and the seconds of the run alone, without
building the network. Tasks come once a slot, a binomial number of them, except in queueing-tool,
which lets them come one by one (Poisson). None of these models has tiers, remote service, a
scheduler, keyed draws or percentiles.

usage: python -m tests.benchmarks.other_simulators NAME SERVERS LOAD SLOTS

Each is run in a process of its own, as libraries that compile with numba disturb each other. It
prints the tasks and the seconds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.measuring import Rate, timed


def ciw(n_servers: int, load: float, n_slots: int) -> Rate:
    """Ciw: a node of zero service time that routes."""
    import ciw as library

    class JoinShortest(library.routing.NodeRouting):  # type: ignore[misc]
        def next_node(self, ind: Any) -> Any:
            near = random.sample(range(2, n_servers + 2), 3)
            nodes = self.simulation.nodes
            return min((nodes[i] for i in near), key=lambda node: node.number_of_individuals)

    dists = library.dists
    one = dists.Deterministic(1)
    network = library.create_network(
        arrival_distributions=[dists.Deterministic(1.0)] + [None] * n_servers,
        batching_distributions=[dists.Binomial(n_servers, load)] + [one] * n_servers,
        service_distributions=[dists.Deterministic(0.0)] + [one] * n_servers,
        number_of_servers=[float("inf")] + [1] * n_servers,
        routing=library.routing.NetworkRouting(
            routers=[JoinShortest(), *(library.routing.Leave() for _ in range(n_servers))]
        ),
    )
    library.seed(1)
    simulation = library.Simulation(network)

    def work() -> int:
        simulation.simulate_until_max_time(n_slots)
        return len(simulation.nodes[-1].all_individuals)

    return timed(work)


def salabim(n_servers: int, load: float, n_slots: int) -> Rate:
    """Salabim: a component with a queue a server, and a component a task."""
    import salabim as library

    library.yieldless(False)
    env = library.Environment(trace=False, yieldless=False)
    draw = random.Random(1)
    n_done = 0

    class Server(library.Component):  # type: ignore[misc]
        def setup(self) -> None:
            self.tasks = library.Queue(env=env)
            self.busy = 0

        def process(self) -> Any:
            nonlocal n_done
            while True:
                while not self.tasks:
                    yield self.passivate()
                self.tasks.pop()
                self.busy = 1
                yield self.hold(1)
                self.busy = 0
                n_done += 1

    class Arrivals(library.Component):  # type: ignore[misc]
        def process(self) -> Any:
            while True:
                for _ in range(sum(draw.random() < load for _ in servers)):
                    best = min(draw.sample(servers, 3), key=lambda s: len(s.tasks) + s.busy)
                    library.Component(env=env).enter(best.tasks)
                    if best.ispassive():
                        best.activate()
                yield self.hold(1)

    servers = [Server(env=env) for _ in range(n_servers)]
    Arrivals(env=env)

    def work() -> int:
        env.run(till=n_slots)
        return n_done

    return timed(work)


def queueing_tool(n_servers: int, load: float, n_slots: int) -> Rate:
    """queueing-tool: an edge a server, and an agent that chooses among three."""
    import numpy as np

    if not hasattr(np, "infty"):  # its last release asks for a name that NumPy 2 has dropped
        setattr(np, "infty", np.inf)  # noqa: B010
    import queueing_tool as library

    draw = random.Random(1)
    servers = range(2, n_servers + 2)

    class Task(library.Agent):  # type: ignore[misc]
        def desired_destination(self, network: Any, edge: Any) -> int:
            out: list[int] = network.out_edges[edge[1]]
            if len(out) < 3:
                return out[0]
            return min(draw.sample(out, 3), key=lambda e: network.edge2queue[e].num_system)

    graph = library.adjacency2graph(
        adjacency={0: {1: {}}, 1: {server: {} for server in servers}},
        edge_type={0: {1: 1}, 1: dict.fromkeys(servers, 2)},
    )
    arrivals = {
        "arrival_f": lambda t: t + draw.expovariate(n_servers * load),
        "service_f": lambda t: t + 0.0,
        "AgentFactory": Task,
        "num_servers": np.inf,
    }
    network = library.QueueNetwork(
        graph,
        q_classes={1: library.QueueServer, 2: library.QueueServer},
        q_args={1: arrivals, 2: {"num_servers": 1, "service_f": lambda t: t + 1.0}},
        seed=1,
        max_agents=10**9,
    )
    network.initialize(edge_type=1)

    def work() -> int:
        network.simulate(t=n_slots)
        return sum(q.num_departures for q in network.edge2queue if q.edge[3] == 2)

    return timed(work)


def cimba(n_servers: int, load: float, n_slots: int) -> Rate:
    """Cimba: processes written in Python, compiled by numba onto a C engine."""
    import cimba as library

    from tests.benchmarks.cimba_model import cluster

    model = cluster(n_servers, load)
    window = library.Window(duration=float(n_slots))
    experiment = library.Experiment(model, window=window, seed=1)
    library.Experiment(model, window=library.Window(duration=1.0)).run()  # compiles

    def work() -> int:
        result = experiment.run()
        return int(sum(result[server].n_done.values.item() for server in model.servers))

    return timed(work)


OTHERS: dict[str, Callable[[int, float, int], Rate]] = {
    "Ciw": ciw,
    "salabim": salabim,
    "queueing-tool": queueing_tool,
    "Cimba": cimba,
}


def main(arguments: list[str]) -> None:
    """Run one simulator and print what it did."""
    name, n_servers, load, n_slots = arguments
    rate = OTHERS[name](int(n_servers), float(load), int(n_slots))
    sys.stdout.write(f"{rate.n} {rate.seconds}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
