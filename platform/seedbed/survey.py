"""A survey of a run's documents: what the rules of `select` measure, beside their thresholds; languages, sources and
domains. Counted over some input shards, so that it takes as long for a large crawl as for a small one."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from dataprep.select import SelectConfig, all_rules
from seedbed.artifact import Artifact
from seedbed.errors import UsageError
from seedbed.ledger import KEPT
from seedbed.plan import Plan
from seedbed.selection import config_of, decided_from
from seedbed.store import Store

MAX_SHARDS = 64
MAX_DOCUMENTS = 500_000
NUM_BINS = 40
_WIDE = 50.0
"""Beyond this ratio of the upper end to the middle, bins are of equal ratios."""
_NO_DOMAIN = "(none)"


@dataclass(frozen=True)
class Distribution:
    """What one rule measured. Of the documents of a bin, `passed` pass the rule and `failed` do not, whatever other
    rules say; the first and the last bin hold what lies beyond."""

    reason: str
    threshold: float
    edges: tuple[float, ...]
    passed: tuple[int, ...]
    failed: tuple[int, ...]
    is_logarithmic: bool


@dataclass
class Share:
    """How many records, and how many of them were kept."""

    records: int = 0
    kept: int = 0


@dataclass
class Survey:
    """What was counted, over `num_shards` of `of_shards` input shards."""

    num_shards: int
    of_shards: int
    num_documents: int = 0
    distributions: list[Distribution] = field(default_factory=list)
    languages: dict[str, Share] = field(default_factory=dict)
    sources: dict[str, Share] = field(default_factory=dict)
    domains: dict[str, Share] = field(default_factory=dict)


def survey(store: Store, plan: Plan, max_shards: int = MAX_SHARDS) -> Survey:
    """Raises UsageError before `annotate` has run. Sources and domains need the ledger, else they stay empty."""
    artifacts = {step.kind: Artifact(store, step.kind, step.fingerprint) for step in plan.steps}
    annotated = artifacts["annotate"].manifest()
    if annotated is None:
        raise UsageError(f"annotate has not run yet: `seedbed show {plan.run_id}` says where the run is")
    shards = annotated["input_shards"]
    chosen = some_of(shards, max_shards)
    has_ledger = artifacts["ledger"].is_committed()
    found = Survey(0, len(shards))
    settings = plan.step("select").config
    lists = {digest: path for path, digest in plan.lists.items()}
    tables = []
    for shard in chosen:
        if found.num_documents >= MAX_DOCUMENTS:
            break
        table = decided_from(artifacts, shard["unit"], settings, lists)
        tables.append(table)
        found.num_shards += 1
        found.num_documents += table.num_rows
        if has_ledger:
            _count(found, artifacts["ledger"], shard, table)
    every = pa.concat_tables(tables)
    if not has_ledger:
        found.languages = {language: Share(number) for language, number in _counted(every["language"])}
    found.distributions = _distributions(every, config_of(settings))
    return found


def some_of(shards: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    """At most so many input shards, always the same ones."""
    return shards if len(shards) <= most else random.Random(0).sample(shards, most)


def _counted(column: Any) -> list[tuple[str, int]]:
    return Counter(column.to_pylist()).most_common()


def _count(found: Survey, ledger: Artifact, shard: dict[str, str], table: pa.Table) -> None:
    rows = ledger.read_table("ledger", shard["unit"], ["id", "url", "outcome"])
    kept_ids = set()
    for packed, url, outcome in zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True):
        is_kept = outcome == KEPT
        if is_kept:
            kept_ids.add(packed)
        _add(found.sources, shard["source"], is_kept)
        _add(found.domains, domain_of(url), is_kept)
    for packed, language in zip(table["id"].to_pylist(), table["language"].to_pylist(), strict=True):
        _add(found.languages, language, packed in kept_ids)


def _add(shares: dict[str, Share], name: str, is_kept: bool) -> None:
    share = shares.setdefault(name, Share())
    share.records += 1
    share.kept += is_kept


def domain_of(url: str | None) -> str:
    """The host of a URL, `(none)` where there is none."""
    try:
        return urlsplit(url or "").hostname or _NO_DOMAIN
    except ValueError:  # the crawl is hostile
        return _NO_DOMAIN


def _distributions(table: pa.Table, config: SelectConfig) -> list[Distribution]:
    rules = all_rules(table, config) if table.num_rows else []
    thresholds = [(rule, rule.usual_threshold) for rule in rules]
    return [
        _distribution(r.reason, r.value, threshold, r.fails) for r, threshold in thresholds if np.isfinite(threshold)
    ]


def _distribution(reason: str, value: np.ndarray, threshold: float, fails: np.ndarray) -> Distribution:
    low, middle, high = (float(v) for v in np.quantile(value, [0.005, 0.5, 0.995]))
    low, high = min(low, threshold), max(high, threshold)
    is_logarithmic = low >= 0 and high > _WIDE * max(middle, 1e-9) and high > 1
    if is_logarithmic:
        edges = np.expm1(np.linspace(np.log1p(low), np.log1p(high), NUM_BINS + 1))
    else:
        edges = np.linspace(low, high if high > low else low + 1.0, NUM_BINS + 1)
    inside = np.clip(value, edges[0], edges[-1])
    passed, failed = (np.histogram(inside[which], edges)[0] for which in (~fails, fails))
    return Distribution(
        reason, threshold, tuple(edges.tolist()), tuple(passed.tolist()), tuple(failed.tolist()), is_logarithmic
    )
