"""`python -m benchmarks.dashboard.screenshots`: pictures of the dashboard for the README, from the demo's store."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard.served import REPOSITORY, Served
from seedbed import runs
from seedbed.defaults import DEFAULT_STORE
from seedbed.plan import Plan
from seedbed.sample import sample
from seedbed.state import StateDirectory
from seedbed.store import Store

FOLDER = REPOSITORY / "docs" / "images"
WIDTH, HEIGHT, TALL = 1280, 800, 1480  # pixels
PATIENCE_MS = 60_000


def main(argv: list[str] | None = None) -> int:
    """Write the pictures; the number of the process's exit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard.screenshots", description=__doc__)
    parser.add_argument("--store", default=DEFAULT_STORE, help="a store with the demo's run")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args(argv)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("error: chromium is not installed (Debian: apt-get install chromium)", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Store(given.store)
        record = runs.find(store, StateDirectory(folder), "demo")
        plan = runs.load_plan(store, record.run)
        served = Served(Path(folder), store.place)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.set_default_timeout(PATIENCE_MS)
        try:
            page.goto(served.link)
            page.wait_for_url(f"{served.url}/")
            page.get_by_role("link", name="demo", exact=True).first.wait_for()
            _take(page, served.url, _pages(store, plan), given.out)
        finally:
            browser.close()
            served.stop()
    return 0


def _pages(store: Store, plan: Plan) -> dict[str, tuple[str, str]]:
    """By the picture's name: path, and what must be on the page before it is taken."""
    [document] = sample(store, plan, "deduplicate", "near_duplicate", 1)
    run = plan.run_id
    return {
        "dashboard-overview": ("/", "#h-latest"),
        "dashboard-run": (f"/runs/{run}", "canvas"),
        "dashboard-data": (f"/data?run={run}", ".histograms"),
        "dashboard-document": (f"/data/document?run={run}&target={document.url}", ".way"),
        "dashboard-submit": ("/submit", "textarea"),
    }


def _take(page: Page, url: str, pages: dict[str, tuple[str, str]], out: Path) -> None:
    for name, (path, there) in pages.items():
        page.set_viewport_size({"width": WIDTH, "height": TALL if name == "dashboard-run" else HEIGHT})
        page.goto(f"{url}{path}")
        page.locator(there).first.wait_for()
        page.wait_for_function("document.getElementById('connection').dataset.state !== 'lost'")
        page.screenshot(path=out / f"{name}.png")
        print(f"{out / name}.png")


if __name__ == "__main__":
    sys.exit(main())
