import json

import pytest

from jobs.pretrain.manifest import FORMAT, Places, newest_step, seal, unseal
from seedbed.store import Store

CONTENT = {
    "format": FORMAT,
    "step": 3,
    "samples": 24,
    "adam_steps": 3,
    "loss_scaler": None,
    "validation_loss": 5.1,
    "fingerprint": "run",
    "files": {"state-00000.safetensors": {"bytes": 7, "blake3": "ab"}},
    "pieces": {"state-00000.safetensors": [["w", 0, 4], ["b", 0, 2]], "state-00001.safetensors": [["w", 4, 3]]},
}


def test_what_was_sealed_comes_back():
    assert unseal(seal(CONTENT)) == CONTENT


@pytest.mark.parametrize("key", ["samples", "adam_steps", "step"])
def test_a_number_that_changed_is_noticed(key):
    harmed = json.loads(seal(CONTENT))
    harmed[key] += 1
    assert "its manifest was changed: blake3 " in unseal(json.dumps(harmed).encode())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[1]", "cannot be read"),
        (json.dumps(CONTENT).encode(), "expected None"),
    ],
)
def test_what_is_no_manifest_is_said_to_be_none(data, reason):
    assert reason in unseal(data)


def test_the_pieces_that_overlap_with_a_run_are_found_by_their_start():
    places = Places(CONTENT["pieces"])
    assert places.sources("w", 0, 7) == [("state-00000.safetensors", 0, 4), ("state-00001.safetensors", 4, 3)]
    assert places.sources("w", 3, 1) == [("state-00000.safetensors", 0, 4)]
    assert places.sources("w", 4, 1) == [("state-00001.safetensors", 4, 3)]
    assert places.sources("nothing", 0, 1) == []


@pytest.mark.parametrize(
    ("run", "gap"),
    [
        (("w", 0, 7), None),
        (("w", 2, 3), None),
        (("w", 0, 8), "it lacks elements 7 to 7 of w"),
        (("nothing", 0, 2), "it lacks elements 0 to 1 of nothing"),
    ],
)
def test_what_no_file_holds_is_said(run, gap):
    assert Places(CONTENT["pieces"]).gap(*run) == gap


def test_a_hole_between_two_pieces_is_said():
    assert Places({"a": [["w", 0, 2]], "b": [["w", 3, 2]]}).gap("w", 0, 5) == "it lacks elements 2 to 4 of w"


def test_a_training_goes_on_from_the_newest_checkpoint_that_has_a_manifest(tmp_path):
    store = Store(str(tmp_path))
    assert newest_step(store, "a/checkpoints") == 0
    for name in ("step-00000030/manifest.json", "step-00000049/manifest.json", "step-00000060/state-00000.safetensors"):
        store.write(f"a/checkpoints/{name}", b"{}")  # the last one's upload was cut short
    store.write("a/checkpoints/latest", b"step-00000060")
    for name in ("broken-step-00000070", "step-mine"):
        store.write(f"a/checkpoints/{name}/manifest.json", b"{}")
    assert newest_step(store, "a/checkpoints") == 49
