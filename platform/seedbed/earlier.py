"""Earlier corpora that a run is deduplicated against: found by name when it is planned, then known by content."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.deduplicate.config import EarlierRun
from dataprep.errors import CorruptDataError
from dataprep.kernels.words import WORD_HASHES
from seedbed.artifact import Artifact
from seedbed.errors import UsageError
from seedbed.store import Store

READ = ("extract", "clean", "annotate", "corpus")
"""The steps of an earlier run whose tables are read."""


@dataclass(frozen=True)
class EarlierCorpus:
    """One corpus, wherever its store is by now: what is written of it in the fingerprint of `deduplicate`."""

    run: str  # the id of the run that made it
    steps: dict[str, str]  # kind -> fingerprint, of each of READ
    digests: dict[str, str]  # kind -> digest of the content

    def artifacts(self, store: Store) -> dict[str, Artifact]:
        return {kind: Artifact(store, kind, fingerprint) for kind, fingerprint in self.steps.items()}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value)


def find_earlier_corpora(
    against: tuple[EarlierRun, ...], store: Store, run_name: str, minhash: dict[str, Any]
) -> tuple[EarlierCorpus, ...]:
    """Each corpus that is named, in order; `minhash` is the new run's `data.annotate.minhash`.

    Raises UsageError where one is not there, is not whole, or has other bands.
    """
    found = []
    for number, earlier in enumerate(against):
        key = f"data.deduplicate.against[{number}]"
        there = store if earlier.store is None else Store(earlier.store)
        if earlier.run == run_name and there.url == store.url:
            raise UsageError(
                f"{key}.run: {run_name} is this run's own name: give the id of a finished run, or rename this one"
            )
        corpus = _find(there, earlier.run, key)
        made = Artifact(there, "annotate", corpus.steps["annotate"]).committed()
        theirs = made["config"]["minhash"]
        if theirs != minhash:
            raise UsageError(
                f"{key}: {corpus.run} was made with data.annotate.minhash {json.dumps(theirs)}, but this run says "
                f"{json.dumps(minhash)}: bands of the two do not compare; say the former here, or make the old one anew"
            )
        if made["software"].get("word hashes") != str(WORD_HASHES):
            raise UsageError(
                f"{key}: {corpus.run} was made by another Seedbed, whose words have other hashes: bands of the two do"
                " not compare; make the old one anew"
            )
        found.append(corpus)
    return tuple(found)


def check_same(corpus: EarlierCorpus, store: Store) -> list[dict[str, str]]:
    """The input shards of the corpus. Raises UsageError where it is gone or another since the run was planned."""
    for kind, artifact in corpus.artifacts(store).items():
        manifest = artifact.manifest()
        digest = None if manifest is None else manifest["digest"]
        if digest != corpus.digests[kind]:
            raise UsageError(
                f"{artifact.path} of {corpus.run} in {store.url} has digest {digest}, but the run was planned with "
                f"{corpus.digests[kind]}: plan again, or make {corpus.run} anew"
            )
    shards: list[dict[str, str]] = corpus.artifacts(store)["corpus"].committed()["input_shards"]
    return shards


def _find(store: Store, name: str, key: str) -> EarlierCorpus:
    """The run with this id, or the newest with this name whose corpus is whole."""
    records = [_json(store, path) for path in _record_paths(store)]
    named = [one for one in records if one["run"] == name] or [one for one in records if one["name"] == name]
    if not named:
        known = ", ".join(sorted({one["name"] for one in records})) or "none"
        raise UsageError(f"{key}: no run {name!r} in {store.url}; there are: {known}")
    for record in sorted(named, key=lambda one: (one["created_at"], one.get("created_ns", 0)), reverse=True):
        plan = _json(store, f"runs/{record['run']}/plan.json")
        steps = {step["kind"]: step["fingerprint"] for step in plan["steps"] if step["kind"] in READ}
        manifests = {kind: Artifact(store, kind, steps[kind]).manifest() for kind in READ}
        if all(manifests.values()):
            digests = {kind: manifest["digest"] for kind, manifest in manifests.items() if manifest}
            return EarlierCorpus(record["run"], steps, digests)
    missing = [f"steps/{kind}-{steps[kind]}" for kind, manifest in manifests.items() if manifest is None]
    raise UsageError(f"{key}: run {name!r} in {store.url} has no {missing[0]}: its corpus is not whole; run it again")


def _json(store: Store, path: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(store.read(path))
    except ValueError as error:
        raise CorruptDataError(f"{path} in {store.url} is damaged ({error}): name another run") from error
    return value


def _record_paths(store: Store) -> list[str]:
    paths = [f"runs/{run_id}/run.json" for run_id in store.names("runs")]
    return [path for path in paths if store.exists(path)]


def lost_to_earlier(deduplicate: Artifact, shard: str, loser: bytes) -> tuple[str, dict[str, str]] | None:
    """The run and the input shard there of the earlier document that this one lost to, None where it did not."""
    corpora = deduplicate.committed().get("earlier")
    if corpora is None:
        return None
    rows = deduplicate.read_table("earlier", shard, ["id", "duplicate_of", "corpus"])
    row = rows.filter(pc.equal(rows["id"], loser)).to_pylist()
    if not row:
        return None
    corpus, prefix = corpora[row[0]["corpus"]], row[0]["duplicate_of"][: document_id.PREFIX_BYTES].hex()
    return corpus["run"], next(one for one in corpus["input_shards"] if one["prefix"] == prefix)


def losers_to(deduplicate: Artifact, keepers: pa.Array) -> dict[str, pa.Array]:
    """By input shard of a run that was deduplicated against earlier corpora: which documents lost to one of these."""
    lost: dict[str, pa.Array] = {}
    manifest = deduplicate.committed()
    for shard in manifest["input_shards"] if manifest.get("earlier") else ():
        rows = deduplicate.read_table("earlier", shard["unit"], ["id", "duplicate_of"])
        lost[shard["unit"]] = rows["id"].filter(pc.is_in(rows["duplicate_of"], keepers)).combine_chunks()
    return {unit: ids for unit, ids in lost.items() if len(ids)}


def earlier_shards(deduplicate: Artifact) -> list[dict[str, str]]:
    """The input shards of all earlier corpora."""
    return [shard for corpus in deduplicate.committed().get("earlier", ()) for shard in corpus["input_shards"]]
