"""`deduplicate` with its files: many small partitions, and groups found through files, decide what one of each does."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from dataprep.errors import DataError
from jobs.run import do_step
from jobs.steps import compare, components, deduplicate, groups
from seedbed.artifact import Artifact
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.this_process import Here, page

RUN = """\
name: copies
data:
  sources:
    old: {path: old, priority: 1}
    new: {path: new}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""
STEPS = ("extract", "clean", "annotate", "select", "deduplicate")


def sources(folder: Path) -> None:
    """A chain of nine pages, each ten words on from the one before it; exact copies; a pair; pages of their own."""
    texts = {
        "old/a.jsonl": [page(1, 0), page(1, 30), page(2), page(3)],
        "old/b.jsonl": [page(1, 10), page(4), page(2)],
        "new/c.jsonl": [page(1, shift) for shift in (20, 40, 50)] + [page(2), page(5, 10)],
        "new/d.jsonl": [page(1, shift) for shift in (80, 70, 60)] + [page(5)],
    }
    for name, rows in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        lines = [json.dumps({"url": f"https://x.example/{name}/{n}", "text": text}) for n, text in enumerate(rows)]
        (folder / name).write_text("\n".join(lines) + "\n")


def made(folder: Path, *overrides: str, store_name: str = "store") -> Artifact:
    """What `deduplicate` made of the sources, done in this process."""
    run_file = folder / "run.yaml"
    run_file.write_text(RUN)
    store, state = Store(str(folder / store_name)), StateDirectory(folder / "state")
    plan = make_plan(load_run(run_file, list(overrides)), store)
    for kind in STEPS:
        do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), Here())
    return Artifact(store, "deduplicate", plan.step("deduplicate").fingerprint)


def verdicts(artifact: Artifact) -> list[dict[str, Any]]:
    shards = artifact.committed()["input_shards"]
    return [row for shard in shards for row in artifact.read_table("verdicts", shard["unit"]).to_pylist()]


def chains(artifact: Artifact) -> list[dict[str, Any]]:
    parts = [Path(f["path"]).stem for f in artifact.committed()["files"] if f["path"].startswith("chains/")]
    return sorted((r for part in parts for r in artifact.read_table("chains", part).to_pylist()), key=lambda r: r["id"])


def rewrite(file: Path, **fields: list[Any]) -> None:
    """The rows of a JSON Lines file with other values."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for name, values in fields.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources(tmp_path)
    return tmp_path


def test_chains_copies_and_pairs_are_found_over_all_sources(folder):
    artifact = made(folder)
    counts = artifact.committed()["counts"]
    assert (counts["groups"], counts["members"], counts["component_rounds"]) == (3, 14, 0)
    rows = verdicts(artifact)
    assert sum(row["reason"] == "exact_duplicate" for row in rows) == 2  # of page 2
    assert all(row["value"] >= 0.8 for row in rows if row["reason"])
    # The first of the chain is 186 / 206 = 0.90 like its neighbour, 176 / 216 = 0.81 like the next, 166 / 226 = 0.73
    # like the one after: some of its ends are kept.
    assert counts["chain_members"] == len(chains(artifact)) > counts["chain_members_kept"] > 0


def test_chains_may_all_be_dropped(folder):
    artifact = made(folder, "data.deduplicate.chains=drop")
    counts = artifact.committed()["counts"]
    assert counts["losers"] == counts["members"] - counts["groups"] == 11
    assert counts["chain_members_kept"] == 0
    assert any(row["value"] < 0.8 for row in verdicts(artifact) if row["reason"])


def test_of_one_url_one_document_is_compared(folder, monkeypatch):
    # Page 3 and page 5 stand under two spellings of one address.
    rewrite(folder / "old/a.jsonl", url=["https://x.example/1", "https://x.example/2", None, "https://x.example/p#a"])
    rewrite(folder / "new/d.jsonl", url=[None, None, None, "http://X.example:80/p"])
    for number in (1_000_000, 5):
        monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", number)
        artifact = made(folder, "data.deduplicate.same_url=true", store_name=f"store-{number}")
        rows = verdicts(artifact)
        (lost,) = (row for row in rows if row["reason"] == "url_duplicate")
        keeper = next(row for row in rows if row["id"] == lost["duplicate_of"])
        assert keeper["reason"] is None
        assert artifact.committed()["dropped"]["url_duplicate"] == artifact.committed()["counts"]["url_losers"] == 1
        # Without page 5 of new/d its near-copy in new/c has nobody to be compared with.
        assert artifact.committed()["counts"]["groups"] == 2


def test_groups_found_through_files_and_in_many_partitions_are_the_same(folder, monkeypatch):
    artifact = made(folder)
    expected, far = verdicts(artifact), chains(artifact)
    monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", 5)
    monkeypatch.setattr(groups, "PAIRS_PER_PARTITION", 4)
    monkeypatch.setattr(compare, "PARTITION_TEXT_BYTES", 6000)
    monkeypatch.setattr(compare, "MAX_TEXT_BYTES", 5000)
    monkeypatch.setattr(compare, "MERGE_ROWS", 3)
    for limit in (1, 5):
        artifact = made(folder, f"data.deduplicate.max_edges_in_memory={limit}")
        assert artifact.committed()["counts"]["component_rounds"] > 1
        assert (verdicts(artifact), chains(artifact)) == (expected, far)


def test_a_run_stops_where_a_source_loses_more_than_expected(folder):
    with pytest.raises(DataError) as stopped:
        made(folder, "data.deduplicate.expected_loss.sources={new: {max_share: 0.25}}", "data.deduplicate.chains=drop")
    # Of new: all six of the chain, which priority leaves to old, page 2, and one of the two of page 5.
    first, *others = str(stopped.value).splitlines()
    assert first == (
        "source new: 8 of 9 documents lost, 88.9%; data.deduplicate.expected_loss.sources.new allows 0.0% to 25.0%"
    )
    assert others[0] == "the largest groups of copies:"
    assert others[1].startswith("  9 documents, 8 lost: ")
    assert "https://x.example/" in others[1]
    assert "widen the range" in others[-1]


def test_what_sources_and_languages_lost_is_in_the_manifest(folder):
    losses = made(folder, "data.deduplicate.chains=drop").committed()["losses"]
    assert losses["sources"] == {"new": {"documents": 9, "lost": 8}, "old": {"documents": 7, "lost": 3}}
    assert sum(loss["documents"] for loss in losses["languages"].values()) == 16
    assert sum(loss["lost"] for loss in losses["languages"].values()) == 11


class Killed(Exception):
    pass


MODULES = dict.fromkeys(("gather", "texts", "verify"), compare)
MODULES |= dict.fromkeys(("spread", "large", "small", "stars"), components)
MODULES |= dict.fromkeys(("members", "far", "groups"), groups)


@pytest.mark.parametrize("phase", MODULES)
def test_a_run_that_was_killed_goes_on_where_it_was(folder, monkeypatch, phase):
    forced = "data.deduplicate.max_edges_in_memory=5"
    expected = verdicts(made(folder, forced))
    module = MODULES[phase]
    unit = getattr(module, f"{phase}_unit")
    calls = 0

    def killed_at_the_third(*arguments, **more):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Killed
        return unit(*arguments, **more)

    monkeypatch.setattr(groups, "PAIRS_PER_PARTITION", 4)
    monkeypatch.setattr(compare, "PARTITION_TEXT_BYTES", 6000)
    with monkeypatch.context() as patch:
        patch.setattr(module, f"{phase}_unit", killed_at_the_third)
        with pytest.raises(Killed):
            made(folder, forced, store_name="killed")
    assert calls == 3
    assert verdicts(made(folder, forced, store_name="killed")) == expected


def test_a_run_goes_on_with_less_memory_and_with_more(folder, monkeypatch):
    """Groups are cut in other ways then, and what was merged of them is not read for theirs."""
    expected = verdicts(made(folder))
    merge_all(monkeypatch, unit_bytes=100)

    def broken(*_, **__):
        raise Killed

    for store, limits in (("less", (1000, 4, 9)), ("more", (4, 9, 1000))):
        for number, limit in enumerate(limits):
            monkeypatch.setattr(components, "edges_in_memory", lambda limit=limit: limit)
            if number < 2:
                with monkeypatch.context() as patch, pytest.raises(Killed):
                    patch.setattr(groups, "far_unit" if number else "members_unit", broken)
                    made(folder, store_name=store)
        assert verdicts(made(folder, store_name=store)) == expected


def test_what_an_older_seedbed_had_begun_is_done_anew(folder, monkeypatch):
    """Its phases and tables had other names, and its units may have deleted what this one reads."""
    expected = verdicts(made(folder))

    def broken(*_, **__):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("seedbed.artifact.SCRATCH_LAYOUT", b"older")
        patch.setattr(groups, "groups_unit", broken)
        made(folder, store_name="older")
    merge_all(monkeypatch)
    assert verdicts(made(folder, store_name="older")) == expected


def test_the_limit_follows_from_the_memory_of_the_machine(monkeypatch):
    class Memory:
        total = 16 << 30

    monkeypatch.setattr(components.psutil, "virtual_memory", Memory)
    assert components.edges_in_memory() == 16_777_216  # 2**34 / 4 / 256
