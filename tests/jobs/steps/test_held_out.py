"""What is held out stays out: near-duplicates planted across sources and shards, held against every text left."""

import io
import json
from itertools import product
from pathlib import Path

import pytest

from dataprep.split import TRAIN, VALIDATION, SplitConfig, held_out
from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here, page

RUN = """\
name: held
data:
  sources:
    first: {path: first, priority: 1}
    second: {path: second}
  split: {validation_fraction: 0.3}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""
STEPS = ("extract", "clean", "annotate", "select", "deduplicate", "corpus")
NUM_PAGES = 40
NEAR, CHAIN = 0, 100  # page numbers of the pairs and of the chains start here
NUM_CHAINS, LINKS = 8, 9


def write(path: Path, texts: list[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    rows = [{"url": f"https://x.example/{path.name}/{n}", "text": text} for n, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def made(tmp_path):
    """The artifacts by step. Each page stands in `first`, and ten words on in one of two shards of `second`; the links
    of a chain, each ten words on from the one before, go to all three shards in turn."""
    pages = range(NEAR, NEAR + NUM_PAGES)
    chains = [page(CHAIN + chain, 10 * link) for chain, link in product(range(NUM_CHAINS), range(LINKS))]
    write(tmp_path / "first" / "a.jsonl", [page(number) for number in pages] + chains[::3])
    write(tmp_path / "second" / "b.jsonl", [page(number, 10) for number in pages if number % 2] + chains[1::3])
    write(tmp_path / "second" / "c.jsonl", [page(number, 10) for number in pages if not number % 2] + chains[2::3])
    (tmp_path / "run.yaml").write_text(RUN)
    store, state = Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state")
    plan = make_plan(load_run(tmp_path / "run.yaml"), store)
    for kind in STEPS:
        do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), Here())
    return {kind: Artifact(store, kind, plan.step(kind).fingerprint) for kind in STEPS}


def rows_of(artifact: Artifact, table: str) -> list[dict]:
    shards = artifact.committed()["input_shards"]
    return [row for shard in shards for row in artifact.read_table(table, shard["unit"]).to_pylist()]


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """The 5-grams of words, said again here."""
    words = text.split()
    return frozenset(tuple(words[start : start + 5]) for start in range(len(words) - 4))


def similarity(one: frozenset, other: frozenset) -> float:
    return len(one & other) / len(one | other)


def test_of_a_pair_with_one_member_held_out_the_other_is_not_trained_on(made):
    """Though the run file prefers the source of the one that goes."""
    documents = [row for row in rows_of(made["extract"], "documents") if row["text"].startswith("word")]
    extracted = made["extract"].committed()["input_shards"]
    held: dict[bytes, bool] = {}
    for shard in extracted:
        ids = made["extract"].read_table("documents", shard["unit"])["id"]
        held |= dict(zip(ids.to_pylist(), held_out(ids, SplitConfig(validation_fraction=0.3)).tolist(), strict=True))
    verdict = {row["id"]: row for row in rows_of(made["deduplicate"], "verdicts")}
    pairs: dict[str, list[bytes]] = {}
    for row in documents:
        number = row["text"].split("x")[0]
        if int(number.removeprefix("word")) < CHAIN:
            pairs.setdefault(number, []).append(row["id"])
    assert {len(pair) for pair in pairs.values()} == {2}
    split_pairs = [pair for pair in pairs.values() if held[pair[0]] != held[pair[1]]]
    assert len(split_pairs) >= 10  # of 40, 2 x 0.3 x 0.7 of them: 17
    for pair in split_pairs:
        keeper, lost = sorted(pair, key=lambda one: not held[one])
        assert verdict[keeper]["reason"] is None
        assert (verdict[lost]["reason"], verdict[lost]["duplicate_of"]) == ("near_duplicate_of_heldout", keeper)
    assert any(verdict[pair[0]]["reason"] for pair in split_pairs)  # of the preferred source


def test_no_text_of_training_is_a_near_duplicate_of_one_held_out(made):
    """All with all, by similarity counted here; the chains with several members held out among them."""
    texts: dict[str, list[frozenset]] = {TRAIN: [], VALIDATION: []}
    for row in rows_of(made["corpus"], "corpus"):
        texts[row["split"]].append(shingles(row["text"]))
    assert min(len(texts[TRAIN]), len(texts[VALIDATION])) >= 10
    likest = max(similarity(one, other) for one, other in product(texts[TRAIN], texts[VALIDATION]))
    assert likest < 0.8
