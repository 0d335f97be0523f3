"""The benchmarks: each returns what it found, with the goals that the design sets."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cluster_sim import policies
from cluster_sim.compiled.engine import simulate
from cluster_sim.experiments.replications import run
from cluster_sim.scenario.schema import to_toml
from cluster_sim.system import System
from tests.benchmarks import c_reference, figure3
from tests.benchmarks.findings import Finding
from tests.benchmarks.measuring import (
    Effort,
    Measured,
    Rate,
    in_child,
    in_turn,
    ratio,
    run_python,
    speed,
    timed,
)
from tests.benchmarks.other_simulators import OTHERS
from tests.benchmarks.plain_simpy import run_events, run_stores
from tests.benchmarks.systems import (
    ENGINES,
    KEY,
    evenly_loaded,
    prepared,
    tasks_of,
    warm_up,
)

PAIR = ("priority", "jsq-maxweight")
POINTER = 8  # bytes
SOLVING = ("quincy", "discrete-review")  # policies that solve an optimisation problem as they go


class MissingError(Exception):
    """What a benchmark compares with is not installed."""


def simpy_engine(effort: Effort) -> list[Finding]:
    """The SimPy engine against plain SimPy with one Store a server."""
    n_servers, load, slots = 100, 0.9, effort.slots(1500)
    system = evenly_loaded("priority", n_servers, load)
    warm_up(system)
    engine, stores, events = in_turn(
        effort.n_rounds,
        partial(tasks_of, "simpy", system, slots),
        lambda: timed(partial(run_stores, n_servers, load, slots)),
        lambda: timed(partial(run_events, 300 * slots)),
    )
    return [
        Finding(
            "SimPy engine, tasks per CPU-second over plain SimPy with Stores",
            ratio(engine, stores),
            at_least=2,
            note=f"priority with its measurements, M = 100, load 0.9; {speed(engine):,.0f} tasks/s",
        ),
        Finding(
            "SimPy engine, tasks per bare SimPy event",
            ratio(engine, events),
            note=f"one process that only waits: {speed(events):,.0f} events/s",
        ),
    ]


def memory(effort: Effort) -> list[Finding]:
    """The peak memory of runs of different length: a further task may cost less than a pointer."""
    findings = []
    for engine, n_servers, slots in (("simpy", 100, 2_000), ("compiled", 1000, 4_000)):
        run_in_child = partial(
            in_child, engine=engine, policy="priority", n_servers=n_servers, load=0.9
        )
        short, long = (run_in_child(slots=n * effort.slots(slots)) for n in (1, 8))
        grown = long["peak_bytes"] - short["peak_bytes"]
        per_task = grown / (long["tasks"] - short["tasks"])
        findings.append(
            Finding(
                f"{engine} engine, further peak memory per further task",
                Measured((max(0.0, per_task),)),
                unit="bytes",
                at_most=POINTER,
                note=f"M = {n_servers}, {short['tasks']:,} against {long['tasks']:,} tasks; "
                f"{long['peak_bytes'] / 2**20:.0f} MiB in all",
            )
        )
    return findings


def against_c(effort: Effort) -> list[Finding]:
    """The compiled engine against C, after both have reported the same counts and sums."""
    if c_reference.GCC is None:
        raise MissingError("gcc is not installed")
    findings = []
    slots = effort.slots(5000)
    with tempfile.TemporaryDirectory() as folder:
        plain = c_reference.build(Path(folder))
        native = c_reference.build(Path(folder), "-march=native")
        for policy in PAIR:
            for load in (0.9, 0.99):
                system = evenly_loaded(policy, 1000, load)
                warm_up(system)
                result = simulate(system, KEY, slots=slots, warmup=slots // 4)
                expected = c_reference.Numbers.of(result)

                engine, in_plain, in_native = in_turn(
                    effort.n_rounds,
                    partial(tasks_of, "compiled", system, slots),
                    partial(_in_c, plain, system, slots, expected),
                    partial(_in_c, native, system, slots, expected),
                )
                where = f"{policy}, load {load:g}"
                findings += [
                    Finding(
                        f"compiled engine, speed over C: {where}",
                        ratio(engine, in_plain),
                        at_least=0.8,
                        note=f"M = 1000, gcc -O3; {1e9 / speed(engine):.0f} against "
                        f"{1e9 / speed(in_plain):.0f} ns a task; counts and sums equal",
                    ),
                    Finding(
                        f"the same with -march=native: {where}",
                        ratio(engine, in_native),
                        note=f"{1e9 / speed(in_native):.0f} ns a task",
                    ),
                ]
    return findings


def _in_c(program: Path, system: System, slots: int, expected: c_reference.Numbers) -> Rate:
    found, rate = c_reference.run(program, system, slots=slots, warmup=slots // 4, key=KEY)
    assert found == expected, "C and engine ran different trajectories"
    return rate


def between_engines(effort: Effort) -> list[Finding]:
    """The compiled engine against the SimPy engine on the same system."""
    findings = []
    for policy in PAIR:
        system = evenly_loaded(policy, 1000, 0.9)
        warm_up(system)
        fast, slow = in_turn(
            min(effort.n_rounds, 5),
            partial(tasks_of, "compiled", system, effort.slots(3000)),
            partial(tasks_of, "simpy", system, effort.slots(150)),
        )
        findings.append(
            Finding(
                f"compiled engine over SimPy engine: {policy}",
                ratio(fast, slow),
                at_least=100,
                note=f"M = 1000, load 0.9; {speed(fast):,.0f} against {speed(slow):,.0f} tasks/s",
            )
        )
    return findings


def large_cluster(effort: Effort) -> list[Finding]:
    """A cluster of 100,000 servers: the cost of a task, and the memory."""
    findings = []
    for policy in PAIR:
        peaks: list[float] = []

        def child(
            n_servers: int, slots: int, policy: str = policy, peaks: list[float] = peaks
        ) -> Rate:
            answer = in_child(
                engine="compiled",
                policy=policy,
                n_servers=n_servers,
                load=0.9,
                slots=effort.slots(slots),
            )
            if n_servers > 1000:
                peaks.append(answer["peak_bytes"])
            return Rate(int(answer["tasks"]), answer["seconds"])

        small, large = in_turn(
            min(effort.n_rounds, 5), partial(child, 1000, 5000), partial(child, 100_000, 100)
        )
        findings += [
            Finding(
                f"cost of a task at M = 100,000 over M = 1000: {policy}",
                ratio(small, large),
                at_most=2.5,
                note=f"load 0.9; {1e9 / speed(large):.0f} against {1e9 / speed(small):.0f} ns",
            ),
            Finding(
                f"peak memory at M = 100,000: {policy}",
                Measured(tuple(peak / 2**20 for peak in peaks)),
                unit="MiB",
                at_most=1024,
                note="of the whole process",
            ),
        ]
    return findings + _large_in_c(effort)


def _large_in_c(effort: Effort) -> list[Finding]:
    """The same of the C program: what the caches cost, whoever writes the loop."""
    if c_reference.GCC is None:
        return []
    small, large = evenly_loaded("priority", 1000, 0.9), evenly_loaded("priority", 100_000, 0.9)
    with tempfile.TemporaryDirectory() as folder:
        program = c_reference.build(Path(folder))

        def in_c(system: System, slots: int) -> Rate:
            return c_reference.run(program, system, slots=slots, warmup=0, key=KEY)[1]

        few, many = in_turn(
            min(effort.n_rounds, 5),
            partial(in_c, small, effort.slots(5000)),
            partial(in_c, large, effort.slots(100)),
        )
    return [
        Finding(
            "the same of the C program: priority",
            ratio(few, many),
            note=f"{1e9 / speed(many):.0f} against {1e9 / speed(few):.0f} ns",
        )
    ]


def compile_seconds(policy: str, folder: Path) -> float:
    """Return the CPU seconds of a first tiny run: numba's import and compiling, twice, the lesser.

    What else the machine does only adds to CPU seconds.
    """
    found = []
    for name in (policy, f"{policy}-again"):
        cache = {"CLUSTER_SIM_CACHE": str(folder / name)}
        first = in_child(cache, engine="compiled", policy=policy, n_servers=100, load=0.5, slots=3)
        found.append(first["first_seconds"])
    return min(found)


def start_up(effort: Effort) -> list[Finding]:
    """Compiling into an empty cache, a second process, and --help, in CPU seconds."""
    n_rounds = min(effort.n_rounds, 5)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scenario.toml")
        scenario = prepared("priority", 100, 0.9, slots=100).scenario
        file.write_text(to_toml(scenario), encoding="utf-8")
        names = policies.names() if effort.scale == 1 else PAIR
        cold = [compile_seconds(name, Path(folder)) for name in names]
        run_file = ["-m", "cluster_sim", "run", str(file), "--json"]
        cache = {"CLUSTER_SIM_CACHE": str(Path(folder, "priority"))}
        warm = [run_python(run_file, cache)[1] for _ in range(n_rounds + 1)]
    told = [run_python(["-m", "cluster_sim", "--help"])[1] for _ in range(n_rounds + 1)]
    return [
        Finding(
            "compiling a built-in policy into an empty cache (slowest)",
            Measured((max(cold),)),
            unit="s",
            at_most=6,
            note=f"CPU; {min(cold):.1f} to {max(cold):.1f} s over {len(cold)} policies",
        ),
        # The first call may still write files that Python caches.
        Finding(
            "a second process: cluster-sim run, from start to end",
            Measured(tuple(warm[1:])),
            unit="s",
            at_most=1.5,
            note="CPU; 100 servers, 100 slots, compiled engine from the cache",
        ),
        Finding("cluster-sim --help", Measured(tuple(told[1:])), unit="s", at_most=0.5, note="CPU"),
    ]


def threads(effort: Effort) -> list[Finding]:
    """Two threads against one, in wall time: needs a machine with two idle processors."""
    if (os.cpu_count() or 1) < 2:
        raise MissingError("one processor only")
    scenario = prepared("priority", 1000, 0.9, slots=effort.slots(5000), replications=4)
    warm_up(scenario.system)
    busy = os.getloadavg()[0]

    def on(workers: int) -> Rate:
        begin = time.perf_counter()
        outcome = run(scenario, workers=workers)
        seconds = time.perf_counter() - begin
        results.append(outcome.results)
        return Rate(sum(result.n_completed for result in outcome.results), seconds)

    results: list[object] = []
    one, two = in_turn(effort.n_rounds, partial(on, 1), partial(on, 2))
    assert all(result == results[0] for result in results), "results depend on the threads"
    return [
        Finding(
            "two threads over one, wall time",
            ratio(two, one),
            at_least=1.8,
            note=f"4 replications, results equal; load average before: {busy:.1f}",
        )
    ]


def figure_3(effort: Effort) -> list[Finding]:
    """The paper's whole figure 3 on two threads."""
    busy = os.getloadavg()[0]
    slots = effort.slots(figure3.N_SLOTS)
    wall, cpu = time.perf_counter(), time.process_time()
    results = figure3.run_figure(slots, 2)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n_tasks = sum(result.n_completed for result in results.values())
    return [
        Finding(
            "the paper's figure 3 on two threads, wall time",
            Measured((wall,)),
            unit="s",
            at_most=90,
            note=f"{len(results)} runs of {slots:,} slots, M = 1000, {n_tasks:,} tasks; "
            f"{cpu:.0f} s of CPU; load average before: {busy:.1f}",
        )
    ]


def others(effort: Effort) -> list[Finding]:
    """Other simulators on JSQ(3) alone, next to SimPy with Stores and both engines."""
    n_servers, load = 100, 0.9
    system = evenly_loaded("priority", n_servers, load)
    warm_up(system)
    stores = partial(timed, partial(run_stores, n_servers, load, effort.slots(1500)))
    works: dict[str, Callable[[], Rate]] = {
        "cluster_sim, SimPy engine (whole model)": partial(
            tasks_of, "simpy", system, effort.slots(1500)
        ),
        "cluster_sim, compiled engine (whole model)": partial(
            tasks_of, "compiled", system, effort.slots(30_000)
        ),
    }
    missing = {}
    slots = {"Ciw": 100, "salabim": 200, "queueing-tool": 1000, "Cimba": 20_000}
    for name in OTHERS:
        work: Callable[[], Rate] = partial(_other, name, n_servers, load, effort.slots(slots[name]))
        try:
            work()
        except RuntimeError as error:  # not installed, or not made for what is
            missing[name] = str(error).strip().splitlines()[-1]
        else:
            works[name] = work
    findings = []
    for name, measured in works.items():
        theirs, plain = in_turn(min(effort.n_rounds, 5), measured, stores)
        note = f"{speed(theirs):,.0f} tasks/s"
        findings.append(Finding(f"{name}, over SimPy with Stores", ratio(theirs, plain), note=note))
    findings.sort(key=lambda finding: finding.value)
    return findings + [
        Finding(f"{name}, over SimPy with Stores", Measured((0.0,)), note=f"not measured: {why}")
        for name, why in missing.items()
    ]


def _other(name: str, n_servers: int, load: float, slots: int) -> Rate:
    """Run another simulator in a process of its own."""
    module = "tests.benchmarks.other_simulators"
    told, _ = run_python(["-m", module, name, str(n_servers), str(load), str(slots)])
    n, seconds = told.splitlines()[-1].split()
    return Rate(int(n), float(seconds))


def task_policies(effort: Effort) -> list[Finding]:
    """Each task policy against `priority`, on the SimPy engine that runs both."""
    findings = []
    names = policies.names(policies.PolicyKind.TASK)
    for kind, slots in (("even", effort.slots(40)), ("hotspot", effort.slots(40))):
        systems = [prepared(name, 1000, 0.9, kind=kind).system for name in ("priority", *names)]
        for system in systems:
            ENGINES["simpy"](system, KEY, slots=2)
        rates = in_turn(
            min(effort.n_rounds, 3),
            *(partial(tasks_of, "simpy", system, slots) for system in systems),
        )
        findings += [
            Finding(
                f"SimPy engine, {name} over priority: {kind}",
                ratio(found, rates[0]),
                at_least=0.05 if name in SOLVING else 0.2,
                note=f"M = 1000, load 0.9, {slots} slots; {speed(found):,.0f} tasks/s",
            )
            for name, found in zip(names, rates[1:], strict=True)
        ]
    return findings


BENCHMARKS: dict[str, Callable[[Effort], list[Finding]]] = {
    "simpy": simpy_engine,
    "c": against_c,
    "engines": between_engines,
    "large": large_cluster,
    "memory": memory,
    "start-up": start_up,
    "threads": threads,
    "figure-3": figure_3,
    "task-policies": task_policies,
    "others": others,
}
