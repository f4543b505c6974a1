import os
import subprocess
import sys
import time

from jobs import sessions

DRIVER = """
import sys, time
from pathlib import Path
from jobs import sessions
held = sessions.hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def make(folder, name, age_s=0.0, locked=True):
    session = folder / f"session_{name}"
    (session / "logs").mkdir(parents=True)
    if locked:
        (session / sessions.LOCK).touch()
    os.utime(session, (time.time() - age_s,) * 2)
    return session


def names(folder):
    return sorted(path.name.removeprefix("session_") for path in folder.iterdir())


def test_dead_sessions_go_but_for_the_newest(tmp_path):
    for number in range(4):
        make(tmp_path, f"2026-0{number}")
    sessions.remove_dead(tmp_path)
    assert names(tmp_path) == ["2026-03"]


def test_the_session_of_a_living_driver_stays_until_it_is_killed(tmp_path):
    session = make(tmp_path, "2026-01", locked=False)
    make(tmp_path, "2026-02")
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(session)], stdout=subprocess.PIPE, text=True)
    try:
        assert driver.stdout.readline() == "held\n"
        sessions.remove_dead(tmp_path)
        assert names(tmp_path) == ["2026-01", "2026-02"]
    finally:
        driver.kill()
        driver.communicate()
    sessions.remove_dead(tmp_path)
    assert names(tmp_path) == ["2026-02"]


def test_a_session_without_a_lock_is_somebody_elses_until_it_is_a_day_old(tmp_path):
    make(tmp_path, "2026-01", locked=False, age_s=25 * 3600)
    make(tmp_path, "2026-02", locked=False, age_s=23 * 3600)
    make(tmp_path, "2026-03")
    sessions.remove_dead(tmp_path)
    assert names(tmp_path) == ["2026-02", "2026-03"]


def test_what_is_no_session_stays(tmp_path):
    (tmp_path / "session_latest").symlink_to(make(tmp_path, "2026-01"))
    make(tmp_path, "2026-02")
    sessions.remove_dead(tmp_path)
    assert names(tmp_path) == ["2026-02", "latest"]
