import pytest

from jobs.pretrain import attempt, spool
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


def test_a_start_removes_what_earlier_ones_staged(make_task):
    task = make_task()
    left = attempt.staging(task, attempt.begin(task))
    left.mkdir(parents=True)
    attempt.begin(task)
    assert not left.exists()


@pytest.mark.slow
def test_a_rank_that_lost_the_run_writes_nothing(groups, make_task):
    task = make_task()
    groups[2](task)
    before = spool.metrics_path(task.state_dir, task.fingerprint).read_bytes()
    old = attempt.begin(task)
    attempt.begin(task)
    with pytest.raises(Exception, match="Superseded"):
        groups[2](task, token=old)
    assert spool.metrics_path(task.state_dir, task.fingerprint).read_bytes() == before
