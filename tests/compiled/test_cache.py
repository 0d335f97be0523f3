"""Compiled loops are kept between processes, never a stale one, and never at the cost of a run."""

from __future__ import annotations

import importlib
import os
import re
import stat
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.compiled import cache
from cluster_sim.compiled.closure import compile_tree, digest
from cluster_sim.kernels import loop
from compiled.children import environment, output, output_of, start
from compiled.users import HEAD, load

COMPILED = """
from cluster_sim.compiled.engine import simulate
show(simulate(tiny({policy!r}), Key.of(1), slots=200))
"""
ON_SIMPY = """
from cluster_sim.emulator.emulator import simulate
show(simulate(tiny({policy!r}), Key.of(1), slots=200))
"""
# Whether the loop came from the cache, or had to be compiled.
HITS = """
from cluster_sim.compiled.assembly import compiled_loop
stats = compiled_loop(policies.get({policy!r})).stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
POLICY = """
from users_helper import LIMIT, short_enough
import users_settings


@dataclass(frozen=True)
class Mine(QueuePolicy):
    name: ClassVar[str] = "mine"
    title: ClassVar[str] = "Its helper is elsewhere"

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        for i in range(len(replicas)):
            if short_enough(replicas[i], waiting):
                return replicas[i]
        return replicas[-1]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        if waiting[server] > 0:
            return server
        other = int(tie * len(waiting))
        return other if waiting[other] > users_settings.PATIENCE[1] else NO_QUEUE
"""
HELPER = "LIMIT = 3\n\ndef short_enough(queue, waiting):\n    return waiting[queue] < LIMIT\n"
SETTINGS = "PATIENCE = (0, 2)\n"


def write(folder: Path, helper: str = HELPER, settings: str = SETTINGS) -> None:
    for name, text in (
        ("users_policy", HEAD + POLICY),
        ("users_helper", helper),
        ("users_settings", settings),
    ):
        (folder / f"{name}.py").write_text(text)


def run(folder: Path, policy: str, text: str = COMPILED, **changes: str | None) -> list[str]:
    """Return the lines that a process prints which runs a policy with a cache in the folder."""
    changes = {"CLUSTER_SIM_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"} | changes
    return output(text.format(policy=policy), folder, **changes).splitlines()


def run_counted(folder: Path, policy: str, **changes: str | None) -> tuple[str, str]:
    """Return what a run showed, and its cache hits and misses."""
    shown, counted = run(folder, policy, COMPILED + HITS, **changes)
    return shown, counted


def test_an_edited_helper_in_another_module_is_seen(tmp_path: Path) -> None:
    """After an edit elsewhere the next process runs the new code, else it loads what is kept."""
    policy = "users_policy:Mine"
    write(tmp_path)
    first, counted = run_counted(tmp_path, policy)
    assert counted == "0 1"
    assert run_counted(tmp_path, policy) == (first, "1 0")
    write(tmp_path, helper=HELPER.replace("<", ">="))
    second, counted = run_counted(tmp_path, policy)
    assert counted == "0 1"
    assert first != second
    assert [second] == run(tmp_path, policy, ON_SIMPY)


@pytest.mark.slow
def test_edited_constants_are_seen(tmp_path: Path) -> None:
    """The same for a constant, in the helper's module or read as an attribute of another."""
    policy, shown = "users_policy:Mine", set()
    for changes in (
        {},
        {"helper": HELPER.replace("= 3", "= 1")},
        {"settings": SETTINGS.replace("2", "0")},
    ):
        write(tmp_path, **changes)
        now, counted = run_counted(tmp_path, policy)
        assert counted == "0 1"
        assert [now] == run(tmp_path, policy, ON_SIMPY)
        shown.add(now)
    assert len(shown) == 3
    write(tmp_path)
    assert run_counted(tmp_path, policy)[1] == "1 0"


@pytest.mark.slow
def test_loops_of_other_processes_do_not_mix(tmp_path: Path) -> None:
    """Loops compiled in processes of their own are themselves when they are loaded together.

    Compiled functions are linked by name; functions of two loops must never share one.
    """
    names = policies.names()
    expected = [run(tmp_path, name, ON_SIMPY)[0] for name in names]
    assert [run(tmp_path, name)[0] for name in names] == expected
    for order in (names, names[::-1]):
        text = "".join(COMPILED.format(policy=name) for name in order)
        found = run(tmp_path, "", text)
        assert found == [expected[names.index(name)] for name in order]


def recorded(function: Any, mark: str) -> list[str]:
    """Return the names of what would be compiled with a function."""
    made: list[FunctionType] = []

    def jit(inner: FunctionType) -> FunctionType:
        made.append(inner)
        return inner

    compile_tree(function, jit, {"route": policies.get("fifo").route}, mark)
    return [inner.__qualname__ for inner in made]


def test_compiled_names_bear_the_mark_of_their_loop() -> None:
    """Every function compiled with a loop is named after the loop, the policy's own included."""
    names = recorded(loop.run_slots, "0123")
    assert {"dispatch_idle_0123", "Fifo.route_0123", "Priority.serve_0123"} <= set(names)
    assert all(name.endswith("_0123") for name in names)


def marks(module: Any, **replaced: Any) -> str:
    return digest(module.Mine.route, replaced) + digest(module.Mine.serve, replaced)


CHANGES = {
    "the helper": ("users_helper", "<", "<="),
    "a constant": ("users_helper", "LIMIT = 3", "LIMIT = 4"),
    "its type": ("users_helper", "LIMIT = 3", "LIMIT = 3.0"),
    "a default": ("users_helper", "waiting):", "waiting, more=1):"),
    "a constant behind a dot": ("users_settings", "(0, 2)", "(0, 3)"),
}


@pytest.mark.parametrize(("module", "old", "new"), CHANGES.values(), ids=CHANGES)
def test_the_digest_sees(module: str, old: str, new: str, modules: Path) -> None:
    """Whatever could change the compiled result changes the digest, and nothing else does."""
    found = []
    for text in (HELPER + SETTINGS, HELPER + SETTINGS, (HELPER + SETTINGS).replace(old, new)):
        helper, settings = text[: text.index("PATIENCE")], text[text.index("PATIENCE") :]
        write(modules, helper, settings)
        for name in ("users_policy", "users_helper", "users_settings"):
            importlib.sys.modules.pop(name, None)  # type: ignore[attr-defined]
        importlib.invalidate_caches()
        found.append(marks(importlib.import_module("users_policy")))
    assert found[0] == found[1] != found[2], module


def test_the_digest_sees_all_of_a_table(modules: Path) -> None:
    """A change in the middle of a large table, which its repr leaves out, is seen."""
    text = "TABLE = np.arange(5_000)\n\ndef f(i):\n    return TABLE[i]\n"
    one, other = load(modules, text), load(modules, text)
    assert digest(one.f, {}) == digest(other.f, {})
    other.TABLE[2_500] = -1
    assert digest(one.f, {}) != digest(other.f, {})


def test_the_digest_holds_no_addresses(tmp_path: Path) -> None:
    """Other processes come to the same digest, whatever objects a policy mentions."""
    text = """
import users_odd
from cluster_sim.compiled.closure import digest
print(digest(users_odd.f, {}))
"""
    (tmp_path / "users_odd.py").write_text(
        "import math\nimport numpy as np\nfrom enum import IntEnum\nfrom numpy import sum as add\n"
        "THING = object()\n\n\nclass Way(IntEnum):\n    IN = 1\n\n\n"
        "def f(i):\n    return add(i) + math.pi + np.sum(i) + Way.IN + hash(THING) + min(i, 2)\n"
    )
    found = {output(text, tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(found) == 1


def folders(root: Path) -> list[Path]:
    return [entry for entry in root.iterdir() if entry.is_dir()]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    return folder


def hexadecimal(number: int) -> str:
    return f"{number:064x}"[::-1]


def test_each_loop_has_a_folder_of_its_own(root: Path) -> None:
    """A digest names a folder; asked again, it is the same one."""
    first = cache.cache_folder(hexadecimal(1))
    assert first is not None
    assert first.parent == root
    assert cache.cache_folder(hexadecimal(1)) == first
    assert cache.cache_folder(hexadecimal(2)) != first
    assert cache.write_once(first / "kernel.py", "once")
    assert cache.write_once(first / "kernel.py", "twice")
    assert (first / "kernel.py").read_text() == "once"


def test_the_folders_used_longest_ago_go(root: Path) -> None:
    """The 64 folders used last are kept, however often others were made."""
    made = []
    for number in range(cache.N_KEPT + 20):
        folder = cache.cache_folder(hexadecimal(number))
        assert folder is not None
        (folder / "kernel.py").write_text("")
        os.utime(folder, (number, number))
        made.append(folder)
        if number >= 5:
            os.utime(made[5], (number + 0.5, number + 0.5))  # still in use
    assert len(folders(root)) == cache.N_KEPT
    assert made[5] in folders(root)
    assert set(made[-cache.N_KEPT + 1 :]) <= set(folders(root))


def test_nothing_else_is_removed(root: Path) -> None:
    """In a folder that holds other things as well, those are left alone."""
    others = [root / "photos", root / "thesis", root / ("0" * 32)]
    for folder in others:
        folder.mkdir(parents=True)
        (folder / "precious").write_text("")
        os.utime(folder, (1, 1))
    for number in range(1, cache.N_KEPT + 20):
        folder = cache.cache_folder(hexadecimal(number))
        assert folder is not None
        (folder / "kernel.py").write_text("")
    assert all((folder / "precious").exists() for folder in others)


def test_without_a_place_to_write_there_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable, a file in the way, or a folder that nobody may write give None."""
    (tmp_path / "file").write_text("")
    for value in ("", str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/nowhere"):
        monkeypatch.setenv(cache.VARIABLE, value)
        assert cache.cache_folder(hexadecimal(3)) is None
    assert not cache.write_once(tmp_path / "nowhere" / "kernel.py", "")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "closed"))
    assert cache.cache_folder(hexadecimal(3)) is not None
    (tmp_path / "closed").chmod(stat.S_IREAD | stat.S_IEXEC)
    if os.geteuid() == 0:  # the superuser may write anywhere
        monkeypatch.setattr(cache.os, "access", lambda path, mode: False)
    assert cache.cache_folder(hexadecimal(3)) is None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is in the user's cache folder; without a home there is none."""
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache.cache_folder(hexadecimal(4))
    assert folder is not None
    assert re.fullmatch(r"python-3\.\d+", folder.parent.name)
    assert folder.parents[2] == tmp_path
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert cache._root() == tmp_path / "home" / ".cache" / "cluster_sim" / folder.parent.name

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache.Path, "home", homeless)
    assert cache._root() is None


@pytest.mark.slow
def test_a_run_without_a_cache(tmp_path: Path) -> None:
    """With the cache switched off a run compiles for itself, and leaves no file anywhere."""
    home = tmp_path / "home"
    home.mkdir()
    before = set(tmp_path.rglob("*"))
    changes = {"HOME": str(home), "XDG_CACHE_HOME": None, "CLUSTER_SIM_CACHE": ""}
    shown = run(tmp_path, "fifo", **changes)
    assert shown == run(tmp_path, "fifo", ON_SIMPY)
    assert set(tmp_path.rglob("*")) == before


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
"""


@pytest.mark.slow
def test_a_full_disk_does_not_break_a_run(tmp_path: Path) -> None:
    """If what was compiled cannot be kept, the run goes on without."""
    expected = run(tmp_path, "fifo", ON_SIMPY)
    assert run(tmp_path, "fifo", FULL_DISK + COMPILED) == expected
    # Nor does it leave anything that breaks the next.
    assert run(tmp_path, "fifo") == expected


@pytest.mark.slow
def test_a_damaged_cache_does_not_break_a_run(tmp_path: Path) -> None:
    """Files cut short, as by a loss of power, are replaced."""
    expected = run(tmp_path, "fifo", ON_SIMPY)
    assert run(tmp_path, "fifo") == expected
    for kind in ("nbi", "nbc"):
        kept = list((tmp_path / "cache").rglob(f"*.{kind}"))
        assert kept
        for file in kept:
            file.write_bytes(file.read_bytes()[:20])
        assert run(tmp_path, "fifo") == expected


@pytest.mark.slow
def test_runs_without_home_or_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Neither a missing home nor a read-only one breaks a run."""
    expected = run(tmp_path, "fifo", ON_SIMPY)
    none = {"CLUSTER_SIM_CACHE": None, "XDG_CACHE_HOME": None}
    assert run(tmp_path, "fifo", **none, HOME="/proc") == expected
    assert run(tmp_path, "fifo", CLUSTER_SIM_CACHE="/proc/nowhere") == expected
    kept = {"CLUSTER_SIM_CACHE": None, "XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": None}
    assert run(tmp_path, "fifo", **kept) == expected
    assert list((tmp_path / "xdg" / "cluster_sim").rglob("*.nbc"))


@pytest.mark.slow
def test_two_processes_start_at_once(tmp_path: Path) -> None:
    """Two processes that fill an empty cache together both run, and leave it whole."""
    expected = run(tmp_path, "fifo", ON_SIMPY)
    text = COMPILED.format(policy="fifo")
    changes = {"CLUSTER_SIM_CACHE": str(tmp_path / "cache")}
    children = [start(text, tmp_path, **changes) for _ in range(2)]
    assert [output_of(child).splitlines() for child in children] == [expected, expected]
    assert run_counted(tmp_path, "fifo") == (expected[0], "1 0")
    assert not list((tmp_path / "cache").rglob(".writing-*"))


def test_the_environment_of_children_is_ours() -> None:
    """A child sees the checkout, and a variable can be taken away."""
    assert "HOME" not in environment(HOME=None)
    assert environment(HOME="here")["HOME"] == "here"


OTHER_BUILD = """
from numba.core import codegen
del codegen.CPUCodeLibrary._optimize_final_module
from cluster_sim.compiled.linking import linking_options
assert linking_options() == {}
codegen.CPUCodeLibrary._optimize_final_module = lambda library: None
"""


@pytest.mark.slow
def test_another_build_of_numba_does_without_linking(tmp_path: Path) -> None:
    """Where numba's code generator is not as we know it, loops are compiled its usual way."""
    usual = output(
        OTHER_BUILD + COMPILED.format(policy="fifo"), tmp_path, CLUSTER_SIM_CACHE=str(tmp_path)
    )
    assert usual == output(ON_SIMPY.format(policy="fifo"), tmp_path)
