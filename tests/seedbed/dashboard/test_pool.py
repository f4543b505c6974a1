import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import pytest

from seedbed.dashboard.pool import Pool


def test_work_is_done_and_its_errors_are_told():
    pool = Pool("test", 2)
    assert [pool.submit(lambda n=n: n * n).result(10) for n in range(5)] == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(10)
    pool.stop()


def test_no_more_threads_are_at_work_than_were_asked_for():
    pool, release, begun = Pool("test", 2), threading.Event(), threading.Semaphore(0)

    def work():
        begun.release()
        return release.wait(10)

    futures = [pool.submit(work) for _ in range(5)]
    for _ in range(2):
        assert begun.acquire(timeout=10)
    assert not begun.acquire(timeout=0.1)
    assert [future.running() for future in futures] == [True, True, False, False, False]
    release.set()
    assert [future.result(10) for future in futures] == [True] * 5
    pool.stop()


def test_what_nobody_waits_for_any_more_is_not_begun():
    pool, release, done = Pool("test", 1), threading.Event(), []
    pool.submit(release.wait)
    given_up, wanted = pool.submit(lambda: done.append("given up")), pool.submit(lambda: done.append("wanted"))
    assert given_up.cancel()
    release.set()
    wanted.result(10)
    assert done == ["wanted"]
    pool.stop()


def test_what_waits_is_cancelled_when_the_pool_ends():
    pool, begun, release = Pool("test", 1), threading.Event(), threading.Event()
    at_work = pool.submit(lambda: begun.set() or release.wait(10))
    waiting = pool.submit(int)
    begun.wait(10)
    pool.stop()
    with pytest.raises(CancelledError):
        waiting.result(10)
    with pytest.raises(CancelledError):
        pool.submit(int).result(10)
    release.set()
    assert at_work.result(10)


def test_a_process_whose_work_hangs_can_end():
    program = (
        "import threading; from seedbed.dashboard.pool import Pool\n"
        "begun = threading.Event()\n"
        "Pool('test', 1).submit(lambda: (begun.set(), threading.Event().wait()))\n"
        "begun.wait()"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
