"""The file behind a store: opening it, refusing what is no results file, and its lock."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from cluster_sim.errors import ResultsError, StorageError

__all__ = ["APPLICATION_ID", "FILE_FORMAT", "Lock", "connect", "plain_words"]

APPLICATION_ID = 0x636C7369  # "clsi"; SQLite keeps it in the header of the file
FILE_FORMAT = 1  # SQLite's user_version
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)

SCHEMA = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE points (
    id TEXT PRIMARY KEY,         -- hash of all that decides a result
    version TEXT NOT NULL,       -- of cluster_sim
    scenario TEXT NOT NULL,      -- JSON, defaults filled in
    swept TEXT NOT NULL,         -- JSON: the swept fields and their values
    identity TEXT NOT NULL       -- JSON: what the id is a hash of
);
CREATE TABLE results (
    point_id TEXT NOT NULL REFERENCES points (id),
    replication INTEGER NOT NULL,
    seed TEXT NOT NULL,          -- to 2**64 - 1, more than SQLite's integers hold
    engine TEXT NOT NULL,
    load REAL NOT NULL,
    rate REAL NOT NULL,          -- tasks per slot
    capacity REAL NOT NULL,      -- tasks per slot
    slots INTEGER NOT NULL,
    warmup INTEGER NOT NULL,
    warmup_method TEXT NOT NULL,
    n_arrivals INTEGER NOT NULL,
    n_completed INTEGER NOT NULL,
    n_in_system INTEGER NOT NULL,
    mean_completion_time REAL,   -- slots; NULL where nothing was measured
    mean_waiting_time REAL,
    p50 INTEGER,                 -- of completion times, slots
    p90 INTEGER,
    p99 INTEGER,
    p999 INTEGER,
    local REAL,                  -- fraction of starts
    utilisation REAL,
    mean_in_system REAL,
    mean_waiting REAL,
    growth REAL,                 -- tasks in the system gained per slot
    result BLOB NOT NULL,        -- JSON, compressed by zlib
    wall_seconds REAL NOT NULL,
    worker TEXT NOT NULL,
    finished_at TEXT NOT NULL,   -- UTC
    PRIMARY KEY (point_id, replication)
);
CREATE TABLE failures (
    point_id TEXT NOT NULL REFERENCES points (id),
    replication INTEGER NOT NULL,
    seed TEXT NOT NULL,
    error TEXT NOT NULL,
    trace TEXT NOT NULL,
    n_attempts INTEGER NOT NULL,
    wall_seconds REAL NOT NULL,
    worker TEXT NOT NULL,
    failed_at TEXT NOT NULL,
    PRIMARY KEY (point_id, replication)
);
"""


class Lock:
    """Says that a sweep writes to a results file; the system takes it back if the sweep dies.

    Parameters
    ----------
    path : str
        The results file; the lock is a file beside it.

    Raises
    ------
    ResultsError
        If another sweep holds it.
    OSError
        If nothing can be written there.
    """

    def __init__(self, path: str) -> None:
        self._path = f"{path}.lock"
        self._handle = self._acquire(path)

    def _acquire(self, path: str) -> int:
        while True:
            try:
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise OSError(error.errno, error.strerror, path) from None
            if not _try_lock(handle):
                owner = os.read(handle, 100).decode("ascii", "replace").strip()
                os.close(handle)
                raise ResultsError(
                    f"{path}: another sweep writes to it{f' (process {owner})' if owner else ''}; "
                    "wait for it, stop it, or name another file with -o"
                )
            # The one before may have removed the file between our opening and locking it.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(handle).st_ino == os.stat(self._path).st_ino:  # noqa: PTH116
                    break
            os.close(handle)
        with contextlib.suppress(OSError):  # a full disk: the name of the owner is a courtesy
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        return handle

    def release(self) -> None:
        """Give the lock back."""
        with contextlib.suppress(OSError):
            Path(self._path).unlink()
        os.close(self._handle)


def _try_lock(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            return True  # a file system without locks
        raise
    return True


def connect(path: str, *, is_read_only: bool = False) -> sqlite3.Connection:
    """Open a results file; make it if it is to be written and is not there.

    Parameters
    ----------
    path : str
    is_read_only : bool

    Returns
    -------
    sqlite3.Connection

    Raises
    ------
    ResultsError
        If it is no results file, is damaged, or is of a newer format.
    OSError
        If it cannot be opened.
    """
    _check_place(path, is_read_only=is_read_only)
    with plain_words(path):
        connection = sqlite3.connect(
            _uri(path, is_read_only), uri=True, timeout=30, isolation_level=None
        )
        try:
            _check_kind(connection, path, is_read_only=is_read_only)
            if is_read_only:
                connection.execute("PRAGMA query_only = ON")
            else:
                # Readers may look while a sweep writes, and a commit is one append.
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def _uri(path: str, is_read_only: bool) -> str:
    """Return how SQLite is told of the file."""
    full = Path(path).absolute()
    if is_read_only and not os.access(full.parent, os.W_OK):
        return f"{full.as_uri()}?immutable=1"  # there is no room for what readers note down
    return full.as_uri()


def _check_place(path: str, *, is_read_only: bool) -> None:
    """Say of a path what SQLite would not say."""
    # The file is not opened here: to close it again would drop the locks that SQLite holds on it
    # elsewhere in this process.
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        if is_read_only:
            raise ResultsError(
                f"{path}: no such file; start the sweep first, or name its file with -o"
            ) from None
        return
    if stat.S_ISDIR(mode):
        raise ResultsError(
            f"{path}: is a folder; name a file in it, such as {path.rstrip('/')}/results.sqlite"
        )


def _check_kind(connection: sqlite3.Connection, path: str, *, is_read_only: bool) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (written,) = connection.execute("PRAGMA user_version").fetchone()
    (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and written == 0 and n_tables == 0:  # new, or killed as it was made
        if is_read_only:
            raise ResultsError(f"{path}: is empty; start the sweep first")
        _create(connection)
        return
    if application != APPLICATION_ID:
        raise ResultsError(
            f"{path}: is an SQLite file of another application, not a results file; name another "
            "file with -o"
        )
    if written > FILE_FORMAT:
        raise ResultsError(
            f"{path}: has format {written}, and this version of cluster_sim reads up to format "
            f"{FILE_FORMAT}; use the version that wrote it, or name another file with -o"
        )
    (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(" ".join(state.split()))


def _create(connection: sqlite3.Connection) -> None:
    from cluster_sim import __version__

    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("format", str(FILE_FORMAT)), ("made by", f"cluster_sim {__version__}")],
        )
        # Last, with the rest in one transaction: a file has all of it or nothing.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FILE_FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def plain_words(path: str) -> Iterator[None]:
    """Turn what SQLite raises into errors that say what to do.

    Parameters
    ----------
    path : str
        The results file.

    Raises
    ------
    StorageError
        If nothing more can be written.
    ResultsError
        If the file is damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) or 0
        if code & 0xFF in _FULL:
            raise StorageError(
                f"{path}: cannot be written any more ({error}): is the disk full? What was "
                "finished before is kept; make room and start again, only what is missing is run"
            ) from error
        if code & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise StorageError(
                f"{path}: cannot be written ({error}); choose a folder that can, with -o"
            ) from error
        if code & 0xFF == sqlite3.SQLITE_BUSY:
            raise ResultsError(
                f"{path}: another program holds it locked; close that program, then start again"
            ) from error
        if code & 0xFF == sqlite3.SQLITE_NOTADB:
            raise ResultsError(
                f"{path}: is not a results file (it is not SQLite); name another file with -o"
            ) from error
        raise ResultsError(
            f"{path}: is damaged ({error}); restore it from a copy, or name another file with -o"
        ) from error
