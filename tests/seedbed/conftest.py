"""A small run that can be planned, and artifacts of its steps with seven records that can be counted on one's fingers.

Its crawl is never read, so its files hold nothing of meaning.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dataprep.annotate import AnnotateConfig
from dataprep.document_id import file_prefix, pack
from dataprep.kernels.minhash import MinHashConfig
from dataprep.schemas import CORPUS, DOCUMENTS, EDITS, UNREAD, VERDICTS
from dataprep.shards import SIDECAR
from seedbed.artifact import Artifact, write_table
from seedbed.ledger import ledger_of_shard, url_rows
from seedbed.plan import Plan, make_plan
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

RUN = """\
name: tiny
data:
  sources:
    docs:
      path: crawl
  tokenizer:
    vocab_size: 300
model: model.yaml
training:
  num_steps: 10
  global_batch_tokens: 64
  micro_batch_sequences: 2
  learning_rate: 1e-3
cluster: {training_ranks: 2}
"""

MODEL = """\
num_layers: 2
width: 16
num_heads: 2
sequence_length: 16
vocab_size: 300
"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """`run.yaml` beside `model.yaml` and the folder `crawl` with a.warc.gz (1,000 bytes) and b.jsonl (500 bytes)."""
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "model.yaml").write_text(MODEL)
    crawl = tmp_path / "crawl"
    crawl.mkdir()
    for name, size in (("a.warc.gz", 1000), ("b.jsonl", 500)):
        (crawl / name).write_bytes(b"x" * size)
        os.utime(crawl / name, (1_700_000_000, 1_700_000_000))
    return tmp_path / "run.yaml"


@pytest.fixture
def store(store_url: str) -> Store:
    """In a folder, and on an S3 server."""
    return Store(store_url)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


class Conversation:
    """A process that says what it does line by line, and ends when it is told to."""

    def __init__(self, code: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        return self.process.stdout.readline().strip()

    def let_go(self) -> None:
        self.process.communicate("\n", timeout=30)


@pytest.fixture
def start() -> Iterator[Callable[..., Conversation]]:
    """Starts a process of its own that runs `code`; what is left at the end is killed."""
    started = []

    def begin(code: str, *arguments: object) -> Conversation:
        started.append(Conversation(code, *arguments))
        return started[-1]

    yield begin
    for conversation in started:
        conversation.process.kill()
        conversation.process.communicate()


A, B = file_prefix("docs", "a.warc.gz"), file_prefix("docs", "b.jsonl")

FLOW = {
    "extract": (7, 4),
    "clean": (4, 4),
    "annotate": (4, 4),
    "select": (4, 3),
    "deduplicate": (3, 2),
    "corpus": (2, 2),
    "shards": (2, 2),
    "ledger": (7, 2),
}
"""Records in and out of each step of `pipeline`."""


def rows(schema: pa.Schema, *records: dict[str, Any]) -> pa.Table:
    """A table of this schema; what a record does not say is null, or nothing."""
    nothing = {f.name: None if f.nullable else [] if pa.types.is_list(f.type) else 0 for f in schema}
    nothing |= {f.name: "" for f in schema if pa.types.is_large_string(f.type)}
    return pa.Table.from_pylist([nothing | record for record in records], schema)


def attribute_rows(*records: dict[str, Any]) -> pa.Table:
    filled = {"content_hash": bytes(16), "language": "en", "language_score_e4": 9900, "minhash_bands": [1]}
    schema = AnnotateConfig(minhash=MinHashConfig(num_bands=1)).table_schema()
    return rows(schema, *(filled | record for record in records))


@dataclass
class Pipeline:
    """A store with the data steps of a run; every artifact but the ledger is committed."""

    store: Store
    plan: Plan

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """Those that are committed, by kind."""
        all_of_them = {step.kind: Artifact(self.store, step.kind, step.fingerprint) for step in self.plan.steps}
        return {kind: artifact for kind, artifact in all_of_them.items() if artifact.manifest() is not None}

    def write(self, kind: str, tables: dict[str, dict[str, pa.Table]], **manifest: Any) -> None:
        """Write tables (name -> unit -> rows) and commit."""
        artifact = Artifact(self.store, kind, self.plan.step(kind).fingerprint)
        for table, parts in tables.items():
            for unit, content in parts.items():
                write_table(artifact, table, unit, content)
        came, went = FLOW.get(kind, (0, 0))
        sums = {"records_in": came, "records_out": went, "seconds": 2.0, "counts": {}, "made_by_run": self.plan.run_id}
        sums |= dict.fromkeys(("bytes_in", "bytes_out", "bytes_cut", "bytes_added"), 0)
        shards = [
            {"unit": "00000", "source": "docs", "path": "a.warc.gz", "prefix": A.hex()},
            {"unit": "00001", "source": "docs", "path": "b.jsonl", "prefix": B.hex()},
        ]
        said = {"kind": kind, "digest": f"digest of {kind}", "dropped": {}, "input_shards": shards}
        artifact.commit(said | sums | manifest)

    def write_ledger(self, num_partitions: int = 2) -> None:
        ledger = {shard: ledger_of_shard(self.artifacts, shard) for shard in ("00000", "00001")}
        urls, sizes = url_rows(pa.concat_tables(ledger.values()), num_partitions)
        starts = [sum(sizes[:number]) for number in range(num_partitions)]
        parts = {f"{n:05d}": urls.slice(starts[n], sizes[n]) for n in range(num_partitions)}
        self.write("ledger", {"ledger": ledger, "urls": parts}, url_partitions=num_partitions)

    def forget(self, *kinds: str) -> None:
        """As if these steps had not run."""
        for kind in kinds:
            self.store.delete(self.artifacts[kind].path)


@pytest.fixture
def pipeline(run_file: Path, tmp_path: Path) -> Pipeline:
    """Two input shards, of docs/a.warc.gz and docs/b.jsonl.

    a#0 is an error page, a#1 is kept to train on, a#2 is too short, a#3 broke the extractor; b#0 is a copy of a#1,
    b#1 is held out and has no URL, b#2 is a request for the URL of a#1.
    """
    store = Store(str(tmp_path / "store"))
    made = Pipeline(store, make_plan(load_run(run_file), store))
    a0, a1, a2, a3 = (pack(A, n) for n in range(4))
    b0, b1, b2 = (pack(B, n) for n in range(3))
    page = "Best page\nWe use cookies\nof all"
    made.write(
        "extract",
        {
            "documents": {
                "00000": rows(
                    DOCUMENTS,
                    {
                        "id": a1,
                        "url": "https://x.example/one",
                        "charset": "utf-8",
                        "text": page,
                        "last_modified": MODIFIED,
                    },
                    {"id": a2, "url": "https://x.example/short", "text": "Too short"},
                ),
                "00001": rows(
                    DOCUMENTS,
                    {"id": b0, "url": "https://x.example/copy", "text": "Best page\nof all!"},
                    {"id": b1, "text": "Held out"},
                ),
            },
            "unread": {
                "00000": rows(
                    UNREAD,
                    {
                        "id": a0,
                        "url": "https://x.example/gone",
                        "reason": "http_status_not_200",
                        "value": 404.0,
                        "threshold": 200.0,
                    },
                    {
                        "id": a3,
                        "url": "https://x.example/bomb",
                        "reason": "extraction_crashed",
                        "detail": "ended by signal 11",
                    },
                ),
                "00001": rows(
                    UNREAD,
                    {"id": b2, "url": "https://x.example/one", "reason": "not_a_response", "detail": "request"},
                ),
            },
        },
        dropped={"http_status_not_200": 1, "extraction_crashed": 1, "not_a_response": 1},
    )
    cut = {"num_bytes": 31, "num_cut_bytes": 15, "cut_starts": [10], "cut_ends": [25], "cut_rules": [1]}
    cut |= {"added_lengths": [0]}
    made.write(
        "clean",
        {
            "edits": {
                "00000": rows(EDITS, {"id": a1, **cut}, {"id": a2, "num_bytes": 9}),
                "00001": rows(EDITS, {"id": b0, "num_bytes": 17}, {"id": b1, "num_bytes": 8}),
            }
        },
    )
    made.write(
        "annotate",
        {
            "attributes": {
                "00000": attribute_rows(
                    {"id": a1, "num_bytes": 16, "num_words": 4}, {"id": a2, "num_bytes": 9, "num_words": 2}
                ),
                "00001": attribute_rows(
                    {"id": b0, "num_bytes": 17, "num_words": 4}, {"id": b1, "num_bytes": 8, "num_words": 2}
                ),
            }
        },
    )
    too_few = {"reason": "too_few_words", "value": 2.0, "threshold": 3.0}
    made.write(
        "select",
        {
            "verdicts": {
                "00000": rows(VERDICTS, {"id": a1, "num_bytes": 16}, {"id": a2, "num_bytes": 9, **too_few}),
                "00001": rows(VERDICTS, {"id": b0, "num_bytes": 17}, {"id": b1, "num_bytes": 8}),
            }
        },
        dropped={"too_few_words": 1},
    )
    copy = {"reason": "near_duplicate", "value": 0.9, "threshold": 0.8, "duplicate_of": a1}
    made.write(
        "deduplicate",
        {
            "verdicts": {
                "00000": rows(VERDICTS, {"id": a1, "num_bytes": 16}),
                "00001": rows(VERDICTS, {"id": b0, "num_bytes": 17, **copy}, {"id": b1, "num_bytes": 8}),
            }
        },
        dropped={"near_duplicate": 1},
    )
    made.write(
        "corpus",
        {
            "corpus": {
                "00000": rows(
                    CORPUS,
                    {
                        "id": a1,
                        "url": "https://x.example/one",
                        "language": "en",
                        "split": "train",
                        "text": "Best page\nof all",
                    },
                ),
                "00001": rows(CORPUS, {"id": b1, "language": "en", "split": "validation", "text": "Held out"}),
            }
        },
    )
    made.write(
        "shards",
        {
            "documents": {
                "train-00000": rows(SIDECAR, {"id": a1, "first_token": 0, "num_tokens": 7}),
                "validation-00000": rows(SIDECAR, {"id": b1, "first_token": 0, "num_tokens": 3}),
            }
        },
        counts={"train_tokens": 7, "validation_tokens": 3},
    )
    return made
