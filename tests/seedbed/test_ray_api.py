"""What becomes of odd answers, from a server that says what each test wants. With Ray: end_to_end/test_cluster.py."""

import contextlib
import http.server
import json
import socket
import threading
from dataclasses import dataclass, field

import pytest

from seedbed import ray_api
from seedbed.errors import RayAnswered, RayRefused, RayUnreachable, UsageError
from seedbed.ray_api import RayApi, read_token

TRACEBACK = "Traceback (most recent call last):\n  File ...\nRuntimeError: Request failed with status code 400: exists"


@dataclass
class Server:
    """Answers each `METHOD path` by the (status, body) pairs given for it, one after the other, the last for ever."""

    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def server():
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one(self):
            asked = f"{self.command} {self.path}"
            told.asked.append(asked)
            told.tokens.append(self.headers["Authorization"])
            told.bodies.append(self.rfile.read(int(self.headers["Content-Length"] or 0)))
            left = told.answers[asked]
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = handle_one

        def log_message(self, *_):
            pass

    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{http_server.server_address[1]}"
    thread = threading.Thread(target=http_server.serve_forever, args=(0.02,))
    thread.start()
    yield told
    http_server.shutdown()
    thread.join()
    http_server.server_close()


@contextlib.contextmanager
def listening(answer: bytes, keep_open: bool):
    """The address of a server that sends some bytes to whoever connects, and then closes or says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(answer)
                held.append(connection) if keep_open else connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()
        for connection in held:
            connection.close()


def test_nobody_there_is_unreachable():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(RayUnreachable, match="Connection refused"):
            RayApi(f"127.0.0.1:{closed.getsockname()[1]}").version()


@pytest.mark.parametrize(
    ("answer", "keep_open"),
    [
        (b"", True),  # takes the connection and is silent
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", True),  # begins to answer
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", False),  # breaks off
        (b"", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
    ],
)
def test_an_answer_that_does_not_come_to_its_end_is_unreachable(answer, keep_open, monkeypatch):
    monkeypatch.setattr(ray_api, "TIMEOUT_S", 0.3)
    with listening(answer, keep_open) as address, pytest.raises(RayUnreachable):
        RayApi(address, "token").version()


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_refused(server, status):
    server.answers["GET /api/version"] = [(status, b"Forbidden: Invalid authentication token")]
    with pytest.raises(RayRefused, match=f"does not take the token .{status}: Forbidden"):
        RayApi(server.address, "wrong").version()
    assert server.tokens == ["Bearer wrong"]


def test_a_token_that_is_missing_is_refused(server):
    server.answers["GET /api/version"] = [(401, b"Unauthorized")]
    with pytest.raises(RayRefused, match="none was given: name its --token-file"):
        RayApi(server.address).version()


def test_an_open_ray_is_refused_with_the_way_to_close_it_and_does_not_see_the_token(server):
    server.answers["GET /api/version"] = [(200, b"{}")]
    with pytest.raises(UsageError, match=r"open to everybody on its network.*RAY_AUTH_MODE=token"):
        RayApi(server.address, "secret").require_token_auth()
    assert server.tokens == [None]


def test_what_is_no_ray_is_neither_open_nor_closed(server):
    server.answers["GET /api/version"] = [(404, b"not here")]
    with pytest.raises(RayAnswered, match="with 404: not here") as raised:
        RayApi(server.address).require_token_auth()
    assert raised.value.status == 404


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_odd(server, body):
    server.answers["GET /api/version"] = [(200, body)]
    with pytest.raises(RayAnswered):
        RayApi(server.address, "token").version()


def test_a_redirect_is_not_followed_so_the_token_goes_nowhere_else(server):
    server.answers["GET /api/version"] = [(302, b"")]
    with pytest.raises(RayAnswered, match="with 302"):
        RayApi(server.address, "token").version()
    assert server.asked == ["GET /api/version"]


def test_an_answer_without_end_is_given_up(server, monkeypatch):
    monkeypatch.setattr(ray_api, "MAX_ANSWER_BYTES", 1000)
    server.answers["GET /api/jobs/"] = [(200, b" " * 100_000)]
    with pytest.raises(RayAnswered, match="more than 1000 bytes"):
        RayApi(server.address, "token").jobs()


def test_nodes_that_ray_describes_otherwise_are_an_odd_answer(server):
    server.answers["GET /nodes?view=summary"] = [(200, b'{"data": {"summary": [{}], "nodeLogicalResources": {}}}')]
    with pytest.raises(RayAnswered, match=r"no list of nodes: KeyError.'raylet'"):
        RayApi(server.address, "token").nodes()


def test_a_job_that_is_there_is_not_submitted_again(server):
    server.answers["GET /api/jobs/a"] = [(200, b'{"status": "RUNNING"}')]
    assert RayApi(server.address, "token").submit("a", "true") is False
    assert server.asked == ["GET /api/jobs/a"]


def test_who_was_slower_finds_the_job_behind_rays_500(server):
    server.answers["GET /api/jobs/a"] = [(404, b"Job a does not exist"), (200, b'{"status": "PENDING"}')]
    server.answers["POST /api/jobs/"] = [(500, TRACEBACK.encode())]
    assert RayApi(server.address, "token").submit("a", "true") is False


def test_a_500_with_no_job_behind_it_is_an_odd_answer_of_its_last_line(server):
    server.answers["GET /api/jobs/a"] = [(404, b"Job a does not exist")]
    server.answers["POST /api/jobs/"] = [(500, TRACEBACK.encode())]
    with pytest.raises(RayAnswered, match="with 500: RuntimeError: Request failed"):
        RayApi(server.address, "token").submit("a", "true")


def test_a_job_is_submitted_with_what_it_is_given(server):
    server.answers["GET /api/jobs/a"] = [(404, b"")]
    server.answers["POST /api/jobs/"] = [(200, b'{"submission_id": "a"}')]
    api = RayApi(server.address, "token")
    given = {"working_dir": "gcs://x.zip", "env_vars": {"A": "1"}}
    assert api.submit("a", "true", runtime_env=given, metadata={"run": "r"}) is True
    assert json.loads(server.bodies[-1]) == {
        "submission_id": "a",
        "entrypoint": "true",
        "runtime_env": {"working_dir": "gcs://x.zip", "env_vars": {"A": "1"}},
        "metadata": {"run": "r"},
    }


def test_a_package_that_ray_has_is_not_sent_again(server, tmp_path):
    (tmp_path / "bundle.zip").write_bytes(b"zip")
    package = "_ray_pkg_f13e27693c85aed522df8c3fcb0bb0110ca54e14.zip"
    route = f"/api/packages/gcs/{package}"
    server.answers = {f"GET {route}": [(404, b""), (200, b"")], f"PUT {route}": [(200, b"")]}
    api = RayApi(server.address, "token")
    assert api.upload_package(tmp_path / "bundle.zip") == api.upload_package(tmp_path / "bundle.zip")
    assert [asked.split()[0] for asked in server.asked] == ["GET", "PUT", "GET"]
    assert server.bodies[1] == b"zip"


@pytest.mark.parametrize(
    "address", ["", "ftp://host:1", "http://", "http://host:x", "http://user@host:1", "http://h?q"]
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(address):
    with pytest.raises(UsageError, match="write http://host:port"):
        RayApi(address)


def test_a_token_file_holds_one_line(tmp_path):
    (tmp_path / "token").write_text("abc123\n")
    assert read_token(tmp_path / "token") == "abc123"
    for wrong in ("", "two words", "two\nlines"):
        (tmp_path / "token").write_text(wrong)
        with pytest.raises(UsageError, match="holds no token"):
            read_token(tmp_path / "token")
    with pytest.raises(UsageError, match="cannot read the token file"):
        read_token(tmp_path / "none")
