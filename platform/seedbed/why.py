"""Why a page is in the corpus or is not: one record's way through the steps."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.errors import DataError
from dataprep.removals import BY_URL, Entry, Removals
from dataprep.urls import same_page_key
from seedbed.artifact import Artifact
from seedbed.earlier import lost_to_earlier
from seedbed.errors import UsageError
from seedbed.ledger import KEPT, find_url, ledger_of_shard
from seedbed.plan import Plan
from seedbed.repeated_passages import repeated_passages
from seedbed.store import Store

CUTS = ("cut_starts", "cut_ends", "cut_rules", "added_lengths")  # lists of `schemas.EDITS`: too long to be told
LINE_WORDS = ("num_words_in_lines", "num_words_in_refinedweb_lines")
_DECIDING = ("extract", "select", "deduplicate", "decontaminate", "repeats", "corpus")


def why(store: Store, plan: Plan, target: str) -> dict[str, Any]:
    """What became of a URL, in any spelling where the given one was not read, or of a document id as text or hex.
    Raises UsageError when nothing like it was read.

    Where several records have the URL (a request beside its answer, a page fetched twice), the one that got farthest
    is told, and the others are listed under `others`.
    """
    artifacts = {
        step.kind: artifact
        for step in plan.steps
        if (artifact := Artifact(store, step.kind, step.fingerprint)).is_committed()
    }
    if "extract" not in artifacts:
        raise UsageError(f"run {plan.run_id} has read nothing yet: `seedbed show {plan.run_id}` says where it is")
    shards = {bytes.fromhex(shard["prefix"]): shard for shard in artifacts["extract"].committed()["input_shards"]}
    is_unicode = target == target.encode("utf-8", "replace").decode()  # a terminal in another charset gives what is not
    ids = _ids(artifacts, shards, target) if is_unicode else []
    told = [record for found in ids if (record := _tell(artifacts, plan, shards, found)) is not None]
    if not told:
        raise UsageError(f"no record {target!r} in run {plan.run_id}: give its URL, or source/path#n")
    told.sort(key=lambda record: (record["outcome"] != KEPT, -_DECIDING.index(record["step"])))
    others = [{key: record[key] for key in ("document_id", "outcome", "step", "reason")} for record in told[1:]]
    return told[0] | {"others": others}


def _ids(artifacts: dict[str, Artifact], shards: dict[bytes, dict[str, str]], target: str) -> list[bytes]:
    if len(target) == 32 and all(c in "0123456789abcdef" for c in target):
        return [bytes.fromhex(target)]
    packed = document_id.parse_id(target)
    if packed is not None and packed[: document_id.PREFIX_BYTES] in shards:
        return [packed]
    if "ledger" in artifacts:
        ledger = artifacts["ledger"]
        found = find_url(ledger, target, ledger.committed()["url_partitions"])
    else:  # the run has not come as far as the index
        found = _looked_for(artifacts["extract"], shards, lambda rows: pc.equal(rows["url"], target))
    return found or _in_another_spelling(artifacts["extract"], shards, target)


def _in_another_spelling(extract: Artifact, shards: dict[bytes, dict[str, str]], target: str) -> list[bytes]:
    """The records of the page that `takedown` would take it for: with another scheme or none, port, escapes, tracking
    parameters. The index of URLs knows one spelling of each, so every shard is looked through."""
    try:
        key = same_page_key(target if "://" in target else f"https://{target}")
    except DataError:
        return []
    page = Removals.of([Entry(BY_URL, key)])
    return _looked_for(extract, shards, lambda rows: pa.array(page.match(rows) == BY_URL))


def _looked_for(
    extract: Artifact, shards: dict[bytes, dict[str, str]], is_it: Callable[[pa.Table], pa.Array]
) -> list[bytes]:
    """The ids of records of every shard, read or not, ascending."""
    found = []
    for shard in shards.values():
        for table in ("documents", "unread"):
            rows = extract.read_table(table, shard["unit"], ["id", "url"])
            found += rows.filter(is_it(rows))["id"].to_pylist()
    return sorted(found)


def _tell(
    artifacts: dict[str, Artifact], plan: Plan, shards: dict[bytes, dict[str, str]], found: bytes
) -> dict[str, Any] | None:
    shard = shards.get(found[: document_id.PREFIX_BYTES])
    if shard is None:
        return None
    if "ledger" in artifacts:
        rows = artifacts["ledger"].read_table("ledger", shard["unit"])
    else:
        rows = ledger_of_shard(artifacts, shard["unit"])
    row = rows.filter(pc.equal(rows["id"], found)).to_pylist()
    if not row:
        return None
    told = row[0]
    loser_to = told["duplicate_of"]
    earlier = lost_to_earlier(artifacts["deduplicate"], shard["unit"], found) if told["step"] == "deduplicate" else None
    keepers = shards if earlier is None else {bytes.fromhex(earlier[1]["prefix"]): earlier[1]}
    return {
        "document_id": _written(shards, found),
        "url": told["url"],
        "outcome": told["outcome"],
        "step": told["step"],
        "reason": told["reason"],
        "value": told["value"],
        "threshold": told["threshold"],
        "duplicate_of": _written(keepers, loser_to) if loser_to else None,
        "duplicate_of_run": None if earlier is None else earlier[0],  # where it is one of an earlier corpus
        "detail": told["detail"],
        "split": told["split"],
        "history": _history(artifacts, shard["unit"], found, told),
        "benchmarks": _benchmarks(artifacts, shard["unit"], found),
        "repeats": _repeats(artifacts, plan, shards, found),
        "tokens": _token_range(artifacts, found, told["split"]),
    }


def _written(shards: dict[bytes, dict[str, str]], found: bytes) -> str:
    shard = shards[found[: document_id.PREFIX_BYTES]]
    return document_id.format_id(found, shard["source"], shard["path"])


def _history(artifacts: dict[str, Artifact], shard: str, found: bytes, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Step by step as far as the record came: what was measured, and what the step said."""
    history: list[dict[str, Any]] = []
    for kind, table in (
        ("extract", "documents"),
        ("clean", "edits"),
        ("annotate", "attributes"),
        ("select", "verdicts"),
        ("deduplicate", "verdicts"),
        ("decontaminate", "verdicts"),
        ("repeats", "verdicts"),
    ):
        if kind in ("decontaminate", "repeats") and kind not in artifacts:  # a run may be without it
            continue
        if kind not in artifacts:
            break
        rows = artifacts[kind].read_table(table, shard)
        row = rows.filter(pc.equal(rows["id"], found)).to_pylist()
        if not row:
            break
        left_out = ("id", "text", "url", "content_hash", "minhash_bands", "added_text", *CUTS)
        measured = {k: v for k, v in row[0].items() if k not in left_out and v is not None and k != "duplicate_of"}
        for name in LINE_WORDS:
            if measured.get(name) == 0:  # the rules that count them are off
                del measured[name]
        measured = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in measured.items()}
        history.append({"step": kind, "outcome": "passed", **measured})
    if told["outcome"] != KEPT:
        history = [entry for entry in history if entry["step"] != told["step"]]
        says = {key: told[key] for key in ("reason", "value", "threshold", "detail") if told[key] is not None}
        history.append({"step": told["step"], "outcome": told["outcome"], **says})
    elif told["step"] == "corpus":
        history.append({"step": "corpus", "outcome": KEPT, "split": told["split"]})
    return history


def _benchmarks(artifacts: dict[str, Artifact], shard: str, found: bytes) -> list[dict[str, Any]]:
    """Which evaluation items stand in the document and where, those first of which it holds most."""
    if "decontaminate" not in artifacts:
        return []
    with artifacts["decontaminate"].open_parquet("matches", shard) as file:
        rows = file.read(use_threads=False)
    rows = rows.filter(pc.equal(rows["document"], found)).drop_columns(["document", "item_number"])
    return sorted(rows.to_pylist(), key=lambda row: (-row["num_found"], row["set"], row["item"], row["field"]))


def _repeats(
    artifacts: dict[str, Artifact], plan: Plan, shards: dict[bytes, dict[str, str]], found: bytes
) -> list[dict[str, Any]]:
    """Which passages `repeats` took out of the document, and where the first of each stands."""
    data, shard = plan.run.data, shards[found[: document_id.PREFIX_BYTES]]["unit"]
    masking = data.annotate.personal_data, data.corpus.personal_data
    passages = repeated_passages(artifacts, shard, found, *masking)
    return [passage | {"first_in": _written(shards, passage["first_in"])} for passage in passages]


def _token_range(artifacts: dict[str, Artifact], found: bytes, split: str | None) -> dict[str, Any] | None:
    """Where the document's tokens lie, None when it has none (yet)."""
    if split is None or "shards" not in artifacts:
        return None
    for name in artifacts["shards"].store.names(f"{artifacts['shards'].path}/documents"):
        if not name.startswith(split):
            continue
        rows = artifacts["shards"].read_table("documents", name.removesuffix(".parquet"))
        row = rows.filter(pc.equal(rows["id"], found)).to_pylist()
        if row:
            first, count = row[0]["first_token"], row[0]["num_tokens"]
            return {"shard": name.removesuffix(".parquet"), "first_token": first, "num_tokens": count}
    return None
