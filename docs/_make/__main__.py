"""Writes the parts of the documentation that are made from the code and from runs.

    python docs/_make                  write the reference
    python docs/_make --pictures       write the pictures of the gallery too
    python docs/_make --check          write nothing; print what is out of date, end with 1 if any

The pages are committed, so that a change of an option, a field or a name shows in the diff of the
commit that makes it, and the site is built without running anything. A test fails with the
difference where a page is out of date.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent
sys.path[:0] = [str(HERE), str(DOCS.parent)]


def pages() -> dict[str, str]:
    """Return the pages of the reference, by their path below ``docs``."""
    import api_pages
    import commands_page
    import policies_page
    import scenario_page

    return {
        "reference/commands.md": commands_page.page(),
        "reference/scenario.md": scenario_page.page(),
        "reference/policies.md": policies_page.page(),
        **api_pages.pages(),
    }


def outdated(wanted: dict[str, str]) -> dict[str, str]:
    """Return the differences of the pages that are not as they should be, by path."""
    found = {}
    there = {str(p.relative_to(DOCS)) for p in (DOCS / "reference").rglob("*.md")}
    for name in sorted(there | wanted.keys()):
        path = DOCS / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = wanted.get(name, "")
        if old != new:
            lines = [old.splitlines(keepends=True), new.splitlines(keepends=True)]
            found[name] = "".join(difflib.unified_diff(*lines, f"docs/{name}", "as it should be"))
    return found


def write(wanted: dict[str, str]) -> None:
    """Write the pages that differ, and remove those that should not be there."""
    for name in outdated(wanted):
        path = DOCS / name
        if name not in wanted:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        print(f"docs/{name}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python docs/_make", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing, print differences")
    parser.add_argument("--pictures", action="store_true", help="write the pictures too")
    given = parser.parse_args()
    wanted = pages()
    if given.check:
        differences = outdated(wanted)
        print("".join(differences.values()), end="")
        return 1 if differences else 0
    write(wanted)
    if given.pictures:
        import pictures

        for path in pictures.write_all():
            print(path.relative_to(DOCS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
