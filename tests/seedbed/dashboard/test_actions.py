"""What changes something: never without a session, its form's token and a check."""

import re

import pytest

from seedbed import reports, runs
from seedbed.lease import Leases
from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState, JobState, Level
from seedbed.state import StateDirectory

ORIGIN = {"origin": "http://127.0.0.1:8780"}


@pytest.fixture
def csrf(site):
    return re.search(r'name="csrf" value="(\w+)"', site.get("/login"))[1]


@pytest.fixture
def job(site):
    new = NewJob(
        key="k", run_id=site.run_id, name="tiny", project="p", owner="me", cluster="local", store_url=site.store.place,
        bundle="b", cpus=1, gpus=0,
    )  # fmt: skip
    return site.registry.add_job(new, actor="me")[0]


def post(site, path, **fields):
    return site.client.post(path, data=fields, headers=ORIGIN | {"accept": "text/html"})


def test_every_action_is_refused_without_the_forms_token(site, job):
    for path in (
        f"/jobs/{job.id}/stop",
        "/runs/x/stop",
        "/alarms/1/acknowledge",
        "/submit",
        "/submit/check",
        "/logout",
    ):
        assert post(site, path, csrf="guess").status_code == 403
        assert post(site, path).status_code == 403
    assert site.registry.job(job.id).state == JobState.QUEUED


def test_every_action_is_refused_without_a_session(site, job):
    site.client.cookies.clear()
    for path in (f"/jobs/{job.id}/stop", "/runs/x/stop", "/alarms/1/acknowledge", "/submit"):
        assert post(site, path, csrf="x").status_code == 401


def test_to_look_at_a_question_changes_nothing(site, job):
    assert "Stop it now" in site.get(f"/jobs/{job.id}/stop-now")
    assert site.registry.job(job.id).state == JobState.QUEUED
    assert "nothing that can be asked" in site.get(f"/jobs/{job.id}/explode", status=404)
    assert "no job 99" in site.get("/jobs/99/stop", status=404)


def test_a_job_in_the_queue_is_stopped_and_resumed_with_who_did_it(site, job, csrf):
    assert post(site, f"/jobs/{job.id}/stop", csrf=csrf).status_code == 303
    assert site.registry.job(job.id).state == JobState.STOPPED
    answer = post(site, f"/jobs/{job.id}/stop", csrf=csrf)
    assert answer.status_code == 409
    assert "there is nothing to stop" in answer.text
    assert post(site, f"/jobs/{job.id}/resume", csrf=csrf).status_code == 303
    assert site.registry.job(job.id).state == JobState.QUEUED
    assert site.registry.events(f"job {job.id}", newest_first=True)[0].actor.endswith("(dashboard)")


def test_a_job_that_runs_is_asked_to_stop_through_its_store(site, job, csrf):
    site.registry.begin_attempt(job, reason="there is room", actor="controller")
    assert post(site, f"/jobs/{job.id}/stop-now", csrf=csrf).status_code == 303
    request = reports.read_request(site.store, site.run_id)
    assert (request.desired, request.job) == (reports.STOP_NOW, job.id)
    assert request.by.endswith("(dashboard)")


def test_a_job_that_failed_is_tried_again_with_who_did_it(site, job, csrf):
    answer = post(site, f"/jobs/{job.id}/retry", csrf=csrf)
    assert answer.status_code == 409  # it has not been started yet
    assert "what can be retried has failed or is lost" in answer.text
    starting = site.registry.move(job, JobState.STARTING, reason="there is room", actor="controller")
    site.registry.move(starting, JobState.FAILED, reason="the disk is full", actor="controller")
    assert post(site, f"/jobs/{job.id}/retry", csrf=csrf).status_code == 303
    assert site.registry.job(job.id).state == JobState.QUEUED
    [event] = site.registry.events(f"job {job.id}", newest_first=True, limit=1)
    assert event.actor.endswith("(dashboard)") and event.reason.endswith("asked to try again")


def test_a_run_that_nobody_submitted_is_asked_through_its_store(site, csrf):
    site.record(runs.RUNNING)
    site.report()
    with Leases(site.store, StateDirectory("unused")).hold(runs.lease_name(site.run_id)):
        site.look()
        assert f"/runs/{site.run_id}/stop?" in site.get(f"/runs/{site.run_id}")
        assert post(site, f"/runs/{site.run_id}/stop", csrf=csrf).status_code == 303
    request = reports.read_request(site.store, site.run_id)
    assert (request.desired, request.job) == (reports.STOP, None)
    assert "asked to stop it at a checkpoint" in site.registry.events(f"run {site.run_id}")[-1].reason
    site.look()
    assert post(site, f"/runs/{site.run_id}/stop", csrf=csrf).status_code == 409


def test_an_alarm_is_acknowledged_by_somebody(site, csrf):
    alarm = site.registry.raise_alarm("k", "job", "1", level=Level.WARNING, message="hm", actor="watch")
    assert "job 1: hm" in site.get(f"/alarms/{alarm.id}/acknowledge")
    assert post(site, f"/alarms/{alarm.id}/acknowledge", csrf=csrf).status_code == 303
    assert site.registry.alarms()[0].acknowledged_by.endswith("(dashboard)")


@pytest.fixture
def fields(site, csrf, run_file):
    """A form that can be submitted."""
    down = Cluster("local", "http://127.0.0.1:9", "127.0.0.1:10", ClusterState.UP)
    site.registry.save_cluster(down, reason="test", actor="test")
    text = f"{run_file.read_text()}\nbudget: {{max_repeats: 1000}}\ntracking: {{enabled: false}}\n"
    return {
        "csrf": csrf, "text": text, "folder": str(run_file.parent), "store": site.store.place, "project": "p",
        "priority": "2", "retries": "1",
    }  # fmt: skip


def check(site, fields):
    return site.client.post("/submit/check", data=fields, headers=ORIGIN | {"accept": "application/json"}).json()


def test_a_run_file_is_submitted_once_it_was_checked(site, fields):
    told = check(site, fields)
    assert "Budget: <b>pass</b>" in told["html"]
    assert post(site, "/submit", **fields).status_code == 409  # nobody has seen the verdict
    assert site.registry.jobs() == []
    assert post(site, "/submit", **fields, checked=told["key"]).status_code == 303
    [job] = site.registry.jobs()
    assert (job.name, job.project, job.priority, job.max_retries) == ("tiny", "p", 2, 1)
    assert job.owner.endswith(" (dashboard)")


def test_a_check_leaves_nothing_behind(site, fields):
    before = site.store.files("")
    assert check(site, fields)["key"]
    assert not list(site.watch.state.root.glob("bundles/*"))
    assert site.store.files("") == before
    assert post(site, "/submit", **fields, checked=check(site, fields)["key"]).status_code == 303
    [job] = site.registry.jobs()
    assert [path.name for path in site.watch.state.root.glob("bundles/*")] == [f"{job.bundle}.zip"]
    assert {f"bundles/{job.bundle}.zip", f"runs/{job.run_id}/bundles/{job.bundle}"} <= set(site.store.files(""))


def test_what_was_changed_after_the_check_is_not_submitted(site, fields):
    key = check(site, fields)["key"]
    fields["text"] = fields["text"].replace("num_steps: 10", "num_steps: 11")
    assert post(site, "/submit", **fields, checked=key).status_code == 409
    assert site.registry.jobs() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": "name: tiny\nmodle: x\n"}, "modle"),
        ({"text": ""}, "run file"),
        ({"text": "a: ["}, "run file"),
        ({"folder": "/nowhere"}, "the folder /nowhere is not there"),
        ({"priority": "high"}, "priority: found &#39;high&#39;, expected a whole number"),
        ({"retries": "-1"}, "retries: found &#39;-1&#39;"),
        ({"project": "a/b"}, "--project"),
        ({"cluster": "mars"}, "no cluster &#39;mars&#39; is registered"),
        ({"after": "77"}, "no job &#39;77&#39;"),
        ({"store": "/elsewhere"}, "is not watched here"),
        ({"text": "<script>alert(1)</script>: 1"}, "&lt;script&gt;"),
    ],
)
def test_what_is_wrong_is_said_and_gives_no_key(site, fields, changes, said):
    told = check(site, fields | changes)
    assert told["key"] is None
    assert said in told["html"]
    assert "<script>" not in told["html"]


def test_a_refused_budget_takes_a_reason(site, fields):
    fields["text"] = fields["text"].replace("max_repeats: 1000", "max_repeats: 1000, max_flops: 10")
    told = check(site, fields)
    assert told["key"] is None
    assert "budget.max_flops" in told["html"]
    with_reason = check(site, fields | {"over_budget": "a try"})
    assert with_reason["key"]
    assert "starts all the same: a try" in with_reason["html"]


def test_a_relative_path_of_a_pasted_file_is_told_where_it_was_looked_for(site, fields, run_file):
    told = check(site, fields | {"text": fields["text"].replace("path: crawl", "path: nowhere")})
    folder = run_file.parent
    assert "nowhere" in told["html"]
    assert f"Relative paths were looked for below {folder}: change “Paths in it start at” where they" in told["html"]
    told = check(site, fields | {"text": fields["text"].replace("path: crawl", f"path: {folder}/nowhere")})
    assert "Relative paths" not in told["html"]


def test_without_scripts_the_page_checks_as_well(site, fields):
    answer = post(site, "/submit/check", **fields)
    assert answer.status_code == 200
    assert "Budget: <b>pass</b>" in answer.text
    assert re.search(r'id="checked" value="\w{32}"', answer.text)


def test_the_form_is_filled_in_with_the_run_file_of_a_run(site):
    site.record()
    site.look()
    assert "name: tiny" in site.get(f"/submit?run={site.run_id}")
