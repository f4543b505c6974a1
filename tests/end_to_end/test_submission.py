"""People's jobs on a cluster that stays up: the real commands, a real Ray, and what may go wrong with either.

One training is carried out undisturbed, and the same one, on another copy of the same store, is stopped, resumed, has
its driver killed and then Ray's head, while the controller is killed as well: the result must be the same.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dashboard.served import Served
from seedbed import cluster_record, processes
from seedbed.cluster_record import LocalCluster
from seedbed.job_description import describe
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory

pytestmark = pytest.mark.slow

TIMEOUT_S = 600.0
NUM_STEPS = 60
CHECKPOINT_EVERY = 4
TRAINING = {
    "training.num_steps": NUM_STEPS,
    "training.checkpoint_every_steps": CHECKPOINT_EVERY,
    "training.global_batch_tokens": 8192,  # some steps a second: there is time to disturb it
    "training.validate_every_steps": NUM_STEPS,
    "budget.max_repeats": 100,
}


@dataclass(frozen=True)
class Team:
    """A state directory with a cluster that is up, and the command line on it."""

    state: Path
    run_file: Path

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "RAY_"))}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("seedbed")), "--state", str(self.state), *map(str, arguments)],
            # Ranks print something; and who submits is not who has brought the cluster up.
            env=clean | {"TORCH_CPP_LOG_LEVEL": "INFO"} | ({"LOGNAME": "ann"} if arguments[0] == "submit" else {}),
            cwd=self.state.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def seedbed(self, *arguments: object, expect: int = 0) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == expect, f"{arguments} left with {process.returncode}\n{out}\n{err}"
        return out + err

    def json(self, *arguments: object) -> dict[str, Any]:
        return json.loads(self.seedbed(*arguments, "--json"))

    def submit(self, store: Path, *arguments: object, expect: int = 0, **keys: object) -> str:
        return self.seedbed(*self.submission(store, keys), *arguments, "--yes", expect=expect)

    def submission(self, store: Path, keys: dict[str, object]) -> list[object]:
        chosen = {**TRAINING, **{key.replace("__", "."): value for key, value in keys.items()}}
        overrides = [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]
        return ["submit", self.run_file, *overrides, "--store", store]

    def describe(self, job: int) -> dict[str, Any]:
        return self.json("describe", job)

    def wait(self, job: int, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What `describe` says when it is so. Asked without its command, a process of a second each time: it would take
        the processor from what is waited for."""
        deadline = time.monotonic() + TIMEOUT_S
        with contextlib.closing(open_registry(None, StateDirectory(self.state))) as registry:
            while True:
                found = json.loads(json.dumps(describe(registry, registry.job(job)).to_json()))
                if is_so(found):
                    return found
                assert time.monotonic() < deadline, json.dumps(found, indent=1) + self.controllers_log()
                time.sleep(0.3)

    @property
    def cluster(self) -> LocalCluster:
        record = cluster_record.read(StateDirectory(self.state))
        assert record is not None
        return record

    def kill(self, service: str, of: str) -> None:
        """SIGKILL to the process of a service whose command line has the word `of`, and to no other."""
        [process] = [p for p in processes.marked(self.cluster.mark(service)) if of in " ".join(p.cmdline())]
        process.kill()
        process.wait(timeout=TIMEOUT_S)

    def controllers_log(self) -> str:
        return self.cluster.log("controller").read_text()


@pytest.fixture(scope="module")
def team(small_run_file: Path) -> Iterator[Team]:
    """A cluster with two CPUs in name: one job at a time."""
    with tempfile.TemporaryDirectory(prefix="sb-") as folder:
        made = Team(Path(folder) / "state", small_run_file)
        made.seedbed("cluster", "up", "--cpus", "2", "--gpus", "0")
        yield made
        made.seedbed("cluster", "down", "--now")


@pytest.fixture(scope="module")
def stores(reference, tmp_path_factory) -> Callable[[str], Path]:
    """Makes stores that have the reference's data and no run yet."""

    def make(name: str) -> Path:
        copy = reference.copy(tmp_path_factory.mktemp(name)).store
        shutil.rmtree(copy / "runs")
        return copy

    return make


@pytest.fixture(scope="module")
def undisturbed(team: Team, stores) -> tuple[Path, str]:
    """The training, submitted while there is a dashboard and followed to its end: its store, and what that printed."""
    store = stores("undisturbed")
    Served(team.state, str(store)).stop()
    return store, team.submit(store, "--follow", "--project", "pilots", tracking__enabled="true")


def digests(store: Path, run: str) -> dict[str, str]:
    """Of each step of the run."""
    steps = json.loads((store / "runs" / run / "plan.json").read_text())["steps"]
    paths = {step["kind"]: store / f"steps/{step['kind']}-{step['fingerprint']}/manifest.json" for step in steps}
    return {kind: json.loads(path.read_text())["digest"] for kind, path in paths.items()}


def checkpoints(store: Path) -> list[int]:
    return sorted(int(path.name[5:]) for path in store.glob("steps/pretrain-*/checkpoints/step-*") if path.is_dir())


def wait_for_checkpoint(team: Team, store: Path, job: int, after: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not any(step > after for step in checkpoints(store)):
        assert time.monotonic() < deadline, json.dumps(team.describe(job), indent=1) + team.controllers_log()
        time.sleep(0.05)


def newest(store: Path) -> int:
    return max(checkpoints(store))


def test_a_submission_is_followed_to_its_end(undisturbed):
    _, said = undisturbed
    assert "verdict: pass" in said and "cluster local: reserves 2 CPUs; project pilots" in said
    assert "-- job 1 is running: its driver reports" in said
    assert f"step {NUM_STEPS} of {NUM_STEPS}: loss" in said
    assert "-- job 1 is finished: all of its steps are done\nnext: seedbed show small-" in said


def test_the_same_again_is_the_same_job(team, undisturbed):
    store, _ = undisturbed
    said = team.submit(store, "--project", "pilots", tracking__enabled="true")
    assert "job 1 (small-" in said and "the same submission is there already, and it is finished" in said
    assert len(team.json("jobs", "--all")["jobs"]) == 1


def test_what_was_printed_is_read_from_the_store(team, undisturbed):
    assert f"step {NUM_STEPS} of {NUM_STEPS}: loss" in team.seedbed("logs", 1)
    ranks = [team.seedbed("logs", 1, "--rank", number) for number in (0, 1)]
    assert all("c10d" in printed or "Gloo" in printed or "[I" in printed for printed in ranks), ranks
    assert re.search(r"^driver: ", team.seedbed("logs", 1, "--all"), re.MULTILINE)


def test_describe_events_and_jobs_tell_what_happened(team, undisturbed):
    found = team.describe(1)
    [attempt] = found["attempts"]
    assert (found["state"], found["project"], attempt["exit_code"], attempt["failure"]) == (
        "finished",
        "pilots",
        0,
        None,
    )
    assert found["plan"]["num_steps"] == NUM_STEPS
    assert attempt["progress"]["store_attempt"] == 1
    events = team.json("events", 1)["events"]
    changes = [(e["from_state"], e["to_state"]) for e in events if e["subject_kind"] == "job"]
    assert changes == [(None, "queued"), ("queued", "starting"), ("starting", "running"), ("running", "finished")]
    table = team.seedbed("jobs")
    assert re.search(r"1 +small-\w+ +finished +all done", table) and "next: " in table


def ask_mlflow(team: Team, path: str, **body: object) -> dict[str, Any]:
    url, headers = f"{team.cluster.mlflow_uri}/api/2.0/mlflow/{path}", {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.loads(answer.read())


def test_the_run_stands_in_mlflow_under_its_project_and_its_owner(team, undisturbed):
    [experiment] = ask_mlflow(team, "experiments/search", max_results=10, filter="name = 'pilots'")["experiments"]
    found = ask_mlflow(team, "runs/search", experiment_ids=[experiment["experiment_id"]])["runs"]
    runs = {run["info"]["run_id"]: {tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in found}
    [(whole, tags)] = [(name, tags) for name, tags in runs.items() if tags["seedbed.kind"] == "run"]
    [attempt] = [tags for tags in runs.values() if tags["seedbed.kind"] == "attempt"]
    assert attempt["mlflow.parentRunId"] == whole
    assert (tags["mlflow.user"], attempt["mlflow.user"]) == ("ann", "ann")
    job = team.describe(1)
    assert re.search(rf"\]\(http://127\.0\.0\.1:\d+/runs/{job['run']}\)", tags["mlflow.note.content"])
    page = f"{team.cluster.mlflow_uri}/#/experiments/{experiment['experiment_id']}/runs/{whole}"
    assert job["mlflow"].startswith(page) and job["mlflow_answers"] is True


def test_what_the_cluster_can_never_hold_is_refused_with_the_arithmetic(team, stores, undisturbed):
    store, _ = undisturbed
    said = team.submit(store, expect=2, cluster__training_ranks=3, training__global_batch_tokens=2304)
    assert "cluster.training_ranks: 3 ranks x 1 threads = 3 CPUs, but local has 1 node with 2 CPUs" in said
    said = team.submit(store, expect=2, cluster__device="cuda")
    assert "2 ranks x 1 GPU = 2 GPUs, but local has 1 node with 2 CPUs and 0 GPUs" in said
    assert len(team.json("jobs", "--all")["jobs"]) == 1


def test_nobody_at_the_terminal_is_no_yes(team, undisturbed):
    store, _ = undisturbed
    assert "say --yes" in team.seedbed(*team.submission(store, {"training.num_steps": 7}), expect=2)


def test_a_fault_of_the_run_itself_is_not_tried_again(team, undisturbed):
    store, _ = undisturbed
    said = team.submit(store, "--follow", expect=2, cluster__scratch_dir="/proc/nothing", training__num_steps=7)
    assert "No such file or directory: '/proc/nothing' (user error: not tried again by itself)" in said
    found = team.describe(2)
    [attempt] = found["attempts"]
    assert (found["state"], attempt["failure"], attempt["exit_code"]) == ("failed", "user_error", 2)
    assert (found["infrastructure_faults"], found["user_faults"]) == (0, 1)
    assert "No such file or directory" in team.seedbed("logs", 2)  # of a driver that did not live to report
    waits = team.submit(store, "--after", 2, training__num_steps=8)
    assert "job 3" in waits
    gone = team.wait(3, lambda job: job["state"] == "failed")
    assert "job 2, after which it was to start, is failed" in gone["reason"]


@pytest.fixture(scope="module")
def disturbed(stores) -> Path:
    return stores("disturbed")


def test_a_job_is_stopped_at_a_checkpoint_while_the_controller_is_killed(team, undisturbed, disturbed):
    said = team.submit(disturbed)
    assert "job 4 (small-" in said and "next: seedbed logs -f 4" in said
    assert "the same submission is there already" in team.submit(disturbed)
    queued = team.json("submit", team.run_file, "--store", disturbed, "--set", "training.num_steps=9", "--yes")
    wait_for_checkpoint(team, disturbed, 4, after=0)
    waiting = team.wait(queued["job"], lambda job: "waits for" in job["reason"])
    assert waiting["reason"] == "waits for 2 CPUs: 2 - 2 = 0 free on local, reserved by job 4 (2)"
    assert "stopped" in team.seedbed("stop", queued["job"])
    follower = team.start("logs", "-f", 4)
    team.kill("controller", of="seedbed.controller")
    assert "asked to stop at a checkpoint" in team.seedbed("stop", 4)
    team.seedbed("cluster", "up")
    out, err = follower.communicate(timeout=TIMEOUT_S)
    assert follower.returncode == 0, (out, err)
    assert "-- job 4 is stopped: " in out and "next: seedbed resume 4" in out
    found = team.describe(4)
    [attempt] = found["attempts"]  # no second one, though two controllers saw to it
    assert attempt["exit_code"] == 0 and "asked to stop" in attempt["reason"]
    assert 0 < newest(disturbed) < NUM_STEPS


def test_a_killed_driver_is_tried_again(team, disturbed):
    stopped_at = newest(disturbed)
    assert "queued again" in team.seedbed("resume", 4)
    follower = team.start("logs", "-f", 4)
    assert follower.stdout is not None
    assert any(line.startswith("-- job 4 is ") for line in iter(follower.stdout.readline, ""))
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=TIMEOUT_S)
    assert (follower.returncode, err) == (130, "")
    assert out.endswith("-- job 4 goes on without you; follow it again with: seedbed logs -f 4\n")
    wait_for_checkpoint(team, disturbed, 4, after=stopped_at)
    team.kill("ray", of=" jobs.submitted ")
    found = team.wait(4, lambda job: job["state"] == "queued")
    assert found["attempts"][1]["failure"] == "unknown"  # SIGKILL and no word: by whom, nobody says
    assert found["user_faults"] == 0 and found["infrastructure_faults"] == 1
    assert found["not_before"] > time.time()
    team.seedbed("retry", 4)  # without waiting


def test_a_job_whose_ray_is_gone_is_lost_and_goes_on_when_it_is_back(team, disturbed):
    team.wait(4, lambda job: len(job["attempts"]) == 3 and job["state"] == "running")
    wait_for_checkpoint(team, disturbed, 4, after=newest(disturbed))
    team.kill("ray", of="gcs_server")
    found = team.wait(4, lambda job: any(alarm["kind"] == "cluster_unreachable" for alarm in job["alarms"]))
    assert (found["state"], len(found["attempts"])) == ("running", 3)  # as it was: nobody can be asked
    team.kill("controller", of="seedbed.controller")
    team.seedbed("cluster", "up")
    found = team.wait(4, lambda job: len(job["attempts"]) == 4)
    assert (found["attempts"][2]["state"], found["attempts"][2]["failure"]) == ("lost", "node_lost")
    assert found["infrastructure_faults"] == 2
    assert team.start("logs", "-f", 4).wait(timeout=TIMEOUT_S) == 0


def test_a_controller_that_is_told_to_end_does_so_in_order(team):
    [controller] = processes.marked(team.cluster.mark("controller"))
    controller.terminate()
    controller.wait(timeout=TIMEOUT_S)
    assert team.controllers_log().endswith("ended in order\n")
    team.seedbed("cluster", "up")


def test_what_was_disturbed_is_the_same_in_the_end(team, undisturbed, disturbed):
    found = team.describe(4)
    assert (found["state"], len(found["attempts"])) == ("finished", 4)
    assert found["alarms"] == []
    assert digests(disturbed, found["run"]) == digests(undisturbed[0], found["run"])
    log = team.controllers_log()
    assert [log.count(f"job 4 ({found['run']}): attempt {number} on local") for number in range(1, 6)] == [
        1,
        1,
        1,
        1,
        0,
    ]


def test_a_job_is_ended_at_once(team, disturbed):
    """Before its driver reports, through Ray alone; and there is nothing to ask any more."""
    said = team.submit(disturbed, training__num_steps=8)
    [job] = map(int, re.findall(r"^job (\d+) ", said, re.MULTILINE))
    team.wait(job, lambda found: found["state"] == "starting")
    assert "asked to stop now" in team.seedbed("stop", job, "--now")
    found = team.wait(job, lambda found: found["state"] == "stopped")
    [attempt] = found["attempts"]
    assert attempt["failure"] is None and re.fullmatch(r"stopped at once by \S+", found["reason"])
    assert f"job {job} is stopped already" in team.seedbed("stop", job, expect=2)


@pytest.fixture(scope="module")
def watched(team: Team, stores) -> Iterator[tuple[Served, Path]]:
    """A dashboard over a store without a run, and the store."""
    store = stores("watched")
    served = Served(team.state, str(store))
    yield served, store
    served.stop()


@pytest.fixture
def inside(page, watched):
    """A browser's window that is logged in; nothing may go wrong in it."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(1000 * TIMEOUT_S)
    page.goto(watched[0].link)
    page.wait_for_url(f"{watched[0].url}/")
    yield page
    assert faults == []


def test_a_run_is_followed_in_a_browser_from_the_form_to_its_end(team, watched, inside, shows):
    served, store = watched
    inside.goto(f"{served.url}/submit")
    inside.get_by_label("Paths in it start at").fill(str(team.run_file.parent))
    text = team.run_file.read_text().replace("num_steps: 12", "num_steps: 200")  # long enough to be seen at it
    text = text.replace("validate_every_steps: 6", "validate_every_steps: 50")
    text = text.replace("checkpoint_every_steps: 4", "checkpoint_every_steps: 50")
    inside.get_by_label("Run file (YAML)").fill(text)
    shows("Budget: pass", "shards cached", "pretrain to do")
    inside.get_by_role("button", name="Submit", exact=True).click()
    shows("submitted")
    inside.evaluate("window.kept = true")
    # Each of these is shown for a while only, and by no other load of the page.
    inside.wait_for_function("() => /\\b[1-9]\\d* of 200 steps/.test(document.body.innerText)")
    assert inside.locator(".badge.live").first.inner_text().endswith("running")
    shows("finished", "bits per byte")
    inside.locator("#charts canvas").first.wait_for()
    assert inside.evaluate("window.kept") is True
    assert inside.locator("[aria-label='pretrain: done']").count() == 1
    [run] = (store / "runs").iterdir()
    inside.goto(f"{served.url}/runs/{run.name}/logs")
    shows("step 200 of 200: loss", "finished")
    inside.goto(f"{served.url}/runs/{run.name}/events")
    assert "running" in shows("queued", "starting", "finished")


def test_a_dead_mlflow_and_a_dead_ray_are_shown_as_what_they_are(team, watched, inside, shows):
    served, _ = watched
    inside.goto(f"{served.url}/cluster")
    shows("up", "controller: process", "head")
    assert "does not answer" not in inside.inner_text("main")
    for process in processes.marked(team.cluster.mark("mlflow")):  # the server, and its workers
        process.kill()
    shows("does not answer")
    assert "Its Ray does not answer" not in inside.inner_text("main")
    team.kill("ray", of="gcs_server")
    shows("unreachable", "Its Ray does not answer. What is shown is from")
    inside.goto(f"{served.url}/")
    shows("Alarms", "unreachable", "its Ray does not answer", "finished")
