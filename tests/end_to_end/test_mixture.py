"""The reference run again with a mixture of its two sources: what the plan says is what is trained on, and is told."""

import json

import pytest

pytestmark = pytest.mark.slow

MIXTURE = ("data.mixture.weights.docs=0.9", "data.mixture.weights.more=0.1")
FLOOR = ("evaluation.min_documents=2", "evaluation.min_tokens=100", "evaluation.max_domains=1000")
SET = tuple(word for override in (*MIXTURE, *FLOOR) for word in ("--set", override))
NUM_SAMPLES, LENGTH = 12 * 512 // 64, 64


def test_what_the_plan_takes_of_each_source_is_trained_on_and_told(mine):
    planned = mine.json("plan", mine.run_file, *SET)
    assert {step["kind"] for step in planned["steps"] if step["state"] == "to do"} == {
        "shards",
        "pretrain",
        "evaluate",
        "export",
    }
    assert {row["known"] for row in planned["mixture"]} == {"likely"}  # the corpus is there
    out = mine.run(*SET).out

    counted = {row["source"]: row for row in mine.json("plan", mine.run_file, *SET)["mixture"]}
    assert {row["known"] for row in counted.values()} == {"counted"}
    # 0.1 x 96 samples are 9.6, 0.9 are 86.4: the larger remainder gets the one that is missing
    assert {name: row["tokens"] for name, row in counted.items()} == {"docs": 86 * LENGTH, "more": 10 * LENGTH}
    shown = mine.json("show", "small")
    trained = shown["training"]["mixture"]
    assert {name: row["tokens"] for name, row in trained.items()} == {"docs": 86 * LENGTH, "more": 10 * LENGTH}
    assert trained["more"]["epochs"] == counted["more"]["epochs"] == 10 * LENGTH / trained["more"]["available"]
    manifest = json.loads((mine.artifact("shards") / "manifest.json").read_text())
    sources = {name: found["train_tokens"] for name, found in manifest["sources"].items()}
    assert {name: (tokens - 1) // LENGTH * LENGTH for name, tokens in sources.items()} == {
        name: row["available"] for name, row in trained.items()
    }
    assert "trained on: docs 5,504 tokens (89.6%, " in out

    by = shown["training"]["by"]
    assert set(by) == {"source", "language", "domain"}
    scored = {
        kind: sum(g["tokens"] for g in found["groups"]) + found["too_small"]["tokens"] for kind, found in by.items()
    }
    assert len(set(scored.values())) == 1  # each document is in one group of each kind
    for found in by.values():
        assert all(group["documents"] >= 2 and group["tokens"] >= 100 for group in found["groups"])
    sources = by["source"]["groups"]
    assert {group["name"] for group in sources} == {"docs", "more"}
    mean = sum(group["loss"] * group["tokens"] for group in sources) / scored["source"]
    assert mean == pytest.approx(shown["training"]["validation_loss"], rel=0.02)  # the last document is cut off
    model, one = mine.artifact("export") / "model", sources[0]
    row = (
        f"| {one['name']} | {one['documents']:,} | {one['tokens']:,} | {one['loss']:.4f} | {one['bits_per_byte']:.4f} |"
    )
    assert row in (model / "README.md").read_text()
    assert json.loads((model / "datasheet.json").read_text())["mixture"] == trained
    assert "bits per byte by source: " in out
