"""The run that a page is about; how its store is read, within bounds, and what is shown where it gives nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from seedbed.dashboard.rows import Row, run_row
from seedbed.dashboard.run_details import RunDetails
from seedbed.dashboard.store_reads import KNOWN_LOST_PATIENCE_S, PATIENCE_S, StoreReads
from seedbed.dashboard.watch import View
from seedbed.errors import StoreError
from seedbed.registry.records import Run
from seedbed.store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """The run that a page is about. What reads its store goes through `read`, or a stream's own threads."""

    app: FastAPI
    view: View
    row: Row
    store: Store
    details: RunDetails
    now: float

    @property
    def key(self) -> str:
        return f"{self.row.store_url} {self.row.run_id}"

    @property
    def run(self) -> Run:
        assert self.row.run is not None, "it was found among the runs"
        return self.row.run

    @property
    def reads(self) -> StoreReads:
        found: StoreReads = self.app.state.reads[self.row.store_url]
        return found

    @property
    def lost_since(self) -> float | None:
        """When the store was heard last, where it is out of reach."""
        return self.view.store_lost_since(self.row.store_url, self.now)

    async def read(self, work: Callable[[], T]) -> T:
        """What `work` gives, which reads the store. Raises Unread where the store does not answer, or not in time."""
        patience_s = PATIENCE_S if self.lost_since is None else KNOWN_LOST_PATIENCE_S
        try:
            return await self.reads.read(work, patience_s)
        except StoreError as error:
            raise Unread(self, error) from error


class Unread(Exception):
    """The page of a run could not be made: its store did not give what it shows."""

    def __init__(self, of: Subject, error: StoreError) -> None:
        super().__init__(str(error))
        self.of, self.error = of, error


def show_unread(request: Request, fault: Exception) -> Response:
    """What the registry knows of the run, and what its store says. The page of the run itself waits for the store."""
    assert isinstance(fault, Unread)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": str(fault)}, 503)
    of, page = fault.of, request.app.state.page
    shown = {"row": of.row, "now": of.now, "fault": str(fault), "lost_since": of.lost_since}
    shown["is_transient"] = fault.error.transient or of.lost_since is not None
    is_run = request.url.path == f"/runs/{of.row.run_id}"
    answer: Response = page.show(
        request, "run.html" if is_run else "unread.html", status=503, tab="overview" if is_run else "", **shown
    )
    return answer


def subject(request: Request, run_id: str, store: str | None = None) -> Subject:
    """Raises UsageError where no such run is known."""
    return find(request.app, run_id, store)


def find(app: FastAPI, run_id: str, store: str | None) -> Subject:
    view, now = app.state.watch.view(), time.time()
    run = view.run(run_id, store)
    opened = app.state.watch.store(run.store_url)
    return Subject(app, view, run_row(view, run, now), opened, app.state.details[run.store_url], now)


def find_named(app: FastAPI, name: str, store: str | None = None) -> Subject:
    """The run of a form: `run id@store`, as one id may stand in several stores; or an id, of `store` or its newest."""
    run_id, _, named = name.partition("@")
    return find(app, run_id, named or store)


TheRun = Annotated[Subject, Depends(subject)]
