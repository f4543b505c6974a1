"""Token shards of a mixture: each source in its own, and what is held out as it is without."""

import io
import json
from collections import Counter

import pytest

from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.plan import known_now, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here, page

RUN = """\
name: mixed
data:
  sources:
    web: {path: web}
    books: {path: books}
  split: {validation_fraction: 0.2}
  tokenizer: {vocab_size: 300}
  shards: {tokens_per_shard: 2500} # of some 1,700 bytes a page and 4 bytes a token: five or six pages
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The store, and the plans without and with a mixture, done up to `shards`: 24 pages of two files, and 8 of one."""
    folder = tmp_path_factory.mktemp("mixed")
    for place, numbers in {"web/a": range(12), "web/b": range(12, 24), "books/a": range(100, 108)}.items():
        path = folder / f"{place}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps({"text": page(number)}) + "\n" for number in numbers))
    (folder / "run.yaml").write_text(RUN)
    store, state = Store(str(folder / "store")), StateDirectory(folder / "state")
    plans = [
        make_plan(load_run(folder / "run.yaml", overrides), store)
        for overrides in ((), ("data.mixture.weights.web=0.5", "data.mixture.weights.books=0.5"))
    ]
    for plan in plans:
        for step in plan.steps[: [step.kind for step in plan.steps].index("shards") + 1]:
            do_step(step, plan, store, state, Progress(io.StringIO()), Here())
    return store, *plans


def artifact(store: Store, plan, kind: str) -> Artifact:
    return Artifact(store, kind, plan.step(kind).fingerprint)


def ids(shards: Artifact, names: list[str]) -> Counter[bytes]:
    documents = [shards.read_table("documents", name.removeprefix("tokens/"))["id"].to_pylist() for name in names]
    return Counter(name for part in documents for name in part)


def test_each_source_has_token_shards_of_its_own_with_all_its_documents(made):
    store, _, mixed = made
    shards, corpus = artifact(store, mixed, "shards"), artifact(store, mixed, "corpus")
    manifest = shards.committed()
    expected: dict[str, Counter[bytes]] = {"web": Counter(), "books": Counter()}
    for shard in corpus.committed()["input_shards"]:
        rows = corpus.read_table("corpus", shard["unit"]).to_pylist()
        expected[shard["source"]].update(row["id"] for row in rows if row["split"] == "train")
    sources = manifest["sources"]
    assert {name: ids(shards, found["token_shards"]) for name, found in sources.items()} == expected
    assert {name: found["train_documents"] for name, found in sources.items()} == {
        name: len(found) for name, found in expected.items()
    }
    assert len(sources["web"]["token_shards"]) > 1
    assert sources["books"]["token_shards"][0] == "tokens/train-books-00000"
    of_sources = [name for found in sources.values() for name in found["token_shards"]]
    assert manifest["token_shards"]["train"] == of_sources
    assert sum(found["train_tokens"] for found in sources.values()) == manifest["counts"]["train_tokens"]


def test_what_is_held_out_is_the_same_without_a_mixture(made):
    store, plain, mixed = made
    held = [
        {entry["path"]: entry["digest"] for entry in manifest["files"] if "validation-" in entry["path"]}
        for manifest in (artifact(store, plan, "shards").committed() for plan in (plain, mixed))
    ]
    assert held[0] == held[1]
    assert len(held[0]) >= 3  # tokens, index, documents
    assert ids(
        artifact(store, plain, "shards"), artifact(store, plain, "shards").committed()["token_shards"]["train"]
    ) == (ids(artifact(store, mixed, "shards"), artifact(store, mixed, "shards").committed()["token_shards"]["train"]))


def test_the_plan_counts_by_what_the_corpus_and_then_the_shards_say(made):
    store, _, mixed = made
    counted = {
        name: found["train_tokens"] for name, found in artifact(store, mixed, "shards").committed()["sources"].items()
    }
    known = known_now(mixed, store)
    assert {row.source: row.available for row in known.mixture} == {
        name: (tokens - 1) // 16 * 16 for name, tokens in counted.items()
    }
    assert {row.known for row in known.mixture} == {"counted"}
    corpus = artifact(store, mixed, "corpus").committed()
    assert sum(found["train_bytes"] for found in corpus["sources"].values()) == corpus["counts"]["train_bytes"]
