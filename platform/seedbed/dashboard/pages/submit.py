"""Submit a run: the run file is checked while it is written; plan and budget come before the button works."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from dataprep.errors import SeedbedError
from seedbed import submitting
from seedbed.dashboard.login import form
from seedbed.dashboard.pages.subject import find
from seedbed.dashboard.rows import run_href
from seedbed.dashboard.store_reads import CHECK_PATIENCE_S, StoreReads
from seedbed.errors import UsageError
from seedbed.login import dashboard_user
from seedbed.registry.records import Job
from seedbed.registry.states import ClusterState
from seedbed.runfile.load import load_run_text
from seedbed.submitting import Draft

ORIGIN = "run file"
"""What messages call the text in the form."""

PATHS_START = "Paths in it start at"
"""The name of the form's field for the folder."""

router = APIRouter()


@dataclass(frozen=True)
class Checked:
    """What a run file in the form comes to: a draft, or why it may not be submitted."""

    draft: Draft | None
    fault: str | None


@router.get("/submit")
async def page(request: Request, run: str | None = None, store: str | None = None) -> Response:
    """The form; filled in with the run file of `run`, where that is said."""
    fields = {"text": "", "folder": str(Path.cwd()), "project": submitting.DEFAULT_PROJECT, "priority": "0"}
    fields |= {"retries": str(submitting.DEFAULT_RETRIES), "store": next(iter(request.app.state.watch.stores), "")}
    if run is not None:
        of = find(request.app, run, store)
        fields |= {"text": await of.read(lambda: of.details.resolved(of.run)), "store": of.row.store_url}
    return _form(request, fields, None)


def _form(request: Request, fields: Mapping[str, str], checked: Checked | None, status: int = 200) -> Response:
    watch = request.app.state.watch
    names = ("text", "folder", "store", "cluster", "project", "priority", "retries", "after", "until", "over_budget")
    shown: Response = request.app.state.page.show(
        request,
        "submit.html",
        status=status,
        fields={name: fields.get(name, "") for name in names},
        stores=list(watch.stores),
        paths_start=PATHS_START,
        clusters=[one.name for one in watch.view().clusters if one.state != ClusterState.DOWN],
        checked=checked,
    )
    return shown


@router.post("/submit/check")
async def check(request: Request, fields: Annotated[dict[str, str], Depends(form)]) -> Response:
    """Plan and verdict, or what is wrong: for the script of the page as JSON, for who has none as the page."""
    checked = await _check(request.app, fields)
    if "text/html" in request.headers.get("accept", ""):
        return _form(request, fields, checked)
    part = request.app.state.page.part("submit_check.html", checked=checked)
    return JSONResponse({"html": part, "key": checked.draft.key if checked.draft else None})


@router.post("/submit")
async def submit(request: Request, fields: Annotated[dict[str, str], Depends(form)]) -> Response:
    """Hand it over, if it is what was checked."""
    checked = await _check(request.app, fields)
    if checked.draft is None:
        return _form(request, fields, checked, status=422)
    if not hmac.compare_digest(fields.get("checked", "").encode(), checked.draft.key.encode()):
        return _form(request, fields, checked, status=409)
    reads = _reads(request.app, fields)
    job = await reads.read(partial(_submit, request.app, checked.draft, fields), CHECK_PATIENCE_S, reads.checks)
    return RedirectResponse(run_href(job.run_id, job.store_url), 303)


def _submit(app: FastAPI, draft: Draft, fields: Mapping[str, str]) -> Job:
    watch = app.state.watch
    job, _ = submitting.submit(
        draft,
        watch.store(fields["store"]),
        watch.state,
        watch.registry,
        owner=dashboard_user(),
        priority=int(fields["priority"]),
        max_retries=int(fields["retries"]),
    )
    watch.look_at_store(fields["store"])  # its run is new there
    watch.look_at_registry()
    return job


def _reads(app: FastAPI, fields: Mapping[str, str]) -> StoreReads:
    place = app.state.watch.store(fields.get("store", "")).place
    found: StoreReads = app.state.reads[place]
    return found


async def _check(app: FastAPI, fields: Mapping[str, str]) -> Checked:
    try:
        reads = _reads(app, fields)
        return Checked(await reads.read(partial(_draft, app, fields), CHECK_PATIENCE_S, reads.checks), None)
    except SeedbedError as error:
        return Checked(None, f"{error}{_where_paths_start(str(error), fields)}")


def _where_paths_start(fault: str, fields: Mapping[str, str]) -> str:
    """Of a fault that names something below the form's folder, where no path of the text does: it is a relative one."""
    folder = (fields.get("folder") or "").rstrip("/")
    if not folder or f"{folder}/" not in fault or folder in fields.get("text", ""):
        return ""
    return f"\nRelative paths were looked for below {folder}: change “{PATHS_START}” where they start elsewhere."


def _draft(app: FastAPI, fields: Mapping[str, str]) -> Draft:
    watch = app.state.watch
    for name in ("priority", "retries"):
        _require_integer(name, fields.get(name, ""))
    folder = Path(fields.get("folder") or ".")
    if not folder.is_dir():
        raise UsageError(f"the folder {folder} is not there: name the one that paths of the run file start at")

    def said(name: str) -> str | None:
        return fields.get(name, "").strip() or None

    chosen: dict[str, Any] = {name: said(name) for name in ("cluster", "after", "until", "over_budget")}
    return submitting.draft(
        watch.store(fields.get("store", "")),
        watch.registry,
        load_run_text(fields.get("text", ""), ORIGIN, folder),
        project=submitting.require_usable(fields.get("project", "")),
        **chosen,
    )


def _require_integer(name: str, text: str) -> None:
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or (name == "retries" and text.startswith("-")):
        raise UsageError(f"{name}: found {text!r}, expected a whole number")
