from pathlib import Path

import pytest

from jobs.pretrain import attempt
from jobs.pretrain.task import Superseded


def test_the_newest_start_has_the_run(make_task):
    task = make_task()
    first = attempt.begin(task)
    attempt.require(task, first)
    second = attempt.begin(task)
    attempt.require(task, second)
    with pytest.raises(Superseded, match="started again"):
        attempt.require(task, first)


def test_runs_do_not_know_each_other(make_task):
    token = attempt.begin(make_task("one"))
    attempt.begin(make_task("two"))
    attempt.require(make_task("one"), token)


def test_the_newest_start_removes_what_earlier_ones_staged(make_task):
    task = make_task()
    left, mine = (attempt.staging(task, attempt.begin(task)) for _ in range(2))
    for folder in (left, mine):
        folder.mkdir(parents=True)
    attempt.remove_older_staging(task, mine.name)
    assert (left.exists(), mine.exists()) == (False, True)


@pytest.mark.slow
def test_a_rank_that_lost_the_run_writes_nothing(groups, make_task):
    task = make_task()
    groups[2](task)
    old = attempt.begin(task)
    attempt.begin(task)
    folder = Path(task.store_url) / task.artifact_path
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(Exception, match="Superseded"):
        groups[2](task, token=old)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
