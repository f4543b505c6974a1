import json
from pathlib import Path

import pytest

from jobs.pretrain import spool
from seedbed.scaling import checkpoint_size

pytestmark = pytest.mark.slow


def folder(task):
    return Path(task.store_url) / task.artifact_path / "checkpoints"


def names(task):
    return sorted(path.name for path in folder(task).iterdir())


def events(task):
    return spool.read(spool.events_path(task.state_dir, task.fingerprint))


def losses(task):
    return [record["loss"] for record in spool.read(spool.metrics_path(task.state_dir, task.fingerprint))]


@pytest.fixture
def finished(groups, make_task):
    """A run of 8 steps with checkpoints at 3, 6 and 8, of which two are kept."""
    task = make_task()
    groups[2](task)
    return task


def test_the_last_two_are_kept_and_latest_names_the_newest(finished):
    assert names(finished) == ["latest", "step-00000006", "step-00000008"]
    assert (folder(finished) / "latest").read_text() == "step-00000008"


def test_the_manifest_names_every_file_with_bytes_and_digest(finished):
    manifest = json.loads((folder(finished) / "step-00000006" / "manifest.json").read_text())
    assert (manifest["step"], manifest["samples"], manifest["num_ranks"]) == (6, 48, 2)
    assert (manifest["zero_stage"], manifest["fingerprint"]) == (1, "run")
    on_disk = {path.name: path.stat().st_size for path in (folder(finished) / "step-00000006").iterdir()}
    del on_disk["manifest.json"]
    assert {name: entry["bytes"] for name, entry in manifest["files"].items()} == on_disk
    assert {"random_rank_00000.pt", "random_rank_00001.pt", "metrics.jsonl"} <= on_disk.keys()
    assert all(len(entry["blake3"]) == 64 for entry in manifest["files"].values())


@pytest.mark.parametrize(("zero_stage", "precision"), [(0, "fp32"), (1, "fp32"), (1, "bf16")])
def test_it_is_as_large_as_the_plan_says(groups, make_task, zero_stage, precision):
    task = make_task(zero_stage=zero_stage, precision=precision)
    groups[2](task)
    files = json.loads((folder(task) / "step-00000008" / "manifest.json").read_text())["files"]
    saved = sum(entry["bytes"] for name, entry in files.items() if "model_states" in name or "optim_states" in name)
    expected = checkpoint_size(task.model, task.training).total
    assert saved == pytest.approx(expected, rel=0.1)  # names and pickled settings weigh in so small a model


def test_one_without_a_manifest_is_moved_aside(groups, make_task, finished):
    broken = make_task("broken")
    with pytest.raises(Exception, match="files_uploaded"):
        groups[2](broken, "pretrain.checkpoint.files_uploaded=raise")
    assert names(broken) == ["step-00000003"]  # uploaded, not committed
    groups[2](broken)
    assert "broken-step-00000003" in names(broken)
    [event] = [event for event in events(broken) if event["event"] == "checkpoint_broken"]
    assert event["name"] == "step-00000003"
    assert "no manifest" in event["reason"]
    assert losses(broken) == losses(finished)


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda step: damage(next(step.glob("*optim_states.pt"))), "blake3"),
        (lambda step: (step / "random_rank_00001.pt").unlink(), "no such file"),
        (lambda step: (step / "manifest.json").write_text("{"), "cannot be read"),
    ],
    ids=["a flipped bit", "a missing file", "a torn manifest"],
)
def test_a_broken_one_gives_way_to_the_one_before(groups, finished, harm, reason):
    before = losses(finished)
    harm(folder(finished) / "step-00000008")
    groups[2](finished)
    started = [event["step"] for event in events(finished) if event["event"] == "taken_up"]
    assert started == [0, 6]
    [event] = [event for event in events(finished) if event["event"] == "checkpoint_broken"]
    assert (event["name"], event["moved_to"]) == ("step-00000008", "broken-step-00000008")
    assert reason in event["reason"]
    assert names(finished) == ["broken-step-00000008", "latest", "step-00000006", "step-00000008"]
    assert losses(finished) == before


def test_another_number_of_ranks_is_refused_with_the_cure(groups, make_task, finished):
    with pytest.raises(Exception, match="saved as ZeRO-1 fp32 on 2 ranks, but this run is ZeRO-1 fp32 on 1 ranks"):
        groups[1](make_task(num_ranks=1))
    assert names(finished) == ["latest", "step-00000006", "step-00000008"]  # nothing was moved


def test_without_zero_another_number_of_ranks_goes_on_with_the_same_samples(groups, make_task):
    whole = make_task("whole", zero_stage=0)
    groups[2](whole)
    with pytest.raises(Exception, match="step"):
        groups[2](make_task(zero_stage=0), "pretrain.step.6=raise")
    groups[1](make_task(zero_stage=0, num_ranks=1))
    assert losses(make_task()) == pytest.approx(losses(whole), abs=1e-5)


def test_a_checkpoint_of_another_run_is_refused(groups, make_task, finished):
    from dataclasses import replace

    with pytest.raises(Exception, match="fingerprint run, expected other"):
        groups[2](replace(make_task(), fingerprint="other"))
