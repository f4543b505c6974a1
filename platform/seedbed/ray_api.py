"""Ray's HTTP API, of the dashboard and the job server, without importing Ray.

Routes and answers are those of Ray 2.60 (`ray/dashboard/modules/job/job_head.py`, `.../node/node_head.py`); the token
travels as `ray/_private/authentication/http_token_authentication.py` reads it: 401 without one, 403 with a wrong one.
Every failure is a RayUnreachable, a RayRefused or a RayAnswered.
"""

import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from seedbed.errors import RayAnswered, RayRefused, RayUnreachable, UsageError
from seedbed.ray_node import Node

TIMEOUT_S = 10.0
"""A dashboard that lives answers in some ten milliseconds; one on a machine that swaps takes seconds."""
SUBMIT_TIMEOUT_S = 60.0
"""Ray looks for an agent that takes the job for 10 s, and starts what it needs."""
UPLOAD_TIMEOUT_S = 300.0
MAX_ANSWER_BYTES = 64 << 20
_READ_BYTES = 1 << 16


class _Answer(NamedTuple):
    status: int
    body: bytes


class RayApi:
    """The Ray whose job server is at `address` (`http://host:port`), asked with `token`, or with none."""

    def __init__(self, address: str, token: str | None = None) -> None:
        try:
            url = urlsplit(address if "://" in address else f"http://{address}")
            host, port = url.hostname, url.port
        except ValueError as error:
            raise UsageError(f"{address} is no address: {error}; write http://host:port") from error
        if url.scheme not in ("http", "https") or not host or url.username or url.query or url.fragment:
            raise UsageError(f"{address} is no address of a Ray job server: write http://host:port")
        self.address = f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"
        self._connection: type[http.client.HTTPConnection] = (
            http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        )
        self._host, self._port, self._path = host, port, url.path.rstrip("/")
        self._token = token

    def version(self) -> dict[str, Any]:
        """`ray_version`, `session_name` and others: a new session name means a head that has started anew."""
        return self._object("GET", "/api/version")

    def require_token_auth(self) -> None:
        """Ask once without the token. Raises UsageError where Ray answers all the same."""
        answer = self._ask("GET", "/api/version", token=None)
        if answer.status in (401, 403):
            return
        if answer.status != 200:
            raise self._odd(answer, "GET /api/version")
        raise UsageError(
            f"the Ray at {self.address} is open to everybody on its network: it answers without a token, and whoever"
            " reaches it runs what he likes there. Start every node of it with RAY_AUTH_MODE=token and"
            " RAY_AUTH_TOKEN_PATH=FILE, the same token (`ray get-auth-token --generate`) in each FILE, mode 0600"
        )

    def upload_package(self, path: Path) -> str:
        """The URI (`gcs://_ray_pkg_<digest>.zip`) under which Ray has the zip file `path`; sent where it has it not.

        Ray forgets a package that no job uses after 10 minutes, so this comes right before `submit`.
        """
        content = path.read_bytes()
        package = f"_ray_pkg_{hashlib.sha1(content, usedforsecurity=False).hexdigest()}.zip"  # as Ray names them
        route = f"/api/packages/gcs/{package}"
        known = self._ask("GET", route)
        if known.status == 404:
            sent = self._ask("PUT", route, content, "application/zip", UPLOAD_TIMEOUT_S)
            if sent.status != 200:
                raise self._odd(sent, f"PUT {route}")
        elif known.status != 200:
            raise self._odd(known, f"GET {route}")
        return f"gcs://{package}"

    def submit(
        self,
        submission_id: str,
        entrypoint: str,
        *,
        runtime_env: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> bool:
        """Start `entrypoint` (a shell command) as the job `submission_id`; False where Ray has that job already.

        Ray gives `runtime_env` and `metadata` back in plain text to whoever has the token: no secrets there.
        Can be repeated after any failure: one id is started once at most.
        """
        if self.job(submission_id) is not None:
            return False
        request = {
            "submission_id": submission_id,
            "entrypoint": entrypoint,
            "runtime_env": dict(runtime_env or {}),
            "metadata": dict(metadata or {}),
        }
        answer = self._ask("POST", "/api/jobs/", json.dumps(request).encode(), timeout_s=SUBMIT_TIMEOUT_S)
        if answer.status == 200:
            return True
        # Somebody else was faster: to an id that it has, Ray answers 500 and a traceback.
        if self.job(submission_id) is not None:
            return False
        raise self._odd(answer, "POST /api/jobs/")

    def job(self, submission_id: str) -> dict[str, Any] | None:
        """`status` (PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED), `message`, `driver_exit_code`, `start_time` and
        `end_time` (milliseconds), `driver_node_id` ..; None where Ray does not know the job."""
        answer = self._ask("GET", f"/api/jobs/{quote(submission_id, safe='')}")
        if answer.status == 404:
            return None
        return self._read(answer, f"GET /api/jobs/{submission_id}", dict)

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs that Ray knows, those of drivers that nobody submitted (`type` DRIVER) among them."""
        return self._read(self._ask("GET", "/api/jobs/"), "GET /api/jobs/", list)

    def stop(self, submission_id: str) -> bool:
        """Send the job SIGTERM, and SIGKILL after the cluster's RAY_JOB_STOP_WAIT_TIME_S; comes back at once.

        False where it had ended, or Ray does not know it.
        """
        route = f"/api/jobs/{quote(submission_id, safe='')}/stop"
        answer = self._ask("POST", route)
        if answer.status == 404:
            return False
        return bool(self._read(answer, f"POST {route}", dict).get("stopped"))

    def logs(self, submission_id: str) -> str | None:
        """What the job's driver printed, as far as its node still has it; None where Ray does not know the job."""
        route = f"/api/jobs/{quote(submission_id, safe='')}/logs"
        answer = self._ask("GET", route)
        if answer.status == 404:
            return None
        return str(self._read(answer, f"GET {route}", dict).get("logs") or "")

    def nodes(self) -> list[Node]:
        """Every node that Ray knows, dead ones among them (the newest 1000). Ray measures each 2 to 5 s."""
        route = "/nodes?view=summary"
        answer = self._object("GET", route)
        try:
            data = answer["data"]
            resources = data["nodeLogicalResources"]
            return [Node.from_summary(summary, resources) for summary in data["summary"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RayAnswered(f"{self.address}{route} answered with no list of nodes: {error!r}", 200) from error

    def _object(self, method: str, route: str) -> dict[str, Any]:
        return self._read(self._ask(method, route), f"{method} {route}", dict)

    def _ask(
        self,
        method: str,
        route: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout_s: float | None = None,
        token: str | None = "",
    ) -> _Answer:
        """One request, one connection. An empty `token` stands for the API's own, None for no token at all."""
        timeout_s = timeout_s or TIMEOUT_S
        deadline = time.monotonic() + timeout_s
        headers = {"Connection": "close"}
        if body is not None:
            headers["Content-Type"] = content_type
        own = self._token if token == "" else token
        if own:
            headers["Authorization"] = f"Bearer {own}"
        connection = self._connection(self._host, self._port, timeout=timeout_s)
        try:
            connection.request(method, self._path + route, body, headers)
            response = connection.getresponse()
            answer = _Answer(response.status, self._body(response, deadline, timeout_s))
        except (OSError, http.client.HTTPException) as error:
            said = str(error) or type(error).__name__
            raise RayUnreachable(f"no answer from Ray's job server at {self.address}: {said}") from error
        finally:
            connection.close()
        if own and answer.status in (401, 403):
            raise RayRefused(
                f"the Ray at {self.address} does not take the token ({answer.status}: {_text(answer.body)}): it was"
                " started with another one"
            )
        if answer.status == 401 and token == "":
            raise RayRefused(f"the Ray at {self.address} wants a token, and none was given: name its --token-file")
        return answer

    def _body(self, response: http.client.HTTPResponse, deadline: float, timeout_s: float) -> bytes:
        """All of the answer; a server that drips is given up at the deadline."""
        chunks, size = [], 0
        while chunk := response.read1(_READ_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise RayAnswered(f"{self.address} answers with more than {MAX_ANSWER_BYTES} bytes", response.status)
            if time.monotonic() > deadline:
                raise TimeoutError(f"its answer was not complete after {timeout_s:g} s")
        if response.length:
            raise http.client.IncompleteRead(b"".join(chunks), response.length)
        return b"".join(chunks)

    def _read(self, answer: _Answer, asked: str, kind: type) -> Any:
        if answer.status != 200:
            raise self._odd(answer, asked)
        try:
            value = json.loads(answer.body)
        except ValueError as error:
            raise self._odd(answer, asked) from error
        if not isinstance(value, kind):
            raise self._odd(answer, asked)
        return value

    def _odd(self, answer: _Answer, asked: str) -> RayAnswered:
        return RayAnswered(f"{self.address} answered {asked} with {answer.status}: {_text(answer.body)}", answer.status)


def read_token(path: Path | str) -> str:
    """The token in the file `path`. Raises UsageError where there is none."""
    try:
        token = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the token file {path}: {error}; name a file that this user may read") from error
    if not token or not token.isprintable() or " " in token:
        raise UsageError(f"the token file {path} holds no token: one line of letters and digits is expected")
    return token


def _text(body: bytes) -> str:
    """The last line of an answer, which is what a traceback comes to."""
    lines = body.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "(nothing)"
