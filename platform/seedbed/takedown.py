"""Where in a store the text of a page lies, or what was learnt from it, and what the next run would do without it.

id, URL or domain --documents of every `extract`--> documents --verdicts--> copies
documents --clean, ledger, corpus, token shards, trainings, exports of every run--> artifacts that hold them
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.errors import CorruptDataError, DataError
from dataprep.removals import BY_ID, KINDS, Entry, Removals, parse
from dataprep.schemas import ID
from seedbed import runs
from seedbed.artifact import Artifact
from seedbed.earlier import losers_to
from seedbed.errors import UsageError
from seedbed.list_files import digest_of, read_now
from seedbed.plan import Plan
from seedbed.steps import STEPS
from seedbed.store import Store

HOLDS = {
    "extract": "text",
    "clean": "pieces of text in their normal form",
    "ledger": "URLs",
    "corpus": "text",
    "tokenizer": "vocabulary learnt from the corpus",
    "shards": "tokens",
    "pretrain": "weights trained on the tokens",
    "evaluate": "scores of those weights",
    "export": "weights trained on the tokens",
}
"""What of a document lies in an artifact: `clean` has what it puts into a text, the ledger the URL of every record.
Others hold numbers, hashes, spans and ids. While they are at work, or where they were broken off, `deduplicate` and
`shards` hold texts and tokens in their scratch as well."""

NOTE = (
    "A model keeps what it learnt: nothing takes one page out of weights, and a new training without it is the only"
    " way. Folders that were exported, copied or published are not known here, nor is what MLflow was sent (tokenizer,"
    " model). Crawl files are not changed."
)


@dataclass
class _Documents:
    """The documents of one `extract` that are asked about."""

    shards: dict[bytes, dict[str, str]]  # prefix -> input shard
    urls: dict[bytes, str | None] = field(default_factory=dict)  # packed id -> URL

    def written(self, packed: bytes) -> str:
        shard = self.shards[packed[: document_id.PREFIX_BYTES]]
        return document_id.format_id(packed, shard["source"], shard["path"])

    def units(self, ids: set[bytes]) -> dict[str, set[bytes]]:
        """The ids by the input shard that they lie in."""
        by_unit: dict[str, set[bytes]] = {}
        for packed in ids:
            shard = self.shards.get(packed[: document_id.PREFIX_BYTES])
            if shard is not None:
                by_unit.setdefault(shard["unit"], set()).add(packed)
        return by_unit


def read_plans(store: Store, run_ids: Iterable[str]) -> tuple[list[Plan], dict[str, str]]:
    """The plans of these runs, in their order, and of each whose plan cannot be read, why."""
    plans: list[Plan] = []
    unread: dict[str, str] = {}
    for run_id in run_ids:
        try:
            plans.append(runs.load_plan(store, run_id))
        except CorruptDataError as error:
            unread[run_id] = str(error)
    return plans, unread


def takedown(store: Store, plans: list[Plan], target: str, unread: dict[str, str] | None = None) -> dict[str, Any]:
    """Everything that the store knows of `target`, a URL, a document's id or a domain, over `plans` (oldest first; the
    last one says what its next run would do). Runs in `unread` could not be looked at: what they hold is not known.
    Raises UsageError where `target` is none of the three."""
    try:
        entry = Entry.parse(target)
    except DataError as error:
        raise UsageError(str(error)) from error
    documents: dict[str, dict[str, Any]] = {}  # by written id
    copies: dict[str, dict[str, Any]] = {}
    artifacts: dict[tuple[str, str], dict[str, Any]] = {}
    looked: dict[str, _Documents | None] = {}  # by fingerprint of extract
    unfinished = set()
    for plan in plans:
        extract = _artifact(store, plan, "extract")
        if extract.fingerprint not in looked:
            looked[extract.fingerprint] = _matching(extract, entry)
        if looked[extract.fingerprint] is None and store.files(extract.path):
            unfinished.add(extract.path)
    matching = {packed for found in looked.values() if found is not None for packed in found.urls}
    for plan in plans:
        extract, deduplicate = _artifact(store, plan, "extract"), _artifact(store, plan, "deduplicate")
        found = looked[extract.fingerprint]
        if found is None:
            continue
        for packed, url in found.urls.items():
            told = documents.setdefault(found.written(packed), {"url": url, "runs": []})
            told["runs"].append(plan.run_id)
        relatives = _copies(deduplicate, extract, found) | _lost_to_earlier(deduplicate, extract, matching)
        for packed, url in relatives.items():
            if packed not in found.urls:
                copies.setdefault(found.written(packed), {"url": url, "runs": []})["runs"].append(plan.run_id)
        for kind, holding in _holding(store, plan, found).items():
            key = (kind, plan.step(kind).fingerprint)
            artifacts.setdefault(key, holding | {"runs": []})["runs"].append(plan.run_id)
    return {
        "target": target,
        "kind": KINDS[entry.kind],
        "documents": [{"document_id": name, **told} for name, told in sorted(documents.items())],
        "copies": [{"document_id": name, **told} for name, told in sorted(copies.items())],
        "artifacts": list(artifacts.values()),
        "unfinished": sorted(unfinished),
        "not_looked_at": [{"run": run, "why": why} for run, why in (unread or {}).items()],
        "next_run": _next_run(store, plans[-1], entry, bool(documents)) if plans else None,
        "note": NOTE,
    }


def add_entry(path: Path, target: str) -> bool:
    """Put `target` at the end of the list at `path`, which is made where it is missing; False where it stands there
    already, in any spelling. Raises UsageError where the list cannot be written or is none."""
    try:
        wanted, held = Entry.parse(target), path.read_bytes() if path.exists() else b""
        if wanted in parse(held, str(path)):
            return False
        with path.open("ab") as file:
            file.write(b"\n" * bool(held and not held.endswith(b"\n")) + target.encode() + b"\n")
    except DataError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name a file that this user may write") from error
    return True


def _artifact(store: Store, plan: Plan, kind: str) -> Artifact:
    return Artifact(store, kind, plan.step(kind).fingerprint)


def _matching(extract: Artifact, entry: Entry) -> _Documents | None:
    """None where nothing was committed."""
    manifest = extract.manifest()
    if manifest is None:
        return None
    found = _Documents({bytes.fromhex(shard["prefix"]): shard for shard in manifest["input_shards"]})
    removals = Removals.of([entry])
    for prefix, shard in found.shards.items():
        if entry.kind == BY_ID and not entry.value.startswith(prefix.hex()):
            continue
        rows = extract.read_table("documents", shard["unit"], ["id", "url"])
        rows = rows.filter(pa.array(removals.match(rows) > 0))
        found.urls |= dict(zip(rows["id"].to_pylist(), rows["url"].to_pylist(), strict=True))
    return found


def _copies(deduplicate: Artifact, extract: Artifact, found: _Documents) -> dict[bytes, str | None]:
    """Other documents of the same groups, and their URLs: what lost to these, what these lost to, what lost to that."""
    if not found.urls or not deduplicate.is_committed():
        return {}
    pairs: list[tuple[bytes, bytes]] = []
    for shard in found.shards.values():
        rows = deduplicate.read_table("verdicts", shard["unit"], ["id", "duplicate_of"])
        rows = rows.filter(pc.is_valid(rows["duplicate_of"]))
        pairs += zip(rows["id"].to_pylist(), rows["duplicate_of"].to_pylist(), strict=True)
    keepers = {keeper for loser, keeper in pairs if loser in found.urls} | found.urls.keys()
    members = keepers | {loser for loser, keeper in pairs if keeper in keepers}
    urls: dict[bytes, str | None] = {}
    for unit, ids in found.units(members - found.urls.keys()).items():
        rows = extract.read_rows("documents", unit, pa.array(sorted(ids), ID), ["id", "url"])
        urls |= dict(zip(rows["id"].to_pylist(), rows["url"].to_pylist(), strict=True))
    return urls


def _lost_to_earlier(deduplicate: Artifact, extract: Artifact, keepers: set[bytes]) -> dict[bytes, str | None]:
    """Documents that went as copies of these, which an earlier corpus holds, and their URLs: without the page that
    corpus does not stand against them any more."""
    if not keepers or not deduplicate.is_committed():
        return {}
    urls: dict[bytes, str | None] = {}
    for unit, ids in losers_to(deduplicate, pa.array(sorted(keepers), ID)).items():
        rows = extract.read_rows("documents", unit, ids, ["id", "url"])
        urls |= dict(zip(rows["id"].to_pylist(), rows["url"].to_pylist(), strict=True))
    return urls


def _holding(store: Store, plan: Plan, found: _Documents) -> dict[str, dict[str, Any]]:
    """The artifacts of one run that hold the documents or come from them, by kind."""
    told: dict[str, dict[str, Any]] = {}
    if not found.urls:
        return told

    def tell(kind: str, num_documents: int, **more: Any) -> None:
        path = _artifact(store, plan, kind).path
        told[kind] = {"kind": kind, "path": path, "holds": HOLDS[kind], "documents": num_documents, **more}

    tell("extract", len(found.urls))
    rewritten = _with_added_text(_artifact(store, plan, "clean"), found)
    if rewritten:
        tell("clean", rewritten)
    num_urls = sum(url is not None for url in found.urls.values())
    if num_urls and _artifact(store, plan, "ledger").is_committed():
        tell("ledger", num_urls)
    kept = _in_corpus(_artifact(store, plan, "corpus"), found)
    if not kept:
        return told
    tell("corpus", len(kept))
    if _artifact(store, plan, "tokenizer").is_committed():
        tell("tokenizer", len(kept))
    places = _token_places(_artifact(store, plan, "shards"), found, kept)
    if places is None:
        return told
    tell("shards", len(places), tokens=places)
    pretrain = _artifact(store, plan, "pretrain")
    num_trained = _num_trained(places, pretrain)
    checkpoints = [name for name in store.names(f"{pretrain.path}/checkpoints") if name.startswith("step-")]
    if num_trained and (checkpoints or pretrain.is_committed()):
        tell("pretrain", num_trained, checkpoints=checkpoints)
        for kind in ("evaluate", "export"):
            if _artifact(store, plan, kind).is_committed():
                tell(kind, num_trained)
    return told


def _num_trained(places: list[dict[str, Any]], pretrain: Artifact) -> int:
    """The documents that were trained on: held-out ones are only measured on, and of a mixture, whose sources have
    token shards of their own (`train-NAME-00000`), some sources may not be taken from."""
    mixture = (pretrain.manifest() or {}).get("mixture", {})
    unused = {f"train-{name}" for name, row in mixture.items() if row["tokens"] == 0}
    shards = [place["shard"] for place in places]
    return sum(shard.startswith("train") and shard.rpartition("-")[0] not in unused for shard in shards)


def _with_added_text(clean: Artifact, found: _Documents) -> int:
    """The documents that `clean` put something into; it keeps what it put there."""
    if not clean.is_committed():
        return 0
    number = 0
    for unit, ids in found.units(set(found.urls)).items():
        rows = clean.read_table("edits", unit, ["id", "num_added_bytes"])
        rows = rows.filter(pc.greater(rows["num_added_bytes"], 0))
        number += pc.sum(pc.is_in(rows["id"], pa.array(sorted(ids), ID))).as_py() or 0
    return number


def _in_corpus(corpus: Artifact, found: _Documents) -> set[bytes]:
    """The documents that the corpus took in."""
    kept: set[bytes] = set()
    if not corpus.is_committed():
        return kept
    for unit, ids in found.units(set(found.urls)).items():
        rows = corpus.read_table("corpus", unit, ["id"])["id"]
        kept |= set(rows.filter(pc.is_in(rows, pa.array(sorted(ids), ID))).to_pylist())
    return kept


def _token_places(shards: Artifact, found: _Documents, kept: set[bytes]) -> list[dict[str, Any]] | None:
    """Where the documents' tokens lie: token shard, first token, number. None where there are no token shards yet."""
    if not shards.is_committed():
        return None
    wanted, places = pa.array(sorted(kept), ID), []
    for name in shards.store.names(f"{shards.path}/documents"):
        unit = name.removesuffix(".parquet")
        rows = shards.read_table("documents", unit)
        for row in rows.filter(pc.is_in(rows["id"], wanted)).to_pylist():
            place = {"document_id": found.written(row["id"]), "shard": unit}
            places.append(place | {key: row[key] for key in ("first_token", "num_tokens")})
    return places


def _next_run(store: Store, plan: Plan, entry: Entry, has_documents: bool) -> dict[str, Any]:
    """What the same run would do once `entry` stands in its removal lists: steps, and what they took the last time."""
    # Not by `plan.run`, so that plans of an older Seedbed are told of, too.
    lists = list(plan.config["data"].get("removals", {}).get("path", ()))
    held = {path: read_now(path) for path in lists}  # which may be another by now than the run was made with
    is_listed = any(entry in parse(data, path) for path, data in held.items())
    was_made_with_it = is_listed and all(digest_of(data) == plan.lists[path] for path, data in held.items())
    redone = {"select"}
    order = [step.kind for step in STEPS if step.kind in {planned.kind for planned in plan.steps}]
    for step in STEPS:
        if step.kind in order and redone & set(step.parents):
            redone.add(step.kind)
    manifests = {kind: _artifact(store, plan, kind).manifest() for kind in redone}
    seconds = {kind: manifest["seconds"] for kind, manifest in manifests.items() if manifest is not None}
    hours = plan.hours
    return {
        "run": plan.run_id,
        "removal_lists": lists,
        "is_listed": is_listed,
        "was_made_with_it": was_made_with_it,
        "changes_something": has_documents and not was_made_with_it,
        "kept": [kind for kind in order if kind not in redone],
        "redone": [kind for kind in order if kind in redone],
        "seconds_last_time": {kind: seconds[kind] for kind in order if kind in seconds},
        "training_hours": {"low": hours.low, "high": hours.high, "reason": hours.reason},
    }
