"""Whatever runs beside it or is installed: the same results, and numba only where it is needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster_sim import policies
from cluster_sim.compiled.engine import simulate
from cluster_sim.emulator.emulator import simulate as simulate_simpy
from cluster_sim.experiments.replications import run
from cluster_sim.randomness import Key
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario import parse_scenario
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.testing import small_systems
from compiled.children import output
from compiled.users import system

SCENARIO = """
[cluster]
servers = 30
racks = 3

[service]
local = 0.9
rack_local = 0.7
remote = 0.4

[traffic]
kind = "even"
load = 0.9

[scheduler]
policy = "maxweight"

[run]
slots = 700
warmup = 100
replications = 6
seed = 12
engine = "compiled"
"""


def prepared(**run_table: object) -> Prepared:
    text = SCENARIO
    for name, value in run_table.items():
        text = "\n".join(
            f"{name} = {value!r}".replace("'", '"') if line.startswith(f"{name} =") else line
            for line in text.splitlines()
        )
    return prepare(parse_scenario(text))


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    """With 1, 2, 4 or more workers than replications, each replication is the same."""
    outcomes = [run(prepared(), workers=workers) for workers in (1, 2, 4, 9)]
    assert {outcome.engine for outcome in outcomes} == {"compiled"}
    assert len(outcomes[0].results) == 6
    for outcome in outcomes[1:]:
        assert outcome.results == outcomes[0].results
    assert outcomes[0].results[0] != outcomes[0].results[1]


def test_results_do_not_depend_on_the_engine() -> None:
    """The same scenario gives the same results on the other engine."""
    one, other = run(prepared(replications=2)), run(prepared(replications=2, engine="simpy"))
    assert (one.engine, other.engine) == ("compiled", "simpy")
    assert one.results == other.results


def test_results_do_not_depend_on_the_order_of_replications() -> None:
    """A replication is a pure function of its key, whatever ran before or runs beside it."""
    systems = [used for name in policies.names() for used in small_systems(policies.get(name))]
    work = [(used, Key.of(2, r)) for used in systems for r in range(2)]

    def one(at: int) -> RunResult:
        used, key = work[at]
        return simulate(used, key, slots=150)

    expected = [one(at) for at in range(len(work))]
    backwards = [one(at) for at in reversed(range(len(work)))][::-1]
    assert backwards == expected
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(len(work)))) == expected


BLOCKED = """
class Without:
    \"\"\"A finder that finds all but numba, as where it is not installed.\"\"\"
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numba", "llvmlite"}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""

CHOOSE = """
from cluster_sim.errors import ClusterSimError
from cluster_sim.experiments.engines import choose_engine
system = tiny("priority")
engine = choose_engine("auto", system)
print(engine.name, "|", engine.note)
show(engine.simulate(system, Key.of(1), slots=100))
try:
    choose_engine("compiled", system)
except ClusterSimError as error:
    print(error)
"""


def test_without_numba_the_simpy_engine_runs(tmp_path: Path) -> None:
    """Where numba is not installed the package works, says so, and names the remedy."""
    chosen, shown, refused = output(BLOCKED + CHOOSE, tmp_path).splitlines()
    assert chosen.startswith("simpy | SimPy engine: the compiled engine needs numba, which is not")
    for text in (chosen, refused):
        assert "pip install 'cluster_sim[fast]', or use engine = \"simpy\"" in text
    assert refused.startswith('[run] engine = "compiled": the compiled engine needs numba')
    result = simulate_simpy(system(policies.get("priority")), Key.of(1), slots=100)
    assert shown == (
        f"{result.n_arrivals} {result.in_system_sum} {result.waiting_sum} {result.busy.tolist()}"
    )


BROKEN = """
from pathlib import Path
Path("numba").mkdir()
Path("numba/__init__.py").write_text("raise ImportError('Numba needs NumPy 2.4 or less')")
sys.path.insert(0, "")
"""


def test_a_numba_that_does_not_work_is_as_none(tmp_path: Path) -> None:
    """If numba is there but cannot be imported, the SimPy engine runs, and the note says why."""
    chosen, _, refused = output(BROKEN + CHOOSE, tmp_path).splitlines()
    assert chosen.startswith("simpy | SimPy engine: ")
    for text in (chosen, refused):
        assert "which cannot be imported: Numba needs NumPy 2.4 or less; mend the" in text


IMPORTS = """
import cluster_sim
from cluster_sim.cli import main
loaded = lambda: {name for name in sys.modules if name.partition(".")[0] in {"numba", "llvmlite"}}
import cluster_sim.compiled, cluster_sim.compiled.engine, cluster_sim.kernels.loop
assert not loaded(), "importing the compiled engine"
assert main(["run", "six.toml", "--engine", "simpy", "--json"]) == 0
assert main(["check", "six.toml"]) == 0
assert main(["policies"]) == 0
assert main(["theory", "six.toml"]) == 0
assert not loaded(), "commands that compile nothing"
"""


def test_numba_is_imported_only_to_compile(tmp_path: Path) -> None:
    """Neither the package nor a command that compiles nothing imports numba, which takes long."""
    (tmp_path / "six.toml").write_text(SCENARIO)
    output(IMPORTS, tmp_path)


PLAIN = """
from cluster_sim.compiled.engine import simulate as compiled
from cluster_sim.emulator.emulator import simulate as simpy
import numba
assert numba.config.DISABLE_JIT
import warnings
warnings.simplefilter("error")
for policy in policies.names():
    for seed in (1, 2):
        one, other = [
            run(tiny(policy), Key.of(seed), slots=60, warmup=7) for run in (simpy, compiled)
        ]
        assert one == other, policy
print("equal")
"""


def test_the_kernels_run_as_plain_python(tmp_path: Path) -> None:
    """NUMBA_DISABLE_JIT=1 runs the kernels as Python, with equal results and no warning."""
    changes = {"NUMBA_DISABLE_JIT": "1", "CLUSTER_SIM_CACHE": str(tmp_path / "cache")}
    assert output(PLAIN, tmp_path, **changes).splitlines() == ["equal"]
    assert not (tmp_path / "cache").exists()


INTERRUPT = """
import os, signal, threading, time
from cluster_sim.compiled.engine import simulate
system = tiny("fifo")
simulate(system, Key.of(1), slots=1)
sent = []
def interrupt():
    time.sleep(1.0)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    simulate(system, Key.of(1), slots=10**9)
except KeyboardInterrupt:
    print(time.monotonic() - sent[0] < 1.0)
"""


@pytest.mark.slow
def test_an_interrupt_stops_a_run_within_a_second(tmp_path: Path) -> None:
    """Ctrl-C reaches a run of any length between two batches of arrivals."""
    assert output(INTERRUPT, tmp_path).strip() == "True"
