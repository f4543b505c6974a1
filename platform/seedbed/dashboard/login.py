"""Who may look: one token for the dashboard, kept in a file; a browser that has shown it gets a session.

The token travels in the fragment of the login link, which browsers send to nobody and servers do not log; a script of
the login page puts it into the form. The session (`sessions`) ends for all when the token file is removed.
"""

import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from seedbed.dashboard.page import Page, the_page
from seedbed.errors import UsageError
from seedbed.state import StateDirectory

TOKEN_FILE = "dashboard/token"
MAX_FORM_BYTES = 1 << 20

router = APIRouter()


def dashboard_token(state: StateDirectory) -> str:
    """The token of this state directory; made where there is none. Raises UsageError where others may read it."""
    path = state.folder(Path(TOKEN_FILE).parent.as_posix()) / Path(TOKEN_FILE).name
    if not path.exists():
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w") as f:
            f.write(secrets.token_urlsafe(32))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise UsageError(
            f"{path} may be read by others (mode {mode:04o}, expected 0600): whoever has it may use the dashboard. "
            f"Remove it, and the next start makes a new one"
        )
    token = path.read_text().strip()
    if not token:
        raise UsageError(f"{path} holds no token: remove it, and the next start makes a new one")
    return token


class LoginNeeded(Exception):
    """Nobody is logged in; `path` is what was asked for."""

    def __init__(self, path: str) -> None:
        self.path = path


def logged_in(request: Request) -> None:
    """Raises LoginNeeded for a request without a session."""
    if not request.app.state.sessions.is_open(request.session):
        query = f"?{request.url.query}" if request.url.query else ""
        raise LoginNeeded(f"{request.url.path}{query}")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that was sent from a page of this session. Raises HTTPException 403 without its token."""
    fields = await _fields(request)
    wanted = request.session.get("csrf") or secrets.token_hex()
    if not hmac.compare_digest(fields.get("csrf", "").encode(), wanted.encode()):
        raise HTTPException(403, "This form is from another session: load the page again, then send it once more.")
    return fields


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"The form is larger than {MAX_FORM_BYTES:,} bytes.")
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


@router.get("/login")
def login_page(request: Request, page: Annotated[Page, Depends(the_page)], next: str = "/") -> Response:
    """Where a token is asked for."""
    return page.show(request, "login.html", next=_local(next), is_wrong=False)


@router.post("/login")
async def login(request: Request, page: Annotated[Page, Depends(the_page)]) -> Response:
    """Begin a session for whoever shows the token."""
    fields = await _fields(request)
    target = _local(fields.get("next", "/"))
    if not hmac.compare_digest(fields.get("token", "").strip().encode(), request.app.state.token.encode()):
        return page.show(request, "login.html", status=403, next=target, is_wrong=True)
    request.app.state.sessions.begin(request.session)
    return RedirectResponse(target, 303)


@router.post("/logout", dependencies=[Depends(logged_in)])
async def logout(request: Request) -> Response:
    """End this browser's session, also for whoever has copied its cookie."""
    await form(request)
    request.app.state.sessions.end(request.session)
    return RedirectResponse("/login", 303)


def _local(target: str) -> str:
    """A path of this server: a link to elsewhere behind a login would lead people astray."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def login_url(base: str, token: str) -> str:
    return f"{base}/login#token={quote(token)}"
