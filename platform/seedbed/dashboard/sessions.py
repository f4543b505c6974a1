"""Sessions of browsers: who has shown the token of this dashboard, until when, and who has logged out.

A session is what the signed cookie holds: `id`, `csrf` (the token of its forms) and `until`. The server keeps none of
them, only the ids of those that were ended before their time, as names of empty files in `dashboard/ended` of the state
directory: a cookie that somebody has copied is worth nothing after its owner has logged out, also after a new start.
"""

import hashlib
import re
import secrets
import time
from contextlib import suppress
from typing import Any

from seedbed.state import StateDirectory

SESSION_S = 7 * 86400
ENDED_FOLDER = "dashboard/ended"
_ID = re.compile(r"[0-9a-f]{32}")


def session_secret(token: str, port: int) -> str:
    """What sessions are signed with: another token or another port, other sessions."""
    return hashlib.sha256(f"seedbed dashboard session {token} {port}".encode()).hexdigest()


def cookie_name(port: int) -> str:
    """Browsers keep cookies by host alone, so two dashboards of one host need two names."""
    return f"seedbed_session_{port}"


class Sessions:
    """The sessions of one state directory."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state

    def begin(self, session: dict[str, Any]) -> None:
        """Let the browser with this cookie in."""
        session.clear()
        session |= {"id": secrets.token_hex(16), "csrf": secrets.token_hex(16), "until": time.time() + SESSION_S}

    def is_open(self, session: dict[str, Any]) -> bool:
        """Whether it was begun, and neither ended nor too old."""
        if not _ID.fullmatch(str(session.get("id"))) or time.time() >= session.get("until", 0.0):
            return False
        return not (self._state.root / ENDED_FOLDER / session["id"]).exists()

    def end(self, session: dict[str, Any]) -> None:
        """Log out. Raises StoreError."""
        ended = session["id"]
        session.clear()
        for path in self._state.folder(ENDED_FOLDER).iterdir():  # what has ended by its age needs no memory
            with suppress(FileNotFoundError):  # another who logs out at the same time was quicker
                if time.time() - path.stat().st_mtime > SESSION_S:
                    path.unlink()
        self._state.write(f"{ENDED_FOLDER}/{ended}", "")
