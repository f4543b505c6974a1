"""Commands on jobs that need no cluster: what they say of what is there, and of what is not."""

import json
import socket
import sys
import time

import pytest

from seedbed.cli.entry import main
from seedbed.controller.follow_up import PRINTED_LAST
from seedbed.controller.lead import NAME, _holder
from seedbed.job_requests import resume
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState, JobState
from seedbed.state import StateDirectory
from seedbed.store import Store

SUMMARY = {
    "num_steps": 12,
    "tokens": 6144,
    "parameters": 43904,
    "verdict": "warn",
    "hours": [1.0, 2.0],
    "steps": ["x"] * 12,
    "is_tracked": True,
    "mlflow_uri": None,
    "experiment": "pilots",
}


@pytest.fixture
def seedbed(monkeypatch, capsys, tmp_path):
    """Runs a command line in this process: exit code, what it printed, what it printed as errors."""
    monkeypatch.setenv("SEEDBED_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    for name in ("SEEDBED_REGISTRY", "SEEDBED_PROJECT", "SEEDBED_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "ben")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["seedbed", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


@pytest.fixture
def registry(tmp_path):
    opened = open_registry(None, StateDirectory(tmp_path / "state"))
    yield opened
    opened.close()


@pytest.fixture
def running(registry, tmp_path):
    """Job 1, whose first attempt failed and whose second runs."""
    new = NewJob("k", "small-1", "small", "pilots", "ann", "local", str(tmp_path / "store"), "b", 2, 0, max_retries=3)
    job, _ = registry.add_job(NewJob(**(vars(new) | {"summary": SUMMARY})), actor="ann")
    job, first = registry.begin_attempt(job, reason="room", actor="controller")
    details = {PRINTED_LAST: "error: the machine went away"}
    registry.event("attempt", "1.1", reason="what it printed last", actor="controller", details=details)
    job, _ = registry.end_attempt(
        job, first, to=JobState.QUEUED, reason="gone", actor="controller", failure="node_lost", infrastructure_faults=1
    )
    job, second = registry.begin_attempt(job, reason="room", actor="controller")
    spending = {"cost": 1.25, "device_hours": 0.5}
    heard = {"sequence": 3, "step": "pretrain", "done": 4, "total": 12, "seconds_left": 200.0, "spending": spending}
    progress = {"job": 1, "attempt": 2, "store_attempt": 2, "steps_done": ["extract"], **heard}
    registry.update_attempt(second, progress=progress, node="node-7", heard_at=time.time())
    return registry.move(job, JobState.RUNNING, reason="its driver reports", actor="controller")


def test_nothing_yet_says_what_to_type(seedbed):
    assert seedbed("jobs") == (0, "no jobs yet; next: seedbed submit RUN.yaml\n", "")
    for command in ("logs", "stop", "retry", "resume", "describe"):
        code, _, err = seedbed(command, "small")
        assert code == 2 and "nothing was submitted yet; `seedbed submit RUN.yaml` does" in err, command


def test_the_table_of_jobs(seedbed, running):
    code, out, _ = seedbed("jobs")
    row = out.splitlines()[1].split()
    assert (code, row[:5]) == (0, ["1", "small-1", "running", "pretrain", "4"])
    assert "4 of 12" in out and "3 min 20 s" in out and "1.25" in out and "its driver reports" in out
    assert "next: seedbed logs -f 1" in out
    [found] = json.loads(seedbed("jobs", "--json")[1])["jobs"]
    assert (found["cost"], found["attempts"], found["infrastructure_faults"], found["user_faults"]) == (1.25, 2, 1, 0)
    assert json.loads(seedbed("jobs", "--json", "--project", "others")[1]) == {"jobs": []}


def test_jobs_of_one_run_file_are_told_apart_by_what_was_set(seedbed, running, registry):
    for number, rate in enumerate(("1e-3", "3e-4"), 2):
        given = SUMMARY | {"set": [f"training.learning_rate={rate}", "training.num_steps=40"]}
        new = NewJob(f"k{number}", f"small-{number}", "small", "pilots", "ann", "local", "/s", "b", 2, 0)
        registry.add_job(NewJob(**(vars(new) | {"summary": given})), actor="ann")
    lines = [" ".join(line.split()) for line in seedbed("jobs")[1].splitlines()]
    assert lines[1].startswith("3 small-3 queued") and lines[2] == "learning_rate=3e-4, num_steps=40"
    assert lines[3].startswith("2 small-2 queued") and lines[4] == "learning_rate=1e-3, num_steps=40"
    assert json.loads(seedbed("jobs", "--json")[1])["jobs"][0]["set"][0] == "training.learning_rate=3e-4"
    described = " ".join(seedbed("describe", "2")[1].split())
    assert " with --set training.learning_rate=1e-3 training.num_steps=40 " in described


def test_a_submission_keeps_what_was_set_and_tells_of_a_ray_that_refuses_it(seedbed, registry, run_file):
    row = Cluster("lab", "http://127.0.0.1:1", "", ClusterState.UP)
    registry.save_cluster(row, reason="up", actor="ann")
    code, out, _ = seedbed("submit", run_file, "--set", "training.num_steps=12", "--yes")
    assert (
        code == 0 and "the cluster lab does not answer: " in out and "waits until it does: `seedbed cluster up`" in out
    )
    [job] = registry.jobs()
    assert job.summary["set"] == ["training.num_steps=12"]


def test_describe_tells_attempts_and_failures(seedbed, running):
    _, out, _ = seedbed("describe", "small")
    for said in (
        "small-1, project pilots, submitted by ann",
        "node-7",
        "node lost",
        "1 to 2 hours",
        "pretrain: 4 of 12",
    ):
        assert said in out, out
    assert "1 of machines, 0 of the run" in out and "next: seedbed logs -f 1" in out
    assert "\nevents\n" in out


def test_describe_says_that_there_are_more_events_than_it_shows(seedbed, running, registry):
    for number in range(12):
        registry.event("job", "1", reason=f"told {number}", actor="ann")
    out = seedbed("describe", "1")[1]
    assert "\nevents, the newest 12; all: seedbed events 1\n" in out
    assert "told 0" in out and "submitted as run" not in out


def test_logs_are_those_of_the_store_and_of_who_did_not_live_to_report(seedbed, running, tmp_path):
    store = Store(str(tmp_path / "store"))
    for source, text in (("driver", "loss 3.2\n"), ("rank-00001", "here\n")):
        store.write(f"runs/small-1/attempts/0002/logs/{source}/000000.log", text.encode())
    assert seedbed("logs", "1") == (0, "loss 3.2\n", "next: seedbed logs -f 1\n")
    assert seedbed("logs", "1", "--rank", 1)[1] == "here\n"
    assert seedbed("logs", "1", "--all")[1] == "driver: loss 3.2\nrank-00001: here\n"
    assert "the machine went away" in seedbed("logs", "1", "--attempt", 1)[1]
    code, _, err = seedbed("logs", "1", "--attempt", 3)
    assert (code, "job 1 has no attempt 3; it has 2" in err) == (2, True)


def test_events_of_a_job_are_those_of_its_attempts_too(seedbed, running, registry):
    registry.event("cluster", "local", reason="of no job", actor="ann")
    _, out, _ = seedbed("events", "1")
    assert "attempt 1.1 new -> starting" in out and "job 1 starting -> queued" in out and "of no job" not in out
    assert "of no job" in seedbed("events")[1] and "of no job" in seedbed("events", "cluster local")[1]


def test_stop_asks_and_names_who(seedbed, running, registry):
    _, out, _ = seedbed("stop", "1")
    assert "job 1 (small-1): asked to stop at a checkpoint\nnext: seedbed logs -f 1" in out
    assert registry.events("job 1", newest_first=True)[0].actor == "ben"
    assert seedbed("resume", "1")[0] == 2


def test_a_controller_that_is_silent_is_told_by_every_command(seedbed, running, registry):
    controller = {"host": "h", "pid": 1, "at": time.time() - 300}
    row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UP, controller=controller)
    registry.save_cluster(row, reason="up", actor="ann")
    for command in (("jobs",), ("describe", "1"), ("events",), ("stop", "1")):
        _, _, err = seedbed(*command)
        assert err.startswith("warning: the controller was last heard at ") and "`seedbed cluster up`" in err, command
    [alarm] = registry.alarms()
    assert (alarm.kind, alarm.level) == ("controller_silent", "critical")
    registry.update_cluster("local", controller=controller | {"at": time.time()})
    assert seedbed("jobs")[2] == "" and registry.alarms() == []


def test_a_cluster_that_does_not_answer_is_told_and_since_when_a_job_was_not_heard(seedbed, running, registry):
    [_, attempt] = registry.attempts(running.id)
    registry.update_attempt(attempt, heard_at=time.time() - 3600)
    controller = {"host": "h", "pid": 1, "at": time.time()}
    row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UNREACHABLE, controller=controller)
    registry.save_cluster(row, reason="up", actor="ann")
    _, out, err = seedbed("jobs")
    assert err.startswith("warning: the cluster local does not answer: its jobs are shown as they were then")
    assert "its driver reports; heard 1 h 00 min ago" in out
    registry.update_cluster("local", state=ClusterState.UP)
    assert seedbed("jobs")[2] == ""


def test_what_a_job_has_spent_stays_when_it_is_tried_again(seedbed, running, registry):
    [_, second] = registry.attempts(running.id)
    registry.end_attempt(running, second, to=JobState.QUEUED, reason="gone", actor="controller", failure="node_lost")
    job, third = registry.begin_attempt(registry.job(running.id), reason="room", actor="controller")
    registry.update_attempt(third, progress={"step": "shards"})
    [found] = json.loads(seedbed("jobs", "--json")[1])["jobs"]
    assert (found["attempts"], found["cost"], found["device_hours"]) == (3, 1.25, 0.5)
    assert "0.5 device hours, 1.25 of money" in seedbed("describe", str(job.id))[1]


def test_a_controller_that_was_killed_on_this_machine_is_told_at_once(seedbed, running, registry):
    row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UP, controller={"at": time.time()})
    registry.save_cluster(row, reason="up", actor="ann")
    host, namespace, *_ = _holder().split("/")
    registry.lead(NAME, f"{host}/{namespace}/{2**22 + 1}/1.00", seconds=30)  # beyond the largest process id
    assert seedbed("jobs")[2].startswith(
        "warning: the controller's process on this machine is gone: nothing is started"
    )
    registry.stop_leading(NAME, registry.leader(NAME))
    registry.lead(NAME, _holder(), seconds=30)
    assert seedbed("jobs")[2] == ""


def test_a_dead_mlflow_is_told_by_jobs_and_describe(seedbed, running, registry):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        row = Cluster("local", "http://127.0.0.1:1", "", ClusterState.UP, uri, controller={"at": time.time()})
        registry.save_cluster(row, reason="up", actor="ann")
        assert f"warning: MLflow at {uri} does not answer: jobs go on" in seedbed("jobs")[2]
        assert (
            f"{uri} (does not answer now; what it misses is sent later), experiment pilots" in seedbed("describe", 1)[1]
        )


def test_of_a_cluster_that_is_down_the_next_command_is_to_bring_it_up_and_no_mlflow_is_missed(
    seedbed, running, registry
):
    row = Cluster("local", "http://127.0.0.1:1", "", ClusterState.DOWN, "http://127.0.0.1:1", controller={"at": 1.0})
    registry.save_cluster(row, reason="taken down", actor="ann")
    code, out, err = seedbed("jobs")
    assert "waits until local is up" in out and "next: seedbed cluster up; to take it back: seedbed stop 1\n" in out
    assert "MLflow" not in err
    _, out, _ = seedbed("describe", "1")
    assert "does not answer" not in out and "next: seedbed cluster up;" in out
    code, out, _ = seedbed("logs", "-f", "1")
    assert code == 1 and out.endswith(
        "-- the cluster local is down, and nothing of job 1 runs: it waits until local is up: how it ended is not known"
        " yet\nnext: seedbed cluster up; to take it back: seedbed stop 1\n"
    )


def test_who_resumes_a_job_on_a_cluster_that_is_down_is_told(seedbed, running, registry):
    [_, second] = registry.attempts(running.id)
    registry.end_attempt(running, second, to=JobState.STOPPED, reason="asked", actor="controller")
    registry.save_cluster(Cluster("local", "http://127.0.0.1:1", "", ClusterState.DOWN), reason="down", actor="ann")
    assert seedbed("resume", "1")[1] == (
        "job 1 (small-1): queued again\n"
        "the cluster local is down: the job waits until `seedbed cluster up`\n"
        "next: seedbed cluster up; to take it back: seedbed stop 1\n"
    )


def test_a_person_s_resume_is_an_attempt_and_no_fault_of_a_machine(seedbed, running, registry):
    [_, second] = registry.attempts(running.id)
    job, _ = registry.end_attempt(running, second, to=JobState.STOPPED, reason="asked", actor="controller")
    registry.begin_attempt(resume(registry, job, actor="ben"), reason="room", actor="controller")
    told = " ".join(seedbed("describe", "1")[1].split())
    assert "attempts 3; retries after faults of machines: 0 of 3 " in told
    assert seedbed("jobs")[1].splitlines()[0].split()[7] == "attempts"


def test_after_a_job_that_there_is_not_names_the_option(seedbed, registry, run_file):
    registry.save_cluster(Cluster("lab", "http://127.0.0.1:1", "", ClusterState.UP), reason="up", actor="ann")
    err = seedbed("submit", run_file, "--after", "demo", "--yes")[2]
    assert err.startswith("error: --after: no job 'demo': nothing was submitted yet")


def test_submitting_without_a_cluster_says_how_to_get_one(seedbed, registry, run_file):
    code, _, err = seedbed("submit", run_file, "--yes")
    assert (code, err) == (2, "error: no cluster is up: `seedbed cluster up` starts one on this machine\n")
    row = Cluster("lab", "http://127.0.0.1:1", "", ClusterState.DOWN)
    registry.save_cluster(row, reason="down", actor="ann")
    code, _, err = seedbed("submit", run_file, "--cluster", "lab")
    assert (code, err) == (2, "error: the cluster lab is down: `seedbed cluster up` first\n")
    code, _, err = seedbed("submit", run_file, "--address", "http://far:8265")
    assert "is not registered: seedbed cluster up --address http://far:8265 --token-file FILE" in err
    assert "expected 1 to 200 characters" in seedbed("submit", run_file, "--project", "a/b")[2]
