"""The picture of the replay: the page of a run, opened in a browser at one slot."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import pictures

FILE = pictures.DOCS / "how-to" / "figures" / "replay.png"
SLOT, N_SLOTS = 250, 500
_POLICIES = ("priority", "jsq-maxweight")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def page() -> tuple[str, str]:
    """Return the page and the digest of what it shows: the runs and the slot."""
    from cluster_sim.experiments.record import prepare_policies, record
    from cluster_sim.views.replay.page import Detail, Shown, pack, replay_page

    scenario = pictures._scenario("locally-overloaded-small")
    runs = [Shown(p, record(p, 0, N_SLOTS)[0]) for p in prepare_policies(scenario, _POLICIES)]
    hashed = hashlib.sha256(f"{SLOT} {_POLICIES}".encode())
    for run in runs:
        recording = run.recording
        for column in (recording.arrival, recording.start, recording.end, recording.server):
            hashed.update(column.tobytes())
    words = f"{' and '.join(_POLICIES)} on 20 servers; load 0.9 of the capacity"
    assert all(each.has_pairs for each in pack(runs, Detail.AUTO)[1])
    return replay_page(runs, subtitle=words).text, f"digest:{hashed.hexdigest()}"


def write() -> Path:
    """Open the page, take the picture, and write it with the digest."""
    from playwright.sync_api import sync_playwright

    text, digest = page()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "replay.html"
        file.write_text(text, encoding="utf-8")
        path = next(filter(None, map(shutil.which, _BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 758})
        opened.goto(file.as_uri())
        opened.wait_for_selector(".csr canvas")
        opened.fill("input[aria-label='Go to slot']", str(SLOT))
        opened.press("input[aria-label='Go to slot']", "Enter")
        opened.evaluate("document.activeElement.blur()")
        opened.wait_for_timeout(500)
        png = opened.screenshot()
        browser.close()
    FILE.write_bytes(pictures.with_text(png, digest))
    return FILE
