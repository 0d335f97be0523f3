"""A sweep runs what is missing, once, and ends with the same results whatever happens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import prepare, run
from cluster_sim.errors import ClusterSimError, ResultsError
from cluster_sim.experiments import executors, tasks
from cluster_sim.experiments.executors import Workers, dask_workers, threads
from cluster_sim.experiments.plan import Plan
from cluster_sim.experiments.points import Point, points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.sweep import Progress, outcome, run_sweep, suitable_workers
from cluster_sim.experiments.tasks import Report, StoppedError, run_task, task_of
from cluster_sim.experiments.warmup import WarmupMethod
from cluster_sim.scenario.schema import Scenario
from tests.experiments.sweeping import contents, finished, scenario


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


def refused() -> Workers:
    """Workers that must not be asked."""

    def start() -> ThreadPoolExecutor:
        raise AssertionError("there was nothing to run")

    return Workers("nobody", start, n_ahead=1)


def stopping_after(n: int, error: BaseException) -> Workers:
    """One worker that raises in the sweep's own thread when it is asked for one task too many."""
    asked = itertools.count()
    inner = threads(1)

    class Stopping(Workers):
        def submit(self, task: tasks.Task) -> Future[Report]:
            if next(asked) == n:
                raise error
            return inner.submit(task)

    return Stopping("stopping", lambda: ThreadPoolExecutor(1), n_ahead=1)


def test_a_second_start_runs_nothing(path: Path) -> None:
    """What is there is not run again: no worker is even started."""
    listed = points(scenario())
    before = finished(listed, path)
    with Store(path) as store:
        summary = run_sweep(listed, store, workers=refused())
    assert (summary.n_found, summary.n_run, summary.is_complete) == (12, 0, True)
    assert contents(path) == before


@pytest.mark.parametrize("n", [0, 1, 5, 11])
def test_a_sweep_cut_off_is_finished_by_the_next_start(path: Path, tmp_path: Path, n: int) -> None:
    """An interrupt keeps what is finished; the next start adds the rest and nothing else."""
    listed = points(scenario())
    with Store(path) as store:
        cut = run_sweep(listed, store, workers=stopping_after(n, KeyboardInterrupt()))
        assert (cut.is_interrupted, cut.is_complete) == (True, False)
        assert (cut.n_run, cut.n_missing) == (n, 12 - n)
        rest = run_sweep(listed, store, workers=1)
    assert (rest.n_found, rest.n_run, rest.is_complete) == (n, 12 - n, True)
    assert contents(path) == finished(listed, tmp_path / "other.sqlite")


def test_more_replications_add(path: Path, tmp_path: Path) -> None:
    """Two replications and two more are the four of a sweep of four."""
    finished(points(scenario()), path)
    four = points(scenario(run__replications=4))
    with Store(path) as store:
        summary = run_sweep(four, store, workers=1)
    assert (summary.n_found, summary.n_run) == (12, 12)
    assert contents(path) == finished(four, tmp_path / "other.sqlite")


def test_fewer_replications_use_the_first(path: Path) -> None:
    """A sweep of two that finds four reports the first two."""
    finished(points(scenario(run__replications=4)), path)
    (point, *_) = points(scenario())
    with Store(path, read_only=True) as store:
        assert len(store.results(point)) == 4
        found = outcome(point, store)
        assert found is not None
        assert found.results == run(prepare(point.scenario)).results
        assert Plan([point], store).n_total == Plan([point], store).n_done == 2


def test_more_points_add(path: Path) -> None:
    """A wider sweep runs only the points that are new."""
    finished(points(scenario()), path)
    wider = points(scenario(sweep={"traffic.load": [0.5, 0.6, 0.7, 0.9]}))
    with Store(path) as store:
        summary = run_sweep(wider, store, workers=1)
    assert (summary.n_found, summary.n_run) == (6, 2)


def test_order_and_workers_do_not_matter(path: Path, tmp_path: Path) -> None:
    """Points in reverse on three threads and any executor give the same results."""
    listed = points(scenario(run__replications=3))
    expected = finished(listed, path)
    reverse = finished(listed[::-1], tmp_path / "reverse.sqlite", workers=threads(3))
    # All but the note of which points the last sweep asked for, in its order.
    assert reverse | {"meta": []} == expected | {"meta": []}
    with ThreadPoolExecutor(2) as pool:
        assert finished(listed, tmp_path / "pool.sqlite", workers=pool) == expected
        assert pool.submit(int, "1").result() == 1  # it is the caller's, and still open


def test_engines_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    """A sweep begun on one engine and finished on the other holds the same results."""
    pytest.importorskip("numba")
    simpy, both = points(scenario()), points(scenario(run__engine="compiled"))
    assert finished(both, tmp_path / "compiled.sqlite").keys() == finished(simpy, path).keys()
    with Store(path) as mine, Store(tmp_path / "compiled.sqlite") as other:
        query = "SELECT point_id, replication, result FROM results ORDER BY 1, 2"
        assert list(mine._select(query)) == list(other._select(query))
        assert run_sweep(both, mine, workers=1).n_run == 0


@pytest.mark.parametrize(("slots", "is_short"), [(400, False), (60, True)])
def test_warmup_auto_is_found_once_and_is_that_of_a_run(
    path: Path, slots: int, is_short: bool
) -> None:
    """The pilot of a point decides for all its replications, and is labelled, as in ``run``."""
    auto = {"run__warmup": "auto", "run__slots": slots, "run__replications": 3}
    listed = points(scenario(**auto))
    finished(listed, path, workers=threads(3))
    with Store(path, read_only=True) as store:
        for point in listed[:2]:
            found, expected = outcome(point, store), run(prepare(point.scenario))
            assert found is not None
            assert found.results == expected.results
            assert found.warmup.slots == expected.warmup.slots
            assert found.warmup.method == expected.warmup.method
            assert (found.warmup.method is WarmupMethod.QUARTER) is is_short
            assert found.warmup.note == expected.warmup.note


def test_the_pilot_runs_once_a_point(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other replications wait for it, and a second start takes it from the file."""
    calls = []
    find = tasks.find_warmup
    monkeypatch.setattr(tasks, "find_warmup", lambda *a, **k: calls.append(1) or find(*a, **k))
    auto = {"run__warmup": "auto", "run__slots": 400}
    finished(points(scenario(**auto, run__replications=3)), path, workers=threads(3))
    finished(points(scenario(**auto, run__replications=5)), path, workers=threads(3))
    assert len(calls) == 6


def precise(**values: object) -> Scenario:
    swept = {"traffic.load": [0.3, 0.9]}
    return scenario(
        run__precision=0.03, run__max_replications=40, run__slots=100, sweep=swept, **values
    )


def test_a_requested_precision_takes_what_a_run_takes(path: Path) -> None:
    """Each point has as many replications as ``run`` would give it."""
    listed = points(precise())
    finished(listed, path, workers=threads(3))
    sizes = set()
    with Store(path, read_only=True) as store:
        for point in listed:
            found, expected = outcome(point, store), run(prepare(point.scenario))
            assert found is not None
            assert found.results == expected.results
            assert found.is_complete
            sizes.add(len(found.results))
    assert len(sizes) > 1


def test_a_requested_precision_survives_a_cut(path: Path, tmp_path: Path) -> None:
    """Cut off in any round, it ends with the same replications."""
    listed = points(precise())
    for n in (0, 7, 9, 5):
        with Store(path) as store:
            run_sweep(listed, store, workers=stopping_after(n, KeyboardInterrupt()))
    with Store(path) as store:
        assert run_sweep(listed, store, workers=1).is_complete
    assert contents(path) == finished(listed, tmp_path / "other.sqlite")


def failing(monkeypatch: pytest.MonkeyPatch, point: Point, error: Exception) -> None:
    """Let one point fail from now on."""
    prepare_task = tasks._prepare

    def prepare_or_not(task: tasks.Task) -> Any:
        if task.point_id == point.id:
            raise error
        return prepare_task(task)

    monkeypatch.setattr(tasks, "_prepare", prepare_or_not)
    tasks._READY._kept.clear()


@pytest.fixture(autouse=True)
def nothing_prepared() -> Iterator[None]:
    tasks._READY._kept.clear()
    yield
    tasks._READY._kept.clear()


def test_what_fails_is_recorded_and_the_others_go_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure is kept with error, seed and replication; a later start tries it again."""
    listed = points(scenario())
    with monkeypatch.context() as patch:
        failing(patch, listed[2], ZeroDivisionError("half a server"))
        with Store(path) as store:
            summary = run_sweep(listed, store, workers=1)
            assert (summary.n_run, summary.n_failed, summary.n_missing) == (10, 2, 0)
            assert not summary.is_complete
            first, second = store.failures(listed)
            assert (first.point_id, first.replication, first.seed) == (listed[2].id, 0, 7)
            assert (second.replication, second.n_attempts) == (1, 1)
            assert first.error == "ZeroDivisionError: half a server"
            assert "prepare_or_not" in first.trace
            assert run_sweep(listed, store, workers=1).n_failed == 2
            assert store.failures(listed)[0].n_attempts == 2
            assert outcome(listed[2], store) is None
    tasks._READY._kept.clear()
    with Store(path) as store:
        summary = run_sweep(listed, store, workers=1)
        assert (summary.n_found, summary.n_run, summary.is_complete) == (10, 2, True)
        assert store.failures(listed) == []
    assert contents(path) == finished(listed, tmp_path / "other.sqlite")


def test_our_own_errors_are_recorded_in_their_words(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours needs no class name in front."""
    listed = points(scenario())
    failing(monkeypatch, listed[0], ClusterSimError("what to do"))
    with Store(path) as store:
        run_sweep(listed, store, workers=1)
        assert store.failures(listed)[0].error == "what to do"


def test_a_worker_with_other_code_is_noticed() -> None:
    """A worker computes the id itself, and refuses a task that it would do differently."""
    (point, *_) = points(scenario())
    task = task_of(point, 0)
    report = run_task(tasks.Task("0" * 32, task.scenario, 0, None, None))
    assert report.error is not None
    assert "would give other results" in report.error
    assert "ResultsError" in (report.trace or "")
    assert issubclass(ResultsError, ClusterSimError)


def test_a_task_stops_when_told() -> None:
    """A running replication is left unfinished, without a report."""
    with pytest.raises(StoppedError):
        run_task(task_of(points(scenario())[0], 0), should_stop=lambda: True)


def test_progress_counts_to_the_end(path: Path) -> None:
    """The last word is that everything is done."""
    told: list[Progress] = []
    with Store(path) as store:
        run_sweep(points(scenario()), store, workers=1, progress=told.append)
    assert told[-1] == Progress(n_done=12, n_failed=0, n_total=12)
    assert [p.n_done for p in told] == sorted(p.n_done for p in told)


def test_a_broken_executor_of_the_callers_own_is_an_error(path: Path) -> None:
    """Nobody can restart it; what was finished is kept."""
    from concurrent.futures.process import BrokenProcessPool

    inner, asked = ThreadPoolExecutor(1), itertools.count()

    class Breaking(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            if next(asked) < 3:
                return inner.submit(fn, *args, **kwargs)
            broken: Future[Any] = Future()
            broken.set_exception(BrokenProcessPool("gone"))
            return broken

    listed = points(scenario())
    with inner, Breaking(1) as pool, Store(path) as store:
        with pytest.raises(ClusterSimError, match="the executor broke; what was finished is kept"):
            run_sweep(listed, store, workers=pool)
        assert len(store.rows(listed)[listed[0].id]) > 0


def test_the_engine_decides_between_threads_and_processes() -> None:
    """Threads gain nothing for the SimPy engine; one worker needs no process."""
    simpy = points(scenario())
    assert suitable_workers(simpy, 2).name == "2 processes"
    assert suitable_workers(simpy, 1).name == "1 thread"
    assert suitable_workers(simpy).name.split()[1].startswith(("process", "thread"))
    pytest.importorskip("numba")
    assert suitable_workers(points(scenario(run__engine="auto")), 2).name == "2 threads"


@pytest.mark.parametrize("address", ["somewhere", "localhost:8786"])
def test_an_address_needs_a_protocol(address: str) -> None:
    """What is no address is told from one that does not answer."""
    pytest.importorskip("distributed")
    with pytest.raises(ClusterSimError, match=r"must be the address of a Dask scheduler, such as"):
        dask_workers(address)


def test_without_dask_a_cluster_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra that brings it."""
    monkeypatch.setattr(executors.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterSimError, match=r"pip install 'cluster_sim\[cluster\]'"):
        dask_workers("local")
