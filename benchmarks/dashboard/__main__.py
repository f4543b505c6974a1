"""`python -m benchmarks.dashboard`: see README.md beside this."""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests
from playwright.sync_api import sync_playwright

from benchmarks.dashboard.make_store import make_store
from benchmarks.dashboard.served import Served

TIMES = 5
VIEWERS = (0, 1, 20)
SETTLED_S = 3.0
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def main(argv: list[str] | None = None) -> int:
    """Make the store, ask for each page, print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=1_000_000, help="metric points of the newest run")
    parser.add_argument("--watched", type=float, default=20.0, help="seconds for which its processor time is counted")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        made = make_store(Path(folder), given.runs, given.shards, given.points)
        making_s = time.perf_counter() - began
        with _served(Path(folder) / "state", made.store.place) as served:
            session, ready_s = _log_in(served, made.plan.run_id)
            pages = _pages(made.plan.run_id)
            measured = [_measure(session, served.url, path) for path in pages]
            painted = _paint(served, pages)
            cost = {number: _cost(session, served, number, made.plan.run_id, given.watched) for number in VIEWERS}
    rows = [row | {"first_paint_ms": paint} for row, paint in zip(measured, painted, strict=True)]
    found = {"runs": given.runs, "shards": given.shards, "points": given.points, "making_s": making_s}
    found |= {"ready_s": ready_s, "pages": rows, "cpu_share_by_viewers": cost}
    print(json.dumps(found, indent=1) if given.json else _table(found))
    return 0


def _pages(run_id: str) -> list[str]:
    return [
        "/",
        "/runs",
        f"/runs/{run_id}",
        f"/runs/{run_id}/curves.json",
        f"/runs/{run_id}/logs",
        f"/runs/{run_id}/plan",
        f"/data?run={run_id}",
        f"/data/document?run={run_id}&target=https://site-2.example/1/17",
        f"/data/samples?run={run_id}&step=select&reason=too_few_words",
        f"/compare?run={run_id}&run=many-00000001",
        "/cluster",
    ]


@contextmanager
def _served(state: Path, store: str) -> Iterator[Served]:
    served = Served(state, store)
    try:
        yield served
    finally:
        served.stop()


def _log_in(served: Served, run_id: str) -> tuple[requests.Session, float]:
    """A session, and the seconds until the runs of a store that is new to the registry are listed."""
    began = time.perf_counter()
    session = requests.Session()
    token = served.link.partition("#token=")[2]
    session.post(f"{served.url}/login", data={"token": token}, headers={"origin": served.url}).raise_for_status()
    while run_id not in session.get(f"{served.url}/runs").text:
        time.sleep(0.05)
    return session, time.perf_counter() - began


def _measure(session: requests.Session, url: str, path: str) -> dict[str, Any]:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = session.get(f"{url}{path}")
        times.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    kib = len(answer.content) / 1024
    return {"path": path, "first_ms": times[0], "median_ms": statistics.median(times[1:]), "kib": kib}


def _paint(served: Served, pages: list[str]) -> list[float | None]:
    """Milliseconds to the first contentful paint in a browser; None for what is no page, or without a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return [None] * len(pages)
    found: list[float | None] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(served.link)
        page.wait_for_url(f"{served.url}/")
        for path in pages:
            if path.endswith(".json"):
                found.append(None)
                continue
            page.goto(f"{served.url}{path}")
            page.wait_for_function(f"({_PAINT}) !== null")
            found.append(page.evaluate(_PAINT))
        browser.close()
    return found


def _cost(session: requests.Session, served: Served, viewers: int, run_id: str, watched_s: float) -> float:
    """Share of one core that the server takes while so many look at the newest run."""
    streams = [session.get(f"{served.url}/live/runs/{run_id}", stream=True) for _ in range(viewers)]
    time.sleep(SETTLED_S)
    process = psutil.Process(served.process.pid)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    time.sleep(watched_s)
    share = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began)
    for stream in streams:
        stream.close()
    return share


def _table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['runs']:,} runs, {found['shards']:,} input shards, {found['points']:,} metric points",
        f"a store that is new to the registry is listed after {found['ready_s']:.1f} s",
        "",
        f"{'page':<74} {'first':>9} {'median':>9} {'size':>9} {'first paint':>12}",
    ]
    for row in found["pages"]:
        paint = "" if row["first_paint_ms"] is None else f"{row['first_paint_ms']:,.0f} ms"
        times = f"{row['first_ms']:>6,.0f} ms {row['median_ms']:>6,.0f} ms {row['kib']:>5,.0f} KiB"
        lines.append(f"{row['path']:<74} {times} {paint:>12}")
    lines += ["", "server's share of a core while so many look at a run:"]
    lines += [f"  {number:>3} viewers: {share:.1%}" for number, share in found["cpu_share_by_viewers"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
