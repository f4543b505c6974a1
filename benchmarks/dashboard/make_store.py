"""A store with as many runs, input shards and metric points as asked for, that no cluster has made.

The first REAL_SHARDS input shards have rows of their own; files of the others are hard links to those of the first.
"""

import dataclasses
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataprep.annotate import AnnotateConfig
from dataprep.document_id import file_prefix, pack
from dataprep.kernels.minhash import MinHashConfig
from dataprep.schemas import CORPUS, DOCUMENTS, EDITS, UNREAD, VERDICTS
from seedbed import runs
from seedbed.artifact import Artifact, write_table
from seedbed.ledger import ledger_of_shard, url_rows
from seedbed.plan import Plan, make_plan
from seedbed.reports import CHUNK_BYTES, attempt_path
from seedbed.runfile.load import load_run
from seedbed.runs import RunRecord
from seedbed.store import Store

REAL_SHARDS = 64
RECORDS = 24  # of an input shard
NUM_STEPS = 100_000
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
"""What a page of the crawl says in its URL and its text."""

RUN = """\
name: many
data:
  sources:
    docs: {path: crawl}
  tokenizer: {vocab_size: 300}
model: {num_layers: 2, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 100000, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
budget: {max_flops: 1e15, max_repeats: 1e12}
cluster: {training_ranks: 2}
tracking: {enabled: false}
"""


@dataclass(frozen=True)
class Made:
    """What was made; `plan` is that of the newest run, which alone has metrics."""

    store: Store
    plan: Plan
    run_file: Path


def make_store(folder: Path, num_runs: int, num_shards: int, num_points: int) -> Made:
    """A store under `folder`, and the run file whose data it holds. `num_points` are metric points: five a step."""
    crawl = folder / "crawl"
    crawl.mkdir(parents=True)
    for number in range(num_shards):
        (crawl / f"{number:05d}.jsonl").write_bytes(b"x")
    run_file = folder / "run.yaml"
    run_file.write_text(RUN)
    store = Store(str(folder / "store"))
    plan = make_plan(load_run(run_file), store)
    _write_data(store, plan, num_shards)
    for number in range(num_runs):
        _write_run(store, plan, number, num_runs)
    newest = _of(plan, num_runs - 1)
    _write_metrics(store, newest.run_id, num_points // 5)
    return Made(store, newest, run_file)


def _of(plan: Plan, number: int) -> Plan:
    return dataclasses.replace(plan, run_id=f"many-{number:08x}")


def _write_run(store: Store, plan: Plan, number: int, num_runs: int) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * (num_runs - number)))
    record = RunRecord(_of(plan, number).run_id, plan.name, at, runs.FAILED if number % 7 == 3 else runs.FINISHED)
    if record.state == runs.FAILED:
        record.error = "InfrastructureError: a node was lost four times"
    record.attempts.append({"started_at": at, "ended_at": at, "state": record.state})
    runs.save(store, record)
    runs.save_plan(store, _of(plan, number), RUN)


def _write_metrics(store: Store, run_id: str, num_steps: int) -> None:
    folder, chunk, number = attempt_path(run_id, 1), bytearray(), 0
    for line in _records(num_steps):
        chunk += json.dumps(line).encode() + b"\n"
        if len(chunk) >= CHUNK_BYTES:
            store.write(f"{folder}/metrics/{number:06d}.jsonl", bytes(chunk))
            chunk, number = bytearray(), number + 1
    store.write(f"{folder}/metrics/{number:06d}.jsonl", bytes(chunk))
    store.write(f"{folder}/logs/driver/000000.log", f"plan many\n{HOSTILE}\nended\n".encode())
    store.write(
        f"{folder}/heartbeat.json", json.dumps({"at": time.time(), "step": "pretrain", "every_s": 5.0}).encode()
    )
    end = {"at": time.time(), "exit_code": 0, "state": "finished", "failure": None, "reason": None, "step": "pretrain"}
    store.write(f"{folder}/end.json", json.dumps(end).encode())


def _records(num_steps: int) -> Iterator[dict[str, Any]]:
    yield {"event": "taken_up", "time": 0.0, "step": 0}
    for step in range(1, num_steps + 1):
        loss = 2 + 6 / (1 + step / 500) + 0.1 * ((step * 7919) % 100) / 100
        line = {"step": step, "time": float(step), "loss": loss, "learning_rate": 1e-3, "gradient_norm": 1.0 / step}
        line |= {"tokens_per_second": 900.0 + step % 50, "memory_bytes": 1 << 30}
        if step % 1000 == 0:
            line["validation_loss"] = loss + 0.1
        yield line


def _rows(schema: pa.Schema, records: list[dict[str, Any]]) -> pa.Table:
    nothing = {f.name: None if f.nullable else [] if pa.types.is_list(f.type) else 0 for f in schema}
    nothing |= {f.name: "" for f in schema if pa.types.is_large_string(f.type)}
    return pa.Table.from_pylist([nothing | record for record in records], schema)


def _write_data(store: Store, plan: Plan, num_shards: int) -> None:
    names = [f"{number:05d}.jsonl" for number in range(num_shards)]
    shards = [
        {"unit": f"{n:05d}", "source": "docs", "path": name, "prefix": file_prefix("docs", name).hex()}
        for n, name in enumerate(names)
    ]
    artifacts = {step.kind: Artifact(store, step.kind, step.fingerprint) for step in plan.steps}
    real = shards[:REAL_SHARDS]
    for shard in real:
        for (kind, table), rows in _tables(bytes.fromhex(shard["prefix"]), int(shard["unit"])).items():
            write_table(artifacts[kind], table, shard["unit"], rows)
    decided = {kind: artifacts[kind] for kind in ("extract", "select", "deduplicate", "corpus")}
    ledger = {shard["unit"]: ledger_of_shard(decided, shard["unit"]) for shard in real}
    for unit, rows in ledger.items():
        write_table(artifacts["ledger"], "ledger", unit, rows)
    write_table(artifacts["ledger"], "urls", "00000", url_rows(pa.concat_tables(ledger.values()), 1)[0])
    tables = {"extract": ("documents", "unread"), "clean": ("edits",), "annotate": ("attributes",)}
    tables |= {"select": ("verdicts",), "deduplicate": ("verdicts",), "corpus": ("corpus",), "ledger": ("ledger",)}
    dropped: dict[str, dict[str, int]] = {"extract": {"not_a_response": 4}, "select": {"too_few_words": 3}}
    dropped["deduplicate"] = {"near_duplicate": 2}
    came = {
        "extract": RECORDS,
        "clean": 20,
        "annotate": 20,
        "select": 20,
        "deduplicate": 17,
        "corpus": 15,
        "ledger": RECORDS,
    }
    for kind, names_of_tables in tables.items():
        _link(store, artifacts[kind], names_of_tables, shards)
        gone = {reason: number * num_shards for reason, number in dropped.get(kind, {}).items()}
        records_in = came[kind] * num_shards
        _commit(artifacts[kind], shards, names_of_tables, records_in, records_in - sum(gone.values()), gone, plan)


def _tables(prefix: bytes, shard: int) -> dict[tuple[str, str], pa.Table]:
    ids = [pack(prefix, n) for n in range(RECORDS)]
    urls = [f"https://site-{n % 5}.example/{shard}/{n}" for n in range(RECORDS)]
    urls[1] = f"https://site-1.example/{shard}/{HOSTILE}"
    texts = [f"The page {n} of the shard {shard}. {HOSTILE if n == 1 else ''}" for n in range(RECORDS)]
    documents, read = [], range(20)
    documents = [{"id": ids[n], "url": urls[n], "text": texts[n], "content_type": "text/html"} for n in read]
    measured = {"content_hash": bytes(16), "language": "en", "language_score_e4": 9000, "minhash_bands": [1]}
    few = {"reason": "too_few_words", "value": 2.0, "threshold": 50.0}
    copy = {"reason": "near_duplicate", "value": 0.9, "threshold": 0.8, "duplicate_of": ids[5]}
    return {
        ("extract", "documents"): _rows(DOCUMENTS, documents),
        ("extract", "unread"): _rows(
            UNREAD, [{"id": ids[n], "url": urls[n], "reason": "not_a_response"} for n in range(20, RECORDS)]
        ),
        ("clean", "edits"): _rows(EDITS, [{"id": ids[n], "num_bytes": len(texts[n].encode())} for n in read]),
        ("annotate", "attributes"): _rows(
            AnnotateConfig(minhash=MinHashConfig(num_bands=1)).table_schema(),
            [measured | {"id": ids[n], "num_words": 3 + 40 * n, "num_bytes": 20, "num_lines": 1} for n in read],
        ),
        ("select", "verdicts"): _rows(VERDICTS, [{"id": ids[n]} | (few if n in (0, 2, 3) else {}) for n in read]),
        ("deduplicate", "verdicts"): _rows(
            VERDICTS, [{"id": ids[n]} | (copy if n in (6, 7) else {}) for n in read if n not in (0, 2, 3)]
        ),
        ("corpus", "corpus"): _rows(
            CORPUS,
            [
                {"id": ids[n], "url": urls[n], "language": "en", "split": "train", "text": texts[n]}
                for n in read
                if n not in (0, 2, 3, 6, 7)
            ],
        ),
    }


def _link(store: Store, artifact: Artifact, tables: tuple[str, ...], shards: list[dict[str, str]]) -> None:
    for table in tables:
        folder = store.local_path(f"{artifact.path}/{table}")
        assert folder is not None, "the store is a folder"
        for shard in shards[REAL_SHARDS:]:
            os.link(folder / "00000.parquet", folder / f"{shard['unit']}.parquet")


def _commit(
    artifact: Artifact,
    shards: list[dict[str, str]],
    tables: tuple[str, ...],
    records_in: int,
    records_out: int,
    dropped: dict[str, int],
    plan: Plan,
) -> None:
    files = [
        {"path": f"{table}/{shard['unit']}.parquet", "num_bytes": 4000, "digest": "0" * 64, "num_rows": 20}
        for table in tables
        for shard in shards
    ]
    manifest: dict[str, Any] = {"kind": artifact.kind, "digest": "0" * 32, "seconds": 60.0, "counts": {}}
    manifest |= {"records_in": records_in, "records_out": records_out, "dropped": dropped, "url_partitions": 1}
    manifest |= dict.fromkeys(("bytes_in", "bytes_out", "bytes_cut", "bytes_added"), 0)
    artifact.commit(manifest | {"made_by_run": plan.run_id, "input_shards": shards, "files": files})
