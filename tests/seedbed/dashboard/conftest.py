"""A dashboard over the store of `pipeline`, without its threads: `site.look()` sees what is there now."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from seedbed import runs
from seedbed.dashboard.app import make_app
from seedbed.dashboard.watch import Watch
from seedbed.plan import Plan
from seedbed.registry.database import open_registry
from seedbed.registry.registry import Registry
from seedbed.reports import attempt_path
from seedbed.runs import RunRecord
from seedbed.state import StateDirectory
from seedbed.store import Store

TOKEN = "the-token"
PORT = 8780
BASE = f"http://127.0.0.1:{PORT}"
HTML = {"accept": "text/html"}


@dataclass
class Site:
    """A dashboard, and a browser that is logged in."""

    client: TestClient
    watch: Watch
    registry: Registry
    store: Store
    plan: Plan

    @property
    def run_id(self) -> str:
        return self.plan.run_id

    def look(self) -> None:
        for place in self.watch.stores:
            self.watch.look_at_store(place)
        self.watch.look_at_registry()

    def get(self, path: str, status: int = 200) -> str:
        """The page, as a browser is told it."""
        answer = self.client.get(path, headers=HTML)
        assert answer.status_code == status, answer.text
        return answer.text

    def record(self, state: str = runs.FINISHED, error: str | None = None) -> None:
        """Put the run into the store, in this state."""
        kept = RunRecord(self.run_id, self.plan.name, "2026-11-20T08:00:00Z", state, error)
        kept.attempts.append({"started_at": "2026-11-20T08:00:00Z"})
        runs.save(self.store, kept)
        runs.save_plan(self.store, self.plan, "name: tiny\n")

    def report(self, attempt: int = 1, **heartbeat: Any) -> None:
        """A heartbeat of the run, now."""
        told = {"at": time.time(), "sequence": 1, "every_s": 5.0, "step": "pretrain", "attempt": attempt} | heartbeat
        self.store.write(f"{attempt_path(self.run_id, attempt)}/heartbeat.json", json.dumps(told).encode())

    def log(self, text: str, attempt: int = 1, source: str = "driver") -> None:
        self.store.write(f"{attempt_path(self.run_id, attempt)}/logs/{source}/000000.log", text.encode())

    def metrics(self, *lines: dict[str, Any], attempt: int = 1) -> None:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        self.store.write(f"{attempt_path(self.run_id, attempt)}/metrics/000000.jsonl", text.encode())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = open_registry(None, StateDirectory(tmp_path / "state"))
    yield opened
    opened.close()


@pytest.fixture
def client_of() -> Callable[[Watch], TestClient]:
    def make(watch: Watch) -> TestClient:
        app = make_app(watch, TOKEN, frozenset({"127.0.0.1", "localhost"}), PORT)
        return TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)

    return make


@pytest.fixture
def log_in() -> Callable[[TestClient], None]:
    def show_token(client: TestClient) -> None:
        answer = client.post("/login", data={"token": TOKEN}, headers={"origin": BASE})
        assert answer.status_code == 303, answer.text

    return show_token


@pytest.fixture
def site(pipeline, registry, tmp_path, client_of, log_in) -> Site:
    """Logged in; the run itself is not in the store before `record`."""
    watch = Watch(registry, [pipeline.store], StateDirectory(tmp_path / "state"))
    client = client_of(watch)
    log_in(client)
    return Site(client, watch, registry, pipeline.store, pipeline.plan)


@pytest.fixture
def in_one_loop(site) -> Callable[[Callable[[httpx.AsyncClient], Awaitable[None]]], None]:
    """Runs a scenario with a browser that is logged in and does several things at once, in one loop as a server has."""

    async def run(scenario: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        app = site.client.app
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=BASE, cookies=dict(site.client.cookies), headers=HTML
            ) as browser,
        ):
            await scenario(browser)

    def start(scenario: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        with ThreadPoolExecutor(1) as thread:  # where a browser is driven, this thread has a loop that runs
            thread.submit(asyncio.run, run(scenario)).result(60)

    return start
