"""Some documents that a step kept or dropped, to read: with personal data masked as in the corpus."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.kernels.edit_rules import LINE_RULES, PHRASE_RULES, RULES
from dataprep.kernels.text_view import surviving_text
from dataprep.personal_data import mask
from seedbed.artifact import Artifact
from seedbed.earlier import earlier_shards
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.repeated_passages import texts_before
from seedbed.store import Store
from seedbed.why import CUTS

STEPS = ("extract", "clean", "select", "deduplicate", "decontaminate", "repeats", "corpus")
_SEED = 0x5A3E
_ABOUT_LINES = (*LINE_RULES, *PHRASE_RULES)


@dataclass(frozen=True)
class Sampled:
    """One document; `text` is what the step saw, or cut out where the step is `clean`, masked."""

    document_id: str
    url: str | None
    reason: str | None
    value: float | None
    threshold: float | None
    duplicate_of: str | None
    text: str


def sample(
    store: Store,
    plan: Plan,
    step: str,
    reason: str | None,
    number: int,
    seed: int = 0,
    max_shards: int | None = None,
) -> list[Sampled]:
    """`number` documents that `step` kept (no reason) or dropped for `reason`, chosen by a hash of their ids. Of
    `clean` those that it changed by the rule `reason`, or (no reason) by any rule about lines.

    Where there are more input shards than `max_shards`, only as many are read as give `number` documents, in an order
    that `seed` decides; a rare reason may then give fewer. Raises UsageError for a step that has not run, or drops
    nothing for that reason.
    """
    if step not in STEPS:
        raise UsageError(f"step {step!r} has no documents to read; there are {', '.join(STEPS)}")
    artifacts = {s.kind: Artifact(store, s.kind, s.fingerprint) for s in plan.steps}
    if step not in artifacts:
        raise UsageError(f"run {plan.run_id} has no step {step}: its run file has no data.{step}")
    manifest = artifacts[step].manifest()
    if manifest is None:
        raise UsageError(f"{step} has not run yet: `seedbed show {plan.run_id}` says where the run is")
    known = sorted(RULES if step == "clean" else manifest["dropped"])
    if reason is not None and reason not in known:
        raise UsageError(f"{step} drops nothing as {reason!r}; its reasons here are {', '.join(known) or 'none'}")
    shards = artifacts["extract"].committed()["input_shards"]
    known = [*(earlier_shards(artifacts["deduplicate"]) if step == "deduplicate" else ()), *shards]
    names = {bytes.fromhex(shard["prefix"]): (shard["source"], shard["path"]) for shard in known}
    chosen: list[tuple[int, Sampled]] = []
    is_bounded = max_shards is not None and len(shards) > max_shards
    if max_shards is not None and is_bounded:
        shards = random.Random(seed).sample(shards, max_shards)
    for shard in shards:
        if is_bounded and len(chosen) >= number:
            break
        chosen += _of_shard(artifacts, step, reason, shard["unit"], number, seed, names)
        chosen = sorted(chosen, key=lambda pair: pair[0])[:number]
    documents = [sampled for _, sampled in chosen]
    return documents if step == "corpus" else _masked(documents, plan)  # the corpus is shown as it is


def _masked(documents: list[Sampled], plan: Plan) -> list[Sampled]:
    """Only `corpus` masks, and what was dropped, or has not come so far, did not go through it."""
    data = plan.run.data
    texts = pa.array([document.text for document in documents], pa.large_string())
    masked = mask(texts, data.annotate.personal_data, data.corpus.personal_data)[0].to_pylist()
    return [replace(document, text=text) for document, text in zip(documents, masked, strict=True)]


def _of_shard(
    artifacts: dict[str, Artifact],
    step: str,
    reason: str | None,
    shard: str,
    number: int,
    seed: int,
    names: dict[bytes, tuple[str, str]],
) -> list[tuple[int, Sampled]]:
    rows = _rows(artifacts, step, reason, shard)
    mixed = document_id.mix(rows["id"], _SEED + seed)
    first = np.argsort(mixed)[:number]
    taken = rows.take(pa.array(first))
    texts = _texts(artifacts, step, reason, shard, taken)

    def written(packed: bytes) -> str:
        return document_id.format_id(packed, *names[packed[: document_id.PREFIX_BYTES]])

    def sampled(row: dict[str, Any]) -> Sampled:
        other = row.get("duplicate_of")
        url, text = texts.get(row["id"], (row.get("url"), row.get("detail") or ""))
        measured = (row.get("reason"), row.get("value"), row.get("threshold"))
        return Sampled(written(row["id"]), url, *measured, written(other) if other else None, text)

    return [(int(mixed[at]), sampled(row)) for at, row in zip(first, taken.to_pylist(), strict=True)]


def _rows(artifacts: dict[str, Artifact], step: str, reason: str | None, shard: str) -> pa.Table:
    """`id` and what is said of the documents of a shard that `step` kept, or dropped for `reason`."""
    if step == "extract":
        table = (
            artifacts[step].read_table("unread", shard)
            if reason
            else artifacts[step].read_table("documents", shard, ["id"])
        )
        return table.filter(pc.equal(table["reason"], reason)) if reason else table
    if step == "clean":
        edits = artifacts[step].read_table("edits", shard)
        wanted = _wanted_rules(reason)
        hit = [not wanted.isdisjoint(rules) for rules in edits["cut_rules"].to_pylist()]
        return edits.filter(pa.array(hit, pa.bool_())).select(["id"])
    if step == "corpus":
        return artifacts[step].read_table("corpus", shard, ["id"])
    verdicts = artifacts[step].read_table("verdicts", shard)
    return verdicts.filter(pc.equal(verdicts["reason"], reason) if reason else pc.is_null(verdicts["reason"]))


def _texts(
    artifacts: dict[str, Artifact], step: str, reason: str | None, shard: str, rows: pa.Table
) -> dict[bytes, tuple[str | None, str]]:
    """id -> (url, text)."""
    if step == "extract" and reason:
        return {}
    ids = rows["id"].combine_chunks()
    if step == "corpus":
        table = artifacts["corpus"].read_rows("corpus", shard, ids, ["id", "url", "text"])
        return {row["id"]: (row["url"], row["text"]) for row in table.to_pylist()}
    documents = artifacts["extract"].read_rows("documents", shard, ids, ["id", "url", "text"])
    if step == "extract":
        return {row["id"]: (row["url"], row["text"]) for row in documents.to_pylist()}
    edits = artifacts["clean"].read_rows("edits", shard, ids)
    if step == "clean":
        pairs = zip(documents.to_pylist(), edits.to_pylist(), strict=True)
        wanted = _wanted_rules(reason)
        return {d["id"]: (d["url"], "\n".join(_cuts(d["text"].encode(), e, wanted))) for d, e in pairs}
    if step == "repeats":
        texts = texts_before(artifacts, shard, ids)[1].to_pylist()
    else:
        texts = surviving_text(documents["text"].combine_chunks(), edits).to_pylist()
    return {row["id"]: (row["url"], text) for row, text in zip(documents.to_pylist(), texts, strict=True)}


def _wanted_rules(reason: str | None) -> set[int]:
    return {RULES.index(name) for name in ((reason,) if reason else _ABOUT_LINES)}


def _cuts(text: bytes, edit: dict[str, Any], wanted: set[int]) -> Iterator[str]:
    """A line for each cut by one of the rules `wanted`. What rules about characters cut is hard to see: quoted."""
    added, at = edit["added_text"].encode(), 0
    for start, end, rule, length in zip(*(edit[name] for name in CUTS), strict=True):
        cut, put = text[start:end].decode(), added[at : at + length].decode()
        at += length
        if rule in wanted:
            told = cut.strip() if RULES[rule] in _ABOUT_LINES else f"{cut!r} -> {put!r}"
            yield f"[{RULES[rule]}] {told}"
