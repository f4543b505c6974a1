"""The shipper as the driver starts it, and a real server that is not there, comes, is killed and comes again."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedbed import runs
from seedbed.tracking.tracker import Tracker

pytestmark = pytest.mark.slow


def wait_for(done):
    for _ in range(600):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come about")


def num_rows(mlflow, tracked):
    found = mlflow.find(tracked.run_id, "attempt")
    return sum(len(mlflow.rows(attempt, "train/loss")["train/loss"]) for attempt in found)


def test_a_server_that_comes_and_goes_loses_nothing_and_doubles_nothing(
    track_run, mlflow_of, new_mlflow_server, tmp_path
):
    server = new_mlflow_server(tmp_path)
    tracked = track_run(mlflow_uri=server.url, final_wait_s=60, system_metrics_every_s="null")
    early = track_run("early", mlflow_uri=server.url, final_wait_s=1)

    # A run whose server is never there ends well, and says what waits.
    tracker = Tracker(early.plan, early.store, early.state)
    [said] = tracker.start()
    assert f"nobody answers at {server.url}" in said
    early.begin()
    early.steps(1, 25)
    early.finish()
    first, second = tracker.end()
    assert "did not take everything" in first
    assert "30 lines of the training wait in the state directory; `seedbed track early-" in second

    tracker = Tracker(tracked.plan, tracked.store, tracked.state)
    tracker.start()
    tracked.begin()
    tracked.steps(1, 50)
    tracker.look()
    server.start()
    mlflow = mlflow_of(server.url)
    wait_for(lambda: num_rows(mlflow, tracked) >= 50)

    # The ranks go on while the server is killed.
    ranks = threading.Thread(target=lambda: [tracked.step(n) or time.sleep(0.002) for n in range(51, 1001)])
    ranks.start()
    tracker.look()
    time.sleep(0.3)
    server.kill()
    ranks.join()
    assert len(tracked.stayed) == 1000
    tracked.tell(event="checkpoint", step=900, time=time.time())
    tracked.tell(event="restart", reason="rank 0 was lost", time=time.time())
    tracked.restart(at=900)
    tracker.look()

    # A scheduler's SIGTERM reaches every process; the shipper stays until its driver is gone, or it is killed.
    tracker._shipper.terminate()
    time.sleep(0.2)
    assert tracker._shipper.poll() is None

    # It is, and two others start at once: one waits for the other.
    tracker._shipper.kill()
    others = [Tracker(tracked.plan, tracked.store, tracked.state) for _ in range(2)]
    for other in others:
        other.start()
    server.start()
    tracked.steps(901, 1100)
    tracked.finish()
    with ThreadPoolExecutor() as pool:
        [[line], [same]] = pool.map(Tracker.end, others)
    assert line.startswith(f"tracking: {server.url}/#/experiments/")
    assert same == line
    run = mlflow.check(tracked)
    assert run.info.run_id in line
    assert run.info.status == "FINISHED"

    # What waited goes with one command.
    command = [sys.executable, "-m", "seedbed.cli", "--store", tracked.store.url, "--state", str(tracked.state.root)]
    done = subprocess.run([*command, "track", "--all", "--json"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    by_run = {result["run"]: result["said"] for result in json.loads(done.stdout)["runs"]}
    assert by_run[early.run_id].startswith("sent 30 lines of the training; see http://")
    assert by_run[tracked.run_id].startswith("everything had been sent; see http://")
    mlflow.check(early)
    mlflow.check(tracked)

    # With the server gone, the command says so and leaves with 1.
    server.kill()
    early.set_state(runs.RUNNING)
    early.tell(event="driver_started", run=early.run_id, time=time.time())
    done = subprocess.run([*command, "track", "early"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 1
    assert "MLflow at http://127.0.0.1" in done.stdout
    assert "1 lines of the training wait in the state directory, and nothing is lost" in done.stdout
