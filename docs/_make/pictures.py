"""The pictures of the gallery, each drawn by the project from a scenario in ``scenarios/``.

A picture carries the digest of the numbers that it shows: an SVG in its metadata, a PNG in a text
chunk. A test draws it again and compares the digests. So a picture that no longer shows what the
code gives is noticed, and a new release of matplotlib, which moves a label, is not.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_DIGITS = 5  # of each number in a digest: beyond, machines may differ


@dataclass(frozen=True)
class Picture:
    """A picture, what it is drawn from, and how long that takes."""

    path: str  # below docs
    scenario: str  # below scenarios
    draw: Callable[[], Figure]
    is_slow: bool = False

    @property
    def file(self) -> Path:
        return DOCS / self.path


def _scenario(name: str, **values: object) -> Any:
    from cluster_sim import read_scenario

    given = {key.replace("__", "."): value for key, value in values.items()}
    return read_scenario(ROOT / "scenarios" / f"{name}.toml").with_values(given)


def draw_choices() -> Figure:
    """Draw the distribution of completion times with 1, 2, 3 and 5 replicas."""
    from cluster_sim import prepare, run
    from cluster_sim.experiments.points import points
    from cluster_sim.views.distributions import plot_distribution
    from cluster_sim.views.saving import new_figure
    from cluster_sim.views.style import Look

    looks = [Look("#000000", "o", "-"), Look("#D55E00", "s", "--")]
    looks += [Look("#0072B2", "^", "-."), Look("#009E73", "D", ":")]
    with new_figure(5.4, 3.8) as figure:
        axes = figure.add_subplot()
        for point, look in zip(points(_scenario("choices")), looks, strict=True):
            outcome = run(prepare(point.scenario))
            n, mean = point.values["traffic.replicas"], outcome.mean_completion_time.mean
            label = f"{n} replica{'' if n == 1 else 's'}: mean {mean:.1f} slots"
            plot_distribution(axes, outcome.completion_times, look, label)
        axes.set_ylim(bottom=1e-5)
        axes.set_title("The power of choice: 100 servers, load 0.9")
        axes.legend()
    return figure


def draw_curves() -> Figure:
    """Draw completion time against load, as ``sweep --plot`` does."""
    from cluster_sim import prepare, run
    from cluster_sim.experiments.points import points
    from cluster_sim.views.sweeps import draw_sweep

    listed = points(_scenario("sweep-load", run__replications=3, run__slots=3000))
    outcomes = [run(prepare(point.scenario)) for point in listed]
    return draw_sweep(listed, outcomes, str(listed[0].scenario.title))


def draw_decomposition() -> Figure:
    """Draw the ideal load decomposition of the ring, as ``theory --plot`` does."""
    from cluster_sim import prepare
    from cluster_sim.scenario.task_types import decomposition_of
    from cluster_sim.views import decomposition

    prepared = prepare(_scenario("theorems/locally-overloaded"))
    found = decomposition_of(prepared)
    return decomposition.draw_decomposition(found, str(prepared.scenario.title))


def _hot_half(policy: str) -> Any:
    """Return the hot spot of the page on simulation practice."""
    return _scenario(
        "locally-overloaded",
        cluster__servers=200,
        traffic__hot_servers=100,
        scheduler__policy=policy,
        run__slots=4000,
        run__warmup="auto",
        run__replications=1,
    )


def draw_warmup() -> Figure:
    """Draw a pilot run and its cut."""
    from cluster_sim import prepare
    from cluster_sim.experiments.warmup import find_warmup
    from cluster_sim.views import queues

    return queues.draw_warmup(find_warmup(prepare(_hot_half("jsq-maxweight"))), "jsq-maxweight")


def draw_queues() -> Figure:
    """Draw the queues of helpers, of beneficiaries, and the common one."""
    from cluster_sim import prepare, run
    from cluster_sim.experiments.queue_history import history_of, sampler
    from cluster_sim.views import queues

    prepared = prepare(_hot_half("jsq-maxweight"))
    samples = sampler(prepared)
    outcome = run(prepared, observers=[samples])
    return queues.draw_queues(history_of(prepared, samples), "jsq-maxweight", outcome.warmup)


def draw_collapse() -> Figure:
    """Draw two queues of the ring against each other, nearer and nearer to the boundary."""
    from cluster_sim import prepare, run
    from cluster_sim.recording.queue_samples import QueueSamples
    from cluster_sim.views.saving import new_figure
    from cluster_sim.views.style import PREDICTION, look_of

    colour = look_of("priority").colour
    with new_figure(9.0, 3.6) as figure:
        grid = figure.subplots(1, 3, sharex=True, sharey=True)
        for axes, load in zip(grid, (0.8, 0.95, 0.99), strict=True):
            scenario = _scenario("theorems/locally-overloaded", traffic__load=load)
            samples = QueueSamples(look_every=200)
            run(prepare(scenario.with_values(_LONG)), observers=[samples])
            lengths = samples.lengths[10:]
            axes.plot(lengths[:, 1], lengths[:, 3], ".", color=colour, alpha=0.35, markersize=4)
            axes.plot([0, 60], [0, 60], **PREDICTION.as_arguments(), linewidth=1.0)
            axes.set(title=f"load {load:g}", xlabel="queue of server 1, tasks")
        grid[0].set(ylabel="queue of server 3, tasks", xlim=(0, 60), ylim=(0, 60))
        figure.suptitle("State-space collapse: the queues grow along a line", fontsize=10)
    return figure


_LONG = {"run.slots": 60_000, "run.warmup": 2_000, "run.replications": 1}


def draw_tiers() -> Figure:
    """Draw the tasks in the system over time, with four tiers, under three policies."""
    from cluster_sim import compare
    from cluster_sim.views.queues import plot_in_system
    from cluster_sim.views.saving import new_figure
    from cluster_sim.views.style import look_of

    scenario = _scenario("pod-tier", run__replications=1)
    comparison = compare(scenario, ["priority", "maxweight", "balanced-pandas"])
    with new_figure(5.8, 3.6) as figure:
        axes = figure.add_subplot()
        for outcome in comparison.outcomes:
            look = look_of(outcome.policy)
            plot_in_system(axes, outcome.results[0].series, look, outcome.policy)
        axes.set_ylim(bottom=0)
        axes.set_title("Racks and pods, load 0.9 of the capacity")
        axes.legend()
    return figure


def draw_theorem(name: str) -> Callable[[], Figure]:
    """Return what draws the figure of a theorem, as ``reproduce NAME --quick`` does."""

    def draw() -> Figure:
        from cluster_sim.experiments.reproductions import find
        from cluster_sim.views.theorems import draw_report

        return draw_report(find(name).run(quick=True, workers=1))

    return draw


PICTURES = (
    Picture("gallery/choices.svg", "choices", draw_choices),
    Picture("gallery/curves.svg", "sweep-load", draw_curves, is_slow=True),
    Picture("gallery/collapse.svg", "theorems/locally-overloaded", draw_collapse),
    Picture("gallery/tiers.svg", "pod-tier", draw_tiers, is_slow=True),
    Picture("theory/decomposition.svg", "theorems/locally-overloaded", draw_decomposition),
    Picture("how-to/figures/warm-up.svg", "locally-overloaded", draw_warmup),
    Picture("how-to/figures/queues.svg", "locally-overloaded", draw_queues),
    Picture(
        "theory/theorem-4.svg",
        "theorems/locally-overloaded",
        draw_theorem("theorem-4"),
        is_slow=True,
    ),
    Picture(
        "theory/theorem-5.svg",
        "theorems/locally-overloaded",
        draw_theorem("theorem-5"),
        is_slow=True,
    ),
)


def write_all(*, has_slow: bool = True) -> Iterator[Path]:
    """Write the pictures, and yield where; with the replay's where there is a browser."""
    for picture in PICTURES:
        if has_slow or not picture.is_slow:
            write(picture)
            yield picture.file
    import replay

    yield replay.write()


def write(picture: Picture) -> None:
    """Draw a picture and write it, with the digest of its numbers."""
    import matplotlib as mpl

    from cluster_sim.views.style import settings

    figure = picture.draw()
    with io.BytesIO() as file, mpl.rc_context(settings()):
        metadata = {"Date": None, "Description": digest(figure)}
        figure.savefig(file, format="svg", metadata=metadata)
        picture.file.write_bytes(file.getvalue())


def written_digest(path: Path) -> str:
    """Return the digest that a picture carries; empty without one."""
    _, _, found = path.read_bytes().partition(b"digest:")
    return found[:64].decode("ascii")


def digest(figure: Figure) -> str:
    """Return a digest of all that a figure shows: curves, points, bars, cells and words."""
    hashed = hashlib.sha256()
    for part in _shown(figure):
        hashed.update(part.encode() + b"\n")
    return f"digest:{hashed.hexdigest()}"


def _shown(figure: Figure) -> Iterator[str]:
    yield figure.get_suptitle()
    for axes in figure.axes:
        yield f"{axes.get_title()}|{axes.get_xlabel()}|{axes.get_ylabel()}"
        yield f"{axes.get_xscale()} {axes.get_yscale()}"
        legend = axes.get_legend()
        yield "|".join(text.get_text() for text in (legend.get_texts() if legend else []))
        for line in axes.lines:
            yield f"{line.get_color()} {_numbers(line.get_xydata())}"
        for collection in axes.collections:
            for path in collection.get_paths():
                yield _numbers(path.vertices)
        for patch in axes.patches:
            yield _numbers(patch.get_path().transformed(patch.get_patch_transform()).vertices)
        for image in axes.images:
            yield _numbers(image.get_array())
        for text in axes.texts:
            yield text.get_text()


def _numbers(values: Any) -> str:
    return " ".join(f"{x:.{_DIGITS}g}" for x in np.asarray(values, dtype=np.float64).ravel())


def with_text(png: bytes, text: str) -> bytes:
    """Return a PNG with a comment in it."""
    body = b"Description\0" + text.encode("latin-1")
    chunk = struct.pack(">I", len(body)) + b"tEXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"tEXt" + body))
    end = png.rindex(b"IEND") - 4
    return png[:end] + chunk + png[end:]
