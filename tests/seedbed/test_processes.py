import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from seedbed import processes

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
# Starts another in a session of its own, says that it is there, and does not end by SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def mark(tmp_path):
    """A mark of this test's own; what bears it does not outlive the test."""
    mark = str(tmp_path / "service")
    yield mark
    processes.end(mark, None, 0)


def wait_for(text: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_is_found_by_its_mark_in_a_session_of_its_own(mark, tmp_path):
    pid = processes.start(SLEEP, mark, os.environ, tmp_path / "log")
    found = processes.find(pid, mark)
    assert found is not None and found.pid == pid
    assert os.getsid(pid) == pid  # the terminal's end is not its own
    assert [process.pid for process in processes.marked(mark)] == [pid]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_process_id_that_is_somebody_elses_now_is_not_believed(mark):
    innocent = subprocess.Popen(SLEEP)
    try:
        assert processes.find(innocent.pid, mark) is None
        processes.end(mark, innocent.pid, grace_s=0)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_the_mark_of_a_service_is_not_that_of_another(mark, tmp_path):
    pid = processes.start(SLEEP, mark, os.environ, tmp_path / "log")
    processes.end(mark + "2", pid, grace_s=0)
    assert processes.find(pid, mark) is not None


def test_all_that_a_service_started_ends_with_it_by_force_where_it_must_be(mark, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "KILL_AFTER_S", 0.5)
    log = tmp_path / "log"
    pid = processes.start((sys.executable, "-c", STUBBORN), mark, os.environ, log)
    wait_for("ready", log)
    both = processes.marked(mark)
    assert len(both) == 2
    processes.end(mark, pid, grace_s=0.1)
    assert processes.marked(mark) == []
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in both)


def test_what_a_dead_main_process_left_is_found_and_ended(mark, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "KILL_AFTER_S", 0.5)
    log = tmp_path / "log"
    pid = processes.start((sys.executable, "-c", STUBBORN), mark, os.environ, log)
    wait_for("ready", log)
    psutil.Process(pid).kill()
    deadline = time.monotonic() + 30
    while processes.find(pid, mark) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(processes.marked(mark)) == 1
    processes.end(mark, pid, grace_s=0)
    assert processes.marked(mark) == []
