import pytest

from seedbed.controller.queue import Room, arrange, in_order
from seedbed.registry.states import JobState

ROOMS = {"local": Room(cpus=4, gpus=1)}
Q = JobState.QUEUED


def decided(queued, reserving=(), rooms=ROOMS, awaited=None, now=100.0):
    return [(d.job.id, d.to, d.reason) for d in arrange(queued, reserving, rooms, awaited or {}, now)]


def test_higher_priority_goes_first_then_who_came_first(make_job):
    jobs = [make_job(1), make_job(2, priority=5), make_job(3), make_job(4, priority=5), make_job(5, priority=-1)]
    assert [job.id for job in in_order(jobs)] == [2, 4, 1, 3, 5]


def test_as_many_start_as_there_is_room_for(make_job):
    [first, second, third] = decided([make_job(1), make_job(2), make_job(3)])
    assert first == (1, JobState.STARTING, "there is room for it on local")
    assert second[1] == JobState.STARTING
    assert third == (3, Q, "waits for 2 CPUs: 4 - 4 = 0 free on local, reserved by job 1 (2), job 2 (2)")


def test_a_large_job_that_waits_lets_no_small_one_pass(make_job):
    large, small = make_job(1, cpus=3), make_job(2, cpus=1)
    [one, two] = decided([small, large], reserving=[make_job(7, cpus=2)])
    assert one == (1, Q, "waits for 3 CPUs: 4 - 2 = 2 free on local, reserved by job 7 (2)")
    assert two == (2, Q, "waits behind job 1, which waits for room on local")
    [_, two] = decided([small, make_job(1, cpus=3, priority=2)], reserving=[make_job(7, cpus=2)])
    assert two[2] == "waits behind job 1 (priority 2), which waits for room on local"


def test_clusters_have_queues_of_their_own(make_job):
    rooms = ROOMS | {"other": Room(8, 0)}
    jobs = [make_job(1, cpus=5), make_job(2, cluster="other")]
    assert [to for _, to, _ in decided(jobs, rooms=rooms)] == [Q, JobState.STARTING]
    elsewhere = make_job(7, cpus=4, cluster="other")
    assert decided([make_job(1)], reserving=[elsewhere])[0][1] == JobState.STARTING


def test_gpus_are_counted_as_cpus_are(make_job):
    assert decided([make_job(1, gpus=1)])[0][1] == JobState.STARTING
    reserving = [make_job(7, cpus=1, gpus=1)]
    [(_, _, reason)] = decided([make_job(1, gpus=1)], reserving)
    assert reason == "waits for 1 GPU: 1 - 1 = 0 free on local, reserved by job 7 (1)"


def test_a_cluster_that_shrank_says_what_it_has(make_job):
    assert decided([make_job(1, cpus=16)])[0][2] == "waits for 16 CPUs: local has 4 in all"


def test_a_job_larger_than_the_cluster_is_now_holds_nobody_up(make_job):
    large, small = make_job(1, cpus=16), make_job(2)
    [one, two] = decided([large, small])
    assert one == (1, Q, "waits for 16 CPUs: local has 4 in all")
    assert two[1] == JobState.STARTING
    [one, two] = decided([large, small], rooms={"local": Room(16, 0)}, reserving=[make_job(7, cpus=1)])  # it is back
    assert (one[1], two[2]) == (Q, "waits behind job 1, which waits for room on local")


def test_who_waits_for_something_else_holds_nobody_up(make_job):
    later = make_job(1, cpus=4, not_before=130.0, reason="attempt 1 failed; the next one starts 30 s after it")
    behind = make_job(2, cpus=4)
    [one, two] = decided([later, behind])
    assert one == (1, Q, later.reason)
    assert two[1] == JobState.STARTING
    assert decided([later], now=130.0)[0][1] == JobState.STARTING


@pytest.mark.parametrize(
    ("state", "to", "reason"),
    [
        (JobState.RUNNING, Q, "waits until job 7 is finished; it is running"),
        (JobState.QUEUED, Q, "waits until job 7 is finished; it is queued"),
        (JobState.FINISHED, JobState.STARTING, "there is room for it on local"),
        (JobState.STOPPED, Q, "waits for job 7, which is stopped: `seedbed resume 7`"),
        (
            JobState.FAILED,
            JobState.FAILED,
            "job 7, after which it was to start, is failed (no): `seedbed retry 7`, then `seedbed retry 1`",
        ),
        (
            JobState.LOST,
            JobState.FAILED,
            "job 7, after which it was to start, is lost (no): `seedbed retry 7`, then `seedbed retry 1`",
        ),
    ],
)
def test_after_another_job(make_job, state, to, reason):
    before = make_job(7, state=state, reason="no", cluster="other")
    assert decided([make_job(1, after=7)], awaited={7: before}) == [(1, to, reason)]


def test_two_jobs_of_one_run_take_turns(make_job):
    at_it = make_job(7, run_id="small-1", cpus=1)
    assert decided([make_job(1)], [at_it])[0] == (1, Q, "waits for job 7, which is at the same run")
    other_store = make_job(7, run_id="small-1", cpus=1, store_url="/another")
    assert decided([make_job(1)], [other_store])[0][1] == JobState.STARTING
    both = [make_job(1), make_job(2, run_id="small-1")]
    assert [to for _, to, _ in decided(both)] == [JobState.STARTING, Q]


def test_a_cluster_that_cannot_take_it_is_waited_for(make_job):
    rooms = {"local": Room(0, 0, "which is down: `seedbed cluster up`")}
    [(_, to, reason)] = decided([make_job(1)], rooms=rooms)
    assert (to, reason) == (Q, "waits for the cluster local, which is down: `seedbed cluster up`")
    assert decided([make_job(1)], rooms={})[0][2].endswith("which is not registered any more")
