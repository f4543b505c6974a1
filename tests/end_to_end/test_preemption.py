"""A machine that is taken away while a model is trained: SIGTERM to every process, then some seconds."""

import contextlib
import shutil
import time

import psutil
import pytest

pytestmark = pytest.mark.slow

NUM_STEPS = 200
LONGER = ("--set", f"training.num_steps={NUM_STEPS}", "--set", "training.checkpoint_every_steps=1000")


def start_training(workspace, is_there, **environment):
    """The run, as soon as `is_there()` says that it is where it should be."""
    driver = workspace.start("run", workspace.run_file, *LONGER, **environment)
    while not is_there():
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    return driver


def has_taken_steps(workspace):
    spools = [path for path in workspace.state.glob("metrics/*.jsonl") if ".events." not in path.name]
    return any(path.stat().st_size for path in spools)


def terminate_all(driver):
    """SIGTERM to the driver, its Ray and every rank, as Slurm sends it, or Kubernetes to a process group."""
    for process in [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()


def checkpoints(workspace):
    return sorted(path.name for path in (workspace.artifact("pretrain") / "checkpoints").glob("step-*"))


def test_sigterm_to_every_process_ends_in_a_checkpoint_and_the_same_command_goes_on_from_it(mine):
    shutil.rmtree(mine.store / "runs")
    driver = start_training(mine, lambda: has_taken_steps(mine))
    terminate_all(driver)
    out, err = driver.communicate(timeout=120)
    assert driver.returncode == 75, (out, err)
    [name] = checkpoints(mine)
    step = int(name.removeprefix("step-"))
    assert err == (
        f"stopped: SIGTERM was received: training has stopped at its checkpoint of step {step}; the same command goes"
        f" on with step {step + 1}\n"
    )
    [run] = mine.json("show")["runs"]
    assert (run["state"], step < NUM_STEPS) == ("interrupted", True)
    out = mine.run(*LONGER).out
    assert f"going on from the checkpoint of step {step}" in out
    assert [line["step"] for line in mine.metrics()] == list(range(1, NUM_STEPS + 1))


@pytest.mark.thorough
def test_a_second_sigterm_ends_it_at_once(mine, tmp_path):
    """While a rank hangs, no checkpoint comes about; who sends SIGTERM again does not want to wait for it."""
    shutil.rmtree(mine.store / "runs")
    hung = tmp_path / "hung"
    fault = {"SEEDBED_FAULT": "pretrain.step.50=hang", "SEEDBED_FAULT_ONCE": str(hung)}
    driver = start_training(mine, hung.exists, **fault)
    driver.terminate()
    time.sleep(1)
    assert driver.poll() is None
    driver.terminate()
    _, err = driver.communicate(timeout=60)
    assert (driver.returncode, err) == (143, "interrupted: the same command goes on from here\n")
