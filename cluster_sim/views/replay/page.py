"""The page that plays recorded runs: one file that needs nothing else."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import QueueLength
from cluster_sim.recording.recording import Recording
from cluster_sim.scenario.build import Prepared
from cluster_sim.scenario.task_types import decomposition_of
from cluster_sim.views.pages import content_policy, data_block, fill, package_text
from cluster_sim.views.replay.encoding import Encoded, Layout, Packed, encode
from cluster_sim.views.style import look_of

__all__ = ["Detail", "Page", "Shown", "describe", "layout_of", "pack", "replay_page"]

BUDGET = 750_000  # bytes of the compressed runs; in base 64 they are a third more
MOST_NAMES = 60_000  # tasks of a run; more are not worth the time and the room
_MOST_SERVERS = 20_000  # a decomposition of more takes minutes

_PAGE_STYLE = """
body { margin: 0; background: #ffffff; }
noscript { display: block; padding: 1rem; font: 1rem system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { body { background: #14171b; color: #eceff3; } }
body:has(.csr[data-theme="light"]) { background: #ffffff; }
body:has(.csr[data-theme="dark"]) { background: #14171b; }
"""

# What makes the page of the module: a model of one field, as an anywidget would have.
_START = """
const text = (id) => document.getElementById(id).textContent;
const meta = JSON.parse(text("meta"));
const runs = { meta, data: meta.runs.map((_, i) => text(`run-${i}`)) };
const el = document.getElementById("replay");
render({ model: { get: () => runs }, el }).catch((error) => {
  el.textContent = `This recording cannot be shown: ${error.message}`;
  throw error;
});
"""


class Detail(enum.StrEnum):
    """How much of a recording goes into a page."""

    AUTO = "auto"  # full, as long as the page stays below about 1 MB
    FULL = "full"  # which server took which task
    STATES = "states"  # servers and queues only


@dataclass(frozen=True, eq=False)
class Shown:
    """A recorded run and what it is of.

    Parameters
    ----------
    prepared : Prepared
    recording : Recording
    """

    prepared: Prepared
    recording: Recording

    @property
    def policy(self) -> str:
        """Name of the policy as the scenario gives it."""
        return str(self.prepared.scenario.scheduler.policy)


@dataclass(frozen=True)
class Page:
    """A page.

    Parameters
    ----------
    text : str
        HTML.
    has_pairs : bool
        Whether it holds which server took which task.
    """

    text: str
    has_pairs: bool


def replay_page(
    runs: Sequence[Shown], *, detail: Detail = Detail.AUTO, subtitle: str = "", repeat: str = ""
) -> Page:
    """Return a page that plays recorded runs side by side.

    Parameters
    ----------
    runs : sequence of Shown
        Of the same cluster and the same slots.
    detail : Detail
    subtitle : str
        What runs, in a line.
    repeat : str
        How the page was made.

    Returns
    -------
    Page
        Without any address of another host; its content security policy allows none.

    Raises
    ------
    ScenarioError
        If there is no run, or one is of other slots or of another cluster.
    """
    from cluster_sim import __version__

    encoded, packed = pack(runs, detail)
    meta = describe(runs, encoded, packed) | {"subtitle": subtitle, "repeat": repeat}
    folder = "cluster_sim.views.replay"
    script = package_text(folder, "view.js") + _START
    style = package_text(folder, "view.css") + _PAGE_STYLE
    blocks = [data_block("meta", meta)]
    blocks += [data_block(f"run-{i}", each.data) for i, each in enumerate(packed)]
    text = fill(
        package_text(folder, "page.html"),
        {
            "policy": content_policy(scripts=[script], styles=[style]),
            "version": __version__,
            "title": f"{meta['title']}: replay",
        },
        {"style": style, "script": script, "data": "\n".join(blocks)},
    )
    return Page(text, all(each.has_pairs for each in packed))


def layout_of(prepared: Prepared) -> Layout:
    """Return the queues and groups of a system.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    Layout
    """
    cluster = prepared.system.cluster
    owners = prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers)
    return Layout(np.array(list(owners), dtype=np.int64), cluster.n_servers, cluster.n_tiers)


def pack(runs: Sequence[Shown], detail: Detail) -> tuple[list[Encoded], list[Packed]]:
    """Encode and compress runs.

    Parameters
    ----------
    runs : sequence of Shown
    detail : Detail

    Returns
    -------
    list of Encoded
    list of Packed
        All with names of tasks or none, all with pairs or none.
    """
    _check(runs)
    has_names = max(run.recording.n_tasks for run in runs) <= MOST_NAMES
    encoded = [encode(run.recording, layout_of(run.prepared), has_names=has_names) for run in runs]
    # From what shows most to what takes least.
    kinds = [(True, True), (False, True), (False, False)]
    if detail is Detail.STATES:
        kinds = kinds[2:]
    elif detail is Detail.FULL:
        kinds = kinds[:1]
    packed: list[Packed] = []
    for names, pairs in kinds:
        packed = [each.pack(has_names=names, has_pairs=pairs) for each in encoded]
        if sum(len(each.data) for each in packed) <= BUDGET:
            break
    return encoded, packed


def _check(runs: Sequence[Shown]) -> None:
    if not runs:
        raise ScenarioError("a replay needs at least one recorded run; record one")
    first = runs[0]
    for run in runs[1:]:
        if _stretch(run) != _stretch(first):
            raise ScenarioError(
                f"a replay of {first.policy} and {run.policy}: (first slot, slots, servers) are "
                f"{_stretch(first)} and {_stretch(run)}; record the same slots of the same cluster"
            )


def _stretch(run: Shown) -> tuple[int, int, int]:
    n_servers = run.prepared.system.cluster.n_servers
    return run.recording.first_slot, run.recording.n_slots, n_servers


def describe(
    runs: Sequence[Shown],
    encoded: Sequence[Encoded],
    packed: Sequence[Packed],
    *,
    beneficiaries: Collection[int] | None = None,
) -> dict[str, Any]:
    """Return what the view must know besides the encoded runs, as plain JSON types.

    Parameters
    ----------
    runs : sequence of Shown
    encoded, packed : sequence
        As of `pack`.
    beneficiaries : collection of int, optional
        The servers that are helped, where they are known already; to find them takes a while.

    Returns
    -------
    dict
    """
    prepared, recording = runs[0].prepared, runs[0].recording
    cluster, topology = prepared.system.cluster, prepared.system.cluster.topology
    inner = zip(topology.level_names[1:-1], topology.ancestors[1:-1], strict=True)
    if beneficiaries is None:
        kinds, note = _kinds(prepared)
    else:
        kinds, note = _letters(cluster.n_servers, beneficiaries), ""
    return {
        "title": prepared.scenario.title or f"{cluster.n_servers:,} servers",
        "first": recording.first_slot,
        "slots": recording.n_slots,
        "servers": cluster.n_servers,
        "tiers": list(cluster.tier_names),
        "levels": [{"name": name, "of": row.tolist()} for name, row in inner],
        "kinds": kinds,
        "kindsNote": note,
        "countsService": prepared.system.reading.queue_length is QueueLength.IN_SYSTEM,
        "runs": [
            _about(run, each, kept) for run, each, kept in zip(runs, encoded, packed, strict=True)
        ],
    }


def _about(run: Shown, encoded: Encoded, packed: Packed) -> dict[str, Any]:
    owners, look = layout_of(run.prepared).owners, look_of(run.policy)
    is_plain = np.array_equal(owners, np.arange(run.prepared.system.cluster.n_servers))
    return {
        "policy": run.policy,
        "owners": None if is_plain else owners.tolist(),
        "tasks": run.recording.n_tasks,
        "fifo": encoded.is_fifo,
        "names": packed.has_names,
        "pairs": packed.has_pairs,
        "streams": [list(stream) for stream in packed.streams],
        "colour": look.colour,
        "dash": _DASHES.get(look.line, [7, 3]) if isinstance(look.line, str) else [8, 2],
    }


_DASHES: dict[str, list[int]] = {"-": [], "--": [7, 3], "-.": [7, 3, 2, 3], ":": [2, 3]}


def _kinds(prepared: Prepared) -> tuple[str | None, str]:
    """Return a letter for each server, helper or beneficiary, or None and why not."""
    cluster = prepared.system.cluster
    if cluster.n_tiers != 2:
        return None, "Helpers and beneficiaries are defined for two tiers only."
    if cluster.n_servers > _MOST_SERVERS:
        return None, "Helpers and beneficiaries of so many servers take too long to find."
    try:
        found = decomposition_of(prepared)
    except ScenarioError:
        return None, "Helpers and beneficiaries are defined below the capacity only."
    return _letters(cluster.n_servers, set(found.beneficiaries.tolist())), ""


def _letters(n_servers: int, beneficiaries: Collection[int]) -> str:
    return "".join("b" if server in beneficiaries else "h" for server in range(n_servers))
