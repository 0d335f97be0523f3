"""Where the tasks of a sweep run: threads, processes, or a Dask cluster.

All of them are used through ``concurrent.futures.Executor``, and results do not depend on which.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any

from cluster_sim.errors import ClusterSimError, ScenarioError
from cluster_sim.experiments.tasks import Report, Task, run_task

__all__ = ["ClusterError", "Workers", "dask_workers", "given", "processes", "threads"]

LOCAL = "local"
_AHEAD = 2  # tasks handed out per worker: one runs, one waits
_AHEAD_CLUSTER = 256  # of a cluster whose workers come and go
_PATIENCE = 60  # seconds for a cluster to answer, and for its first worker


class ClusterError(ClusterSimError, RuntimeError):
    """A Dask cluster cannot be reached, or has no workers."""


class Workers:
    """Workers that run tasks; use it in a ``with`` statement.

    Parameters
    ----------
    name : str
        For people: ``"2 threads"``.
    start : callable
        Returns a new executor. It is called again if the executor breaks, as a pool of processes
        does when one is killed.
    n_ahead : int
        How many tasks to hand out at once.
    can_restart : bool
    run : callable
        What to submit: from a task to its report.
    stop : callable
        Tells the tasks that are running to stop, where they can be told.
    close : callable
        Ends what was started for the executor.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Executor],
        *,
        n_ahead: int,
        can_restart: bool = False,
        run: Callable[[Task], Report] = run_task,
        stop: Callable[[], None] = lambda: None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.n_ahead, self.can_restart = name, n_ahead, can_restart
        self._start, self._run, self._stop, self._close = start, run, stop, close
        self._executor: Executor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.stop()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._close()

    def submit(self, task: Task) -> Future[Report]:
        """Hand out a task.

        Parameters
        ----------
        task : Task

        Returns
        -------
        concurrent.futures.Future
        """
        if self._executor is None:
            self._executor = self._start()
        return self._executor.submit(self._run, task)

    def restart(self) -> None:
        """Start afresh after the executor broke."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = None

    def stop(self) -> None:
        """Ask the tasks that are running to stop."""
        self._stop()


def threads(n: int) -> Workers:
    """Return threads of this process, for the compiled engine.

    Parameters
    ----------
    n : int

    Returns
    -------
    Workers
    """
    stopped = threading.Event()

    def run(task: Task) -> Report:
        return run_task(task, should_stop=stopped.is_set)

    return Workers(
        _counted(n, "thread"),
        lambda: ThreadPoolExecutor(n, thread_name_prefix="sweep"),
        n_ahead=_AHEAD * n,
        run=run,
        stop=stopped.set,
    )


def processes(n: int) -> Workers:
    """Return processes of this machine, for the SimPy engine.

    Parameters
    ----------
    n : int

    Returns
    -------
    Workers

    Notes
    -----
    They are spawned, not forked, so a script that calls this needs the usual
    ``if __name__ == "__main__":``. They end when this process does, however that ends.
    """
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()

    def start() -> Executor:
        return _Processes(n, mp_context=context, initializer=_begin_process, initargs=(stopped,))

    return Workers(
        _counted(n, "process", "es"),
        start,
        n_ahead=_AHEAD * n,
        can_restart=True,
        run=_run_in_process,
        stop=stopped.set,
    )


class _Processes(ProcessPoolExecutor):
    """Processes that a Ctrl-C on the terminal does not reach, not even as they start."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        with _deaf_children():  # a process is started when there is something to do
            return super().submit(fn, *args, **kwargs)


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that are started now ignore SIGINT: they inherit that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_should_stop: Callable[[], bool] | None = None  # of a worker process


def _begin_process(stopped: Event) -> None:
    """Make a process a worker: it stops when told, not by Ctrl-C, and dies with its parent."""
    global _should_stop  # noqa: PLW0603 - an initializer has no other way to hand something on
    _should_stop = stopped.is_set
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.dup2(2, 1)  # what a policy prints must not mix with the results
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run_in_process(task: Task) -> Report:
    return run_task(task, should_stop=_should_stop)


def given(executor: Executor) -> Workers:
    """Return an executor of the caller's own as workers; it is left open.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Runs in this process, or in others that can import `cluster_sim`.

    Returns
    -------
    Workers
    """
    return Workers(type(executor).__name__, lambda: _Borrowed(executor), n_ahead=_AHEAD_CLUSTER)


class _Borrowed(Executor):
    """An executor that its owner shuts down."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave it running."""


def dask_workers(address: str, n: int | None = None) -> Workers:
    """Return the workers of a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, ``"tcp://host:8786"``; or ``"local"`` for a cluster on this machine, which
        is started and ended with the sweep.
    n : int, optional
        Workers of a local cluster; by default one a processor.

    Returns
    -------
    Workers
        Workers may leave and join at any time.

    Raises
    ------
    ScenarioError
        If Dask is not installed, or the address is none.
    ClusterError
        If the scheduler does not answer, or no worker comes.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ScenarioError(
            "--cluster needs Dask, which is not installed; pip install 'cluster_sim[cluster]', or "
            "leave --cluster out"
        )
    if address != LOCAL and "://" not in address:
        raise ScenarioError(
            f"--cluster {address}: must be the address of a Dask scheduler, such as "
            f'tcp://host:8786, or "{LOCAL}"'
        )
    opened = contextlib.ExitStack()

    def start() -> Executor:
        client = _connect(address, n or os.cpu_count() or 1, opened)
        return _DaskExecutor(client.get_executor(pure=False))

    return Workers(
        "a local Dask cluster" if address == LOCAL else f"the Dask cluster at {address}",
        start,
        n_ahead=_AHEAD_CLUSTER,
        run=_run_quietly,
        close=opened.close,
    )


def _connect(address: str, n: int, opened: contextlib.ExitStack) -> Any:
    """Return a client of a Dask cluster that has workers; `opened` closes what was opened."""
    distributed: Any = importlib.import_module("distributed")  # untyped in part
    cluster: Any = address
    if address == LOCAL:
        with _deaf_children():
            local = distributed.LocalCluster(
                n_workers=n, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            )
        cluster = opened.enter_context(local)
    try:
        client = opened.enter_context(distributed.Client(cluster, timeout=_PATIENCE))
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise ClusterError(
            f"--cluster {address}: the scheduler has no worker, and none came for {_PATIENCE} "
            f"seconds; start some with `dask worker {address}`"
        ) from None
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"--cluster {address}: no scheduler answers ({error}); start one with "
            "`dask scheduler`, and check the address"
        ) from None
    return client


class _DaskExecutor(Executor):
    """Dask's executor with the shutdown of the others."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel what is left; a task that runs already ends in its own time, for nobody."""
        self._executor.shutdown(wait=wait and not cancel_futures)


def _run_quietly(task: Task) -> Report:
    with contextlib.redirect_stdout(sys.stderr):
        return run_task(task)


def _counted(n: int, thing: str, plural: str = "s") -> str:
    return f"{n} {thing}{'' if n == 1 else plural}"
