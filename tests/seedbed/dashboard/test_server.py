"""What a second dashboard on the same port is told."""

import json
import socket

import pytest

from seedbed.dashboard import server
from seedbed.dashboard.login import dashboard_token
from seedbed.dashboard.server import serve
from seedbed.errors import UsageError
from seedbed.state import StateDirectory


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def start(registry, state, port):
    serve(registry, [], state, host="127.0.0.1", port=port, is_open=False)


def test_a_port_that_this_state_directory_s_dashboard_has_is_told_with_its_link(registry, tmp_path, taken):
    state = StateDirectory(tmp_path / "state")
    server._note_running(state, taken, f"http://127.0.0.1:{taken}")
    link = f"http://127.0.0.1:{taken}/login#token={dashboard_token(state)}"
    with pytest.raises(UsageError) as refused:
        start(registry, state, taken)
    assert "Address already in use; take another --port" in str(refused.value)
    assert str(refused.value).endswith(f"; log in to it with this link: {link}")


@pytest.mark.parametrize("found", ["nothing", "a port of its own", "a process that is gone", "damage"])
def test_who_else_listens_there_is_not_shown_the_token(registry, tmp_path, taken, found):
    state = StateDirectory(tmp_path / "state")
    if found == "a port of its own":
        server._note_running(state, taken + 1, "http://127.0.0.1:1")
    elif found == "a process that is gone":
        gone = {
            "pid": 2**22 + 1,
            "started": 1.0,
            "port": taken,
            "base": "http://127.0.0.1:1",
        }  # no process id is so large
        state.write(server.RUNNING_FILE, json.dumps(gone))
    elif found == "damage":
        state.write(server.RUNNING_FILE, "[")
    with pytest.raises(UsageError) as refused:
        start(registry, state, taken)
    assert "token=" not in str(refused.value)
