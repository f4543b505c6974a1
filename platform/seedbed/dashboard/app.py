"""The dashboard as an ASGI application: put together here, served by `server`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware

from dataprep.errors import SeedbedError
from seedbed.dashboard import login
from seedbed.dashboard.curves_feed import CurvesFeed
from seedbed.dashboard.guards import HEADERS, Guard
from seedbed.dashboard.hub import Hub
from seedbed.dashboard.page import HERE, Page, link
from seedbed.dashboard.pages import cluster, compare, data, job_actions, overview, run, runs_list, subject, submit
from seedbed.dashboard.run_details import Kept, RunDetails
from seedbed.dashboard.sessions import SESSION_S, Sessions, cookie_name, session_secret
from seedbed.dashboard.sparks import Sparks
from seedbed.dashboard.store_reads import StoreReads
from seedbed.dashboard.watch import Watch
from seedbed.errors import RegistryUnreachable, StoreError, UsageError

MIN_COMPRESSED_BYTES = 1024
MAX_SURVEYS = 50
MAX_TAILS = 200  # logs that are kept, 2,000 lines each


def make_app(watch: Watch, token: str, hosts: frozenset[str], port: int, is_tls: bool = False) -> FastAPI:
    """The application over what `watch` sees, served on `port`. `hosts` are the names by which browsers may call it."""
    hub = Hub()
    reads = {place: StoreReads(place) for place in watch.stores}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hub.start(asyncio.get_running_loop())
        watch.start()
        yield
        hub.stop()
        for one in reads.values():
            one.stop()
        watch.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.watch, app.state.hub, app.state.token, app.state.page = watch, hub, token, Page()
    app.state.sessions, app.state.reads = Sessions(watch.state), reads
    app.state.curves, app.state.tails = CurvesFeed(), Kept(MAX_TAILS)
    app.state.sparks, app.state.surveys = Sparks(app.state.curves, watch.stores, reads), Kept(MAX_SURVEYS)
    app.state.details = {place: RunDetails(store, watch.state) for place, store in watch.stores.items()}
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.include_router(login.router)
    for page in (overview, runs_list, run, data, compare, cluster, submit, job_actions):
        app.include_router(page.router, dependencies=[Depends(login.logged_in)])
    app.add_exception_handler(login.LoginNeeded, _to_login)
    app.add_exception_handler(subject.Unread, subject.show_unread)
    app.add_exception_handler(SeedbedError, _explained)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(
        SessionMiddleware,
        secret_key=session_secret(token, port),
        session_cookie=cookie_name(port),
        max_age=SESSION_S,
        same_site="strict",
        https_only=is_tls,
    )
    app.add_middleware(GZipMiddleware, minimum_size=MIN_COMPRESSED_BYTES)
    app.add_middleware(Guard, hosts=hosts)
    return app


def _is_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _to_login(request: Request, error: Exception) -> Response:
    assert isinstance(error, login.LoginNeeded)
    if _is_page(request) and request.method == "GET":
        return RedirectResponse(link("/login", next=error.path), 303)
    return JSONResponse({"error": "nobody is logged in"}, 401)


def _explained(request: Request, error: Exception) -> Response:
    """An error of Seedbed's own says itself what it is."""
    status = (
        404 if isinstance(error, UsageError) else 503 if isinstance(error, StoreError | RegistryUnreachable) else 500
    )
    return _error(request, status, str(error))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "There is no such page." if error.status_code == 404 else str(error.detail)
    return _error(request, error.status_code, message)


def _unexpected(request: Request, error: Exception) -> Response:
    answer = _error(
        request, 500, f"{type(error).__name__}: this is a defect of Seedbed; its traceback is in the terminal."
    )
    answer.headers.update(HEADERS)  # this answer passes by the guard
    return answer


def _error(request: Request, status: int, message: str) -> Response:
    if not _is_page(request):
        return JSONResponse({"error": message}, status)
    if "session" not in request.scope:
        request.scope["session"] = {}
    page: Page = request.app.state.page
    return page.show(request, "error.html", status=status, code=status, message=message)
