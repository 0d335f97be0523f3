"""JSQ(3) for Cimba, which reads annotations: so they are objects in this file, not strings."""

from functools import cache
from typing import Any


def cluster(n_servers: int, load: float) -> Any:
    """Return the model."""
    cluster_class, server_class = classes()
    model = cluster_class()
    model.servers = [server_class() for _ in range(n_servers)]
    model.load = load
    return model


@cache
def classes() -> tuple[Any, Any]:
    """Return the classes; the import is in here so that this file can be read without Cimba."""
    import cimba as cb

    class Server(cb.Model):
        queue: cb.Store[float]
        length: cb.Output[float]
        n_done: cb.Output[float]

        @cb.on_start
        def begin(self) -> None:  # outputs are not a number at first
            self.length = 0.0
            self.n_done = 0.0

        @cb.process
        def serve(self) -> None:
            while True:
                self.queue.get()
                cb.hold(1.0)
                self.length -= 1.0
                self.n_done += 1.0

    class Cluster(cb.Model):
        servers: list[Server]
        load: cb.Param[float] = 0.9

        @cb.process
        def arrive(self) -> None:
            n = len(self.servers)
            while True:
                for _ in range(cb.random.binomial(n, self.load)):
                    a = cb.random.dice(0, n - 1)
                    b = cb.random.dice(0, n - 1)
                    while b == a:
                        b = cb.random.dice(0, n - 1)
                    c = cb.random.dice(0, n - 1)
                    while c in (a, b):
                        c = cb.random.dice(0, n - 1)
                    best = self.servers[a]
                    if self.servers[b].length < best.length:
                        best = self.servers[b]
                    if self.servers[c].length < best.length:
                        best = self.servers[c]
                    best.length += 1.0
                    best.queue.put(cb.now())
                cb.hold(1.0)

    return Cluster, Server
