"""The ledger: one row for each record that was read, and how a URL or an id is found in it.

ledger/<shard>.parquet     `dataprep.schemas.LEDGER`, ascending ids
urls/<partition>.parquet   hash of the URL -> id, sorted: a URL is found by reading one row group
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dataprep.extraction.isolation import QUARANTINE_REASONS
from dataprep.schemas import ID, LEDGER
from seedbed.artifact import Artifact

KEPT, DROPPED, QUARANTINED = "kept", "dropped", "quarantined"

URLS = pa.schema([pa.field("url_hash", pa.uint64(), nullable=False), pa.field("document", pa.binary(16))])
URLS_PER_PARTITION = 4_000_000
"""Rows of one file of the URL index: 100 MB before compression."""


def ledger_of_shard(artifacts: dict[str, Artifact], shard: str) -> pa.Table:
    """What became of every record of an input shard, as far as the steps in `artifacts` (by kind) have got.

    Needs `extract`; `select`, `deduplicate`, `decontaminate`, `repeats` and `corpus` add their say where they are
    given. Schema LEDGER.
    """
    unread = artifacts["extract"].read_table("unread", shard)
    documents = artifacts["extract"].read_table("documents", shard, ["id", "url"])
    parts = [_unread_rows(unread)]
    for kind in ("select", "deduplicate", "decontaminate", "repeats"):
        if kind in artifacts:
            verdicts = artifacts[kind].read_table("verdicts", shard)
            details = found_items(artifacts[kind], shard) if kind == "decontaminate" else None
            parts.append(_dropped_rows(kind, documents, verdicts, details))
            documents = _still_there(documents, verdicts)
    parts.append(_kept_rows(artifacts, documents, shard))
    table = pa.concat_tables(parts)
    return table.sort_by("id").combine_chunks()


def _rows(documents: pa.Table, outcome: str, step: str, columns: dict[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """Rows of the ledger for `documents` (id, url), null where nothing is said."""
    size = documents.num_rows
    values = {"id": documents["id"], "url": documents["url"], **columns}
    values |= {"outcome": pa.repeat(outcome, size), "step": pa.repeat(step, size)}
    return pa.table([values.get(f.name, pa.nulls(size, f.type)) for f in LEDGER], schema=LEDGER)


def _unread_rows(unread: pa.Table) -> pa.Table:
    rows = _rows(
        unread, DROPPED, "extract", {name: unread[name] for name in ("reason", "value", "threshold", "detail")}
    )
    failed = pc.is_in(unread["reason"], pa.array(QUARANTINE_REASONS))
    outcome = pc.if_else(failed, QUARANTINED, DROPPED)
    return rows.set_column(rows.schema.get_field_index("outcome"), LEDGER.field("outcome"), outcome)


def found_items(decontaminate: Artifact, shard: str) -> pa.Table:
    """`document`, `detail`: of each document of a shard with evaluation items, the one of which most n-grams stand in
    it, and how many others."""
    with decontaminate.open_parquet("matches", shard) as file:
        matches = file.read(["document", "set", "item", "num_found"], use_threads=False)
    best = matches.sort_by([("document", "ascending"), ("num_found", "descending"), ("item", "ascending")])
    told: dict[bytes, dict[str, None]] = {}  # the items of each document, each once, the best first
    for row in best.to_pylist():
        told.setdefault(row["document"], {})[f"{row['set']}: {row['item']}"] = None
    details = [
        next(iter(items)) + (f", and {len(items) - 1} more" if len(items) > 1 else "") for items in told.values()
    ]
    return pa.table([pa.array(list(told), ID), pa.array(details, pa.string())], ["document", "detail"])


def _dropped_rows(kind: str, documents: pa.Table, verdicts: pa.Table, details: pa.Table | None = None) -> pa.Table:
    dropped = verdicts.filter(pc.is_valid(verdicts["reason"]))
    urls = documents["url"].take(pc.index_in(dropped["id"], documents["id"]))
    place = pa.table({"id": dropped["id"], "url": urls})
    says = {name: dropped[name] for name in ("reason", "value", "threshold", "duplicate_of")}
    if details is not None:
        says["detail"] = details["detail"].take(pc.index_in(dropped["id"], details["document"]))
    return _rows(place, DROPPED, kind, says)


def _still_there(documents: pa.Table, verdicts: pa.Table) -> pa.Table:
    kept = verdicts.filter(pc.is_null(verdicts["reason"]))["id"]
    return documents.filter(pc.is_in(documents["id"], kept))


def _kept_rows(artifacts: dict[str, Artifact], documents: pa.Table, shard: str) -> pa.Table:
    in_turn = ("corpus", "repeats", "decontaminate", "deduplicate", "select", "extract")
    last = next(kind for kind in in_turn if kind in artifacts)
    if last != "corpus":
        return _rows(documents, KEPT, last, {})
    corpus = artifacts["corpus"].read_table("corpus", shard, ["id", "url", "split"])
    return _rows(corpus, KEPT, "corpus", {"split": corpus["split"]})


def url_hash(url: str) -> int:
    return xxhash.xxh3_64_intdigest(url.encode())


def url_rows(ledger: pa.Table, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """(rows of schema URLS sorted by hash, how many of them belong to each partition)."""
    with_url = ledger.filter(pc.is_valid(ledger["url"]))
    hashes = np.fromiter((url_hash(url) for url in with_url["url"].to_pylist()), np.uint64, with_url.num_rows)
    order = np.argsort(hashes, kind="stable")  # ids ascend, so rows of one URL stay in the order of their ids
    rows = pa.table([pa.array(hashes[order]), with_url["id"].take(pa.array(order))], schema=URLS)
    bounds = [partition_bound(p, num_partitions) for p in range(1, num_partitions)]
    cuts = np.searchsorted(hashes[order], np.array(bounds, np.uint64)) if bounds else np.empty(0, np.int64)
    return rows, np.diff(np.concatenate([[0], cuts, [len(hashes)]])).tolist()


def partition_bound(partition: int, num_partitions: int) -> int:
    """The least hash of a partition of the URL index."""
    return -(-(partition << 64) // num_partitions)


def partition_of(hash_: int, num_partitions: int) -> int:
    return (hash_ * num_partitions) >> 64


def find_url(ledger: Artifact, url: str, num_partitions: int) -> list[bytes]:
    """The ids of all records with this URL, ascending."""
    wanted = url_hash(url)
    found: list[bytes] = []
    with ledger.open_parquet("urls", f"{partition_of(wanted, num_partitions):05d}") as parts:
        for group in range(parts.num_row_groups):
            statistics = parts.metadata.row_group(group).column(0).statistics
            if statistics is not None and not statistics.min <= wanted <= statistics.max:
                continue
            rows = parts.read_row_group(group, use_threads=False)
            found += rows.filter(pc.equal(rows["url_hash"], pa.scalar(wanted, pa.uint64())))["document"].to_pylist()
    return sorted(found)
