"""The pages of the reference are those that the code gives."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from support.page_runner import REPOSITORY

MAKERS = ("api_pages", "commands_page", "marking", "policies_page", "scenario_page")


@pytest.fixture(scope="module")
def make() -> Iterator[ModuleType]:
    """The generator of the pages, ``python docs/_make``."""
    folder = str(REPOSITORY / "docs" / "_make")
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location("docs_make", f"{folder}/__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(folder)
    for name in MAKERS:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def pages(make: ModuleType) -> dict[str, str]:
    return dict(make.pages())


def test_the_committed_pages_are_up_to_date(make: ModuleType, pages: dict[str, str]) -> None:
    """Where one is not, the difference is shown; `python docs/_make` writes them."""
    differences = "".join(make.outdated(pages).values())
    assert not differences, f"run python docs/_make, which would change\n{differences}"


def test_every_command_and_option_is_listed(pages: dict[str, str]) -> None:
    """What typer knows of a command stands on the page, with its help."""
    import typer

    from cluster_sim.cli.app import make_app
    from cluster_sim.cli.endings import Endings

    text = " ".join(pages["reference/commands.md"].split())
    group = typer.main.get_command(make_app(Endings()))
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"## `{name}`" in text
        for parameter in command.params:
            for flag in parameter.opts:
                assert flag == parameter.name or f"`{flag}" in text, f"{name} {flag}"
            if help_text := getattr(parameter, "help", None):
                assert " ".join(help_text.split()).replace("|", "\\|") in text, (
                    f"{name} {help_text}"
                )


def test_every_field_of_a_scenario_is_listed(pages: dict[str, str]) -> None:
    """Each key of each table, with its description."""
    from cluster_sim.scenario import json_schema

    text = " ".join(pages["reference/scenario.md"].split())
    for name, table in json_schema()["$defs"].items():
        for key, field in table.get("properties", {}).items():
            described = " ".join(field["description"].split()).replace("|", "\\|")
            assert f"`{key}`" in text or f"`{key} = " in text, f"{name}.{key}"
            assert key == "kind" or described in text, f"{name}.{key}"


def test_every_policy_is_listed(pages: dict[str, str]) -> None:
    """With its paper and the conditions of what is proved."""
    from cluster_sim.policies import find, names

    text = pages["reference/policies.md"]
    for name in names(None):
        policy = find(name)
        assert f"## `{name}`" in text
        assert policy.paper in text
        assert policy.guarantee.conditions in text


def test_every_public_name_is_listed(pages: dict[str, str]) -> None:
    """What can be imported from the package and from its closed packages has its place."""
    text = "\n".join(page for name, page in pages.items() if name.startswith("reference/python"))
    for package in ("cluster_sim", "cluster_sim.policies", "cluster_sim.scenario"):
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert f".{name}>`" in text, f"{package}.{name}"


def test_a_stale_page_is_shown_as_a_difference(make: ModuleType, pages: dict[str, str]) -> None:
    """A changed line, a page too many and a page too few are all noticed."""
    name = "reference/commands.md"
    changed = {**pages, name: pages[name].replace("# The command line", "# Commands")}
    gone = {key: page for key, page in pages.items() if key != "reference/policies.md"}
    assert "-# The command line\n+# Commands\n" in make.outdated(changed)[name]
    assert "reference/policies.md" in make.outdated(gone)
    assert "reference/new.md" in make.outdated({**pages, "reference/new.md": "# New\n"})
