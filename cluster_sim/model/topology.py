"""The network between servers: a tree core - (pod) - rack - server, and the locality in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:  # else where it is needed: it takes long to import
    import networkx as nx

__all__ = ["Topology"]


@dataclass(frozen=True, eq=False)
class Topology:
    """Servers as the leaves of a tree of switches.

    Two servers are as near as the lowest switch above both: its height is half their distance in
    the graph. Locality tiers are these heights, so a further level of switches is a further tier
    and no new code.

    Parameters
    ----------
    ancestors : int64 array, shape (n_levels, n_servers)
        Row `h` numbers the node at height `h` above each server: row 0 is the server itself, row 1
        its rack, the last row is all zero (the core).
    level_names : tuple of str, length n_levels
        Inner to outer, from ``"server"`` to ``"core"``.

    Examples
    --------
    >>> topology = Topology.tree(6, {"rack": 3})
    >>> topology.ancestors[1].tolist()
    [0, 0, 1, 1, 2, 2]
    >>> topology.height(0, 1), topology.height(0, 2)
    (1, 2)
    """

    ancestors: npt.NDArray[np.int64]
    level_names: tuple[str, ...]

    @classmethod
    def tree(cls, n_servers: int, levels: Mapping[str, int] | None = None) -> Topology:
        """Return a tree whose switches at each level split the nodes below as evenly as possible.

        Parameters
        ----------
        n_servers : int
            At least 1.
        levels : mapping of str to int, optional
            Number of switches per level, inner to outer, e.g. ``{"rack": 20, "pod": 4}``.

        Returns
        -------
        Topology

        Raises
        ------
        ScenarioError
            If there are no servers, or more switches at a level than nodes below it.
        """
        if n_servers < 1:
            raise ScenarioError(f"servers = {n_servers}: must be at least 1")
        rows = [np.arange(n_servers, dtype=np.int64)]
        below = n_servers
        for name, count in (levels or {}).items():
            if name in ("server", "core"):
                raise ScenarioError(
                    f"level {name!r}: the topology has one already; name it otherwise"
                )
            if not 1 <= count <= below:
                raise ScenarioError(
                    f"{name}: {count} of them: must be from 1 to {below}, the number of nodes below"
                )
            # Node j of the level below hangs on switch floor(j * count / below): sizes differ by
            # one at most.
            rows.append(rows[-1] * count // below)
            below = count
        rows.append(np.zeros(n_servers, dtype=np.int64))
        return cls(np.stack(rows), ("server", *(levels or {}), "core"))

    @classmethod
    def from_graph(cls, graph: nx.Graph[Any], core: object) -> Topology:
        """Read the topology from a tree whose leaves are the servers.

        Parameters
        ----------
        graph : networkx.Graph
            A tree; every leaf at the same distance from `core`. Leaves are numbered in the graph's
            order of nodes.
        core : node
            The root.

        Returns
        -------
        Topology
            With levels named ``server``, ``rack``, ``level2``, ..., ``core``.

        Raises
        ------
        ScenarioError
            If the graph is not such a tree.
        """
        import networkx as nx

        if core not in graph:
            raise ScenarioError(f"core = {core!r}: is not a node of the graph")
        if not nx.is_tree(graph):
            raise ScenarioError("topology: the graph must be a tree (connected, without cycles)")
        depth = nx.single_source_shortest_path_length(graph, core)
        parent = {child: above for above, child in nx.bfs_edges(graph, core)}
        leaves = [n for n in graph if n != core and graph.degree(n) == 1] or [core]
        n_levels = depth[leaves[0]] + 1
        uneven = [leaf for leaf in leaves if depth[leaf] + 1 != n_levels]
        if uneven:
            raise ScenarioError(
                f"topology: server {uneven[0]!r} is {depth[uneven[0]]} hops from the core, "
                f"{leaves[0]!r} is {n_levels - 1}: every server must be equally far; add the "
                "missing switches"
            )
        rows, nodes = [], list(leaves)
        for _ in range(max(n_levels, 2)):
            number = {node: i for i, node in enumerate(dict.fromkeys(nodes))}
            rows.append([number[node] for node in nodes])
            nodes = [parent.get(node, node) for node in nodes]
        inner = ("rack", *(f"level{h}" for h in range(2, n_levels)))
        names = ("server", *inner[: max(n_levels, 2) - 2], "core")
        return cls(np.array(rows, dtype=np.int64), names)

    @property
    def n_servers(self) -> int:
        """Number of servers, M."""
        return int(self.ancestors.shape[1])

    @property
    def n_levels(self) -> int:
        """Number of levels, servers and core included."""
        return int(self.ancestors.shape[0])

    def level(self, name: str) -> npt.NDArray[np.int64]:
        """Return the node of each server at a named level.

        Parameters
        ----------
        name : str
            One of `level_names`.

        Returns
        -------
        int64 array, shape (n_servers,)

        Raises
        ------
        ScenarioError
            If there is no such level.
        """
        if name not in self.level_names:
            raise ScenarioError(
                f"level {name!r}: the topology has {', '.join(self.level_names)}; "
                f"declare it under [cluster], e.g. levels = {{ {name} = 2 }}"
            )
        row: npt.NDArray[np.int64] = self.ancestors[self.level_names.index(name)]
        return row

    def height(self, server: int, other: int) -> int:
        """Return the height of the lowest node above both servers: half their distance.

        Parameters
        ----------
        server, other : int

        Returns
        -------
        int
            0 for the same server, 1 within a rack, and so on.
        """
        together = self.ancestors[:, server] == self.ancestors[:, other]
        return int(np.argmax(together))

    def graph(self) -> nx.Graph[Any]:
        """Return the tree as a networkx graph.

        Returns
        -------
        networkx.Graph
            Nodes ``(level name, number)``, each with attribute ``height``; the root is
            ``("core", 0)``.
        """
        import networkx as nx

        graph: nx.Graph[Any] = nx.Graph()
        for height, (name, row) in enumerate(zip(self.level_names, self.ancestors, strict=True)):
            graph.add_nodes_from(((name, int(node)) for node in np.unique(row)), height=height)
        for height in range(1, self.n_levels):
            lower, upper = self.level_names[height - 1 : height + 1]
            pairs = np.unique(self.ancestors[height - 1 : height + 1].T, axis=0)
            graph.add_edges_from(((lower, int(a)), (upper, int(b))) for a, b in pairs)
        return graph
