"""What a corpus is made of, and what each rule takes from whom: documents, bytes and tokens by language, source, domain
and year, and the rules that hit one of them much harder than the rest.

A rule that was made for one language and drops another is how bias enters a corpus; nothing in a funnel shows it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seedbed.artifact import Artifact
from seedbed.errors import UsageError
from seedbed.ledger import KEPT
from seedbed.plan import Plan
from seedbed.store import Store
from seedbed.survey import domain_of, some_of

GROUPINGS = ("language", "source", "domain", "year")
COMPARED = ("language", "domain")
"""Groupings in which a rule is held against the rest."""

DECIDES = "select"
"""The step whose rules are compared. Copies are no judgement on a language: one is copied more than another."""

FLAGGED_RATIO = 10.0
"""A rule that takes this many times the share of a group that it takes of all others is flagged."""
MIN_GROUP, MIN_DROPPED = 50, 20
"""Documents of a group, and documents that a rule took of it, below which a share says little."""
MAX_TOKEN_ROWS = 20_000_000
"""Documents whose numbers of tokens are looked up: 24 bytes each."""
MAX_SHARDS = 64


@dataclass
class Group:
    """Documents of one language, source, domain or year: as extracted, and of those the ones in the corpus."""

    documents: int = 0
    num_bytes: int = 0  # of the text that survived `clean`
    kept: int = 0
    kept_bytes: int = 0
    kept_tokens: int | None = None  # None: not known


@dataclass(frozen=True)
class Flag:
    """A rule that hits one group much harder than all others together."""

    grouping: str
    group: str
    step: str
    reason: str
    dropped: int  # of the group, for this reason
    share: float  # of the group's documents
    share_of_others: float


@dataclass
class Balance:
    """Counted over `num_shards` of `of_shards` input shards. `taken[grouping][reason][group]` is how many documents."""

    num_shards: int
    of_shards: int
    groups: dict[str, dict[str, Group]] = field(default_factory=lambda: {name: {} for name in GROUPINGS})
    taken: dict[str, dict[str, dict[str, int]]] = field(default_factory=lambda: {name: {} for name in COMPARED})
    steps: dict[str, str] = field(default_factory=dict)  # reason -> step
    dates: dict[str, tuple[str, str]] = field(default_factory=dict)  # source -> its first and last day, in UTC
    flags: list[Flag] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def balance(store: Store, plan: Plan, max_shards: int = MAX_SHARDS) -> Balance:
    """What the documents with text are, and what the rules took of them. Raises UsageError before there is a ledger."""
    artifacts = {step.kind: Artifact(store, step.kind, step.fingerprint) for step in plan.steps}
    ledger = artifacts["ledger"].manifest()
    if ledger is None:
        raise UsageError(f"the ledger is not written yet: `seedbed show {plan.run_id}` says where the run is")
    all_shards = artifacts["extract"].committed()["input_shards"]
    shards = some_of(all_shards, max_shards)
    found = Balance(len(shards), len(all_shards))
    tokens = _tokens(artifacts["shards"]) if artifacts["shards"].is_committed() else None
    for shard in shards:
        documents = _documents(artifacts, shard, tokens)
        _count(found, documents)
        _take_days(found, shard["source"], documents["date"])
    for grouping in COMPARED:
        found.flags += _flags(found, grouping)
    found.flags.sort(key=lambda flag: (-flag.dropped, flag.group, flag.reason))
    return found


def _documents(artifacts: dict[str, Artifact], shard: dict[str, str], tokens: pa.Table | None) -> pa.Table:
    """A row for each document of a shard: what it is, what became of it, and its tokens."""
    unit = shard["unit"]
    documents = artifacts["extract"].read_table("documents", unit, ["id", "url", "date"])
    attributes = artifacts["annotate"].read_table("attributes", unit, ["id", "language", "num_bytes"])
    ledger = artifacts["ledger"].read_table("ledger", unit, ["id", "outcome", "step", "reason"])
    told = ledger.take(pc.index_in(documents["id"], ledger["id"]))
    year = pc.fill_null(pc.cast(pc.year(documents["date"]), pa.string()), "(none)")
    table = pa.table(
        {
            "language": attributes["language"],
            "source": pa.repeat(shard["source"], documents.num_rows),
            "domain": pa.array([domain_of(url) for url in documents["url"].to_pylist()], pa.string()),
            "year": year,
            "date": documents["date"],
            "num_bytes": attributes["num_bytes"],
            "is_kept": pc.equal(told["outcome"], KEPT),
            "step": told["step"],
            "reason": told["reason"],
        }
    )
    if tokens is None:
        return table
    at = pc.index_in(documents["id"], tokens["id"])
    return table.append_column("num_tokens", pc.fill_null(tokens["num_tokens"].take(at), 0))


def _tokens(shards: Artifact) -> pa.Table | None:
    """id and number of tokens of every document in the token shards; None where there are too many to look up."""
    names = [name for name in shards.store.names(f"{shards.path}/documents") if name.endswith(".parquet")]
    parts, rows = [], 0
    for name in names:
        with shards.open_parquet("documents", name.removesuffix(".parquet")) as file:
            rows += file.metadata.num_rows
            if rows > MAX_TOKEN_ROWS:
                return None
            parts.append(file.read(columns=["id", "num_tokens"], use_threads=False))
    return pa.concat_tables(parts).combine_chunks() if parts else None


def _count(found: Balance, table: pa.Table) -> None:
    kept = table.filter(table["is_kept"])
    for grouping in GROUPINGS:
        groups = found.groups[grouping]
        for name, number, num_bytes in _sums(table, grouping, "num_bytes"):
            group = groups.setdefault(name, Group())
            group.documents += number
            group.num_bytes += num_bytes
        for name, number, num_bytes in _sums(kept, grouping, "num_bytes"):
            groups[name].kept += number
            groups[name].kept_bytes += num_bytes
        if "num_tokens" in kept.column_names:
            for name, _, num_tokens in _sums(kept, grouping, "num_tokens"):
                groups[name].kept_tokens = (groups[name].kept_tokens or 0) + num_tokens
    dropped = table.filter(pc.is_valid(table["reason"]))
    found.steps |= dict(zip(dropped["reason"].to_pylist(), dropped["step"].to_pylist(), strict=True))
    for grouping in COMPARED:
        counted = dropped.group_by(["reason", grouping]).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            of_reason = found.taken[grouping].setdefault(row["reason"], {})
            of_reason[row[grouping]] = of_reason.get(row[grouping], 0) + row["count_all"]


def _take_days(found: Balance, source: str, dates: pa.ChunkedArray) -> None:
    """Widens what is known of the days of the documents of `source`: when they were fetched, or what a field of theirs
    says. Those without a date say nothing."""
    ends = pc.min_max(dates).as_py()
    if ends["min"] is None:
        return
    first, last = (f"{ends[end]:%Y-%m-%d}" for end in ("min", "max"))
    known = found.dates.get(source, (first, last))
    found.dates[source] = min(first, known[0]), max(last, known[1])


def _sums(table: pa.Table, grouping: str, quantity: str) -> Iterator[tuple[str, int, int]]:
    """(group, rows, sum of the quantity)"""
    counted = table.group_by(grouping).aggregate([([], "count_all"), (quantity, "sum")])
    for row in counted.to_pylist():
        yield row[grouping], row["count_all"], row[f"{quantity}_sum"] or 0


def _flags(found: Balance, grouping: str) -> Iterator[Flag]:
    groups = found.groups[grouping]
    documents = sum(group.documents for group in groups.values())
    for reason, by_group in found.taken[grouping].items():
        if found.steps[reason] != DECIDES:
            continue
        dropped = sum(by_group.values())
        for name, number in by_group.items():
            others = documents - groups[name].documents
            if groups[name].documents < MIN_GROUP or number < MIN_DROPPED or others < MIN_GROUP:
                continue
            share, share_of_others = number / groups[name].documents, (dropped - number) / others
            if share >= FLAGGED_RATIO * share_of_others:
                yield Flag(grouping, name, found.steps[reason], reason, number, share, share_of_others)


def largest(groups: dict[str, Group], most: int) -> list[tuple[str, Group]]:
    """The groups of most documents, largest first."""
    return sorted(groups.items(), key=lambda item: (-item[1].documents, item[0]))[:most]


def most_kept(groups: dict[str, Group]) -> str | None:
    """The group that holds the most kept bytes, the first by name of several such; None where nothing is kept."""
    kept = [(-group.kept_bytes, name) for name, group in groups.items() if group.kept_bytes]
    return min(kept)[1] if kept else None


def concentration(groups: dict[str, Group]) -> float | None:
    """The share of the kept bytes that the group `most_kept` holds: 1.0 where one domain is the whole corpus."""
    kept = np.array([group.kept_bytes for group in groups.values()], np.float64)
    return float(kept.max() / kept.sum()) if kept.sum() else None
