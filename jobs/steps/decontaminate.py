"""`decontaminate`: which documents hold evaluation items, over all input shards together; writes `verdicts`, `cuts`,
and `matches`, which say what was found where.

    index (one) -> scan (a unit a shard) -> common (one) -> verdicts (a shard)

Plants (`dataprep.decontaminate.plants`) are scanned and judged in the same units, in files that go with the step's
scratch and in counts of their own: tables and sums are those of a run without.
"""

import io
import json
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import schemas
from dataprep.corpus import check_content
from dataprep.decontaminate.commonness import common_ngrams, document_counts, without_common
from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.decontaminate.cuts import Decided, decide_cuts, num_cut_bytes
from dataprep.decontaminate.decide import dropped, matched
from dataprep.decontaminate.index import TEXTS, EvaluationIndex, build_index
from dataprep.decontaminate.plants import counts_of, is_host, measured, planted
from dataprep.decontaminate.scan import scan
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.kernels.text_view import surviving_text
from dataprep.tally import tally, tally_by_reason
from jobs.step_run import StepRun, check_handed_on, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.evaluation_files import evaluation_texts
from seedbed.planted import PASSAGES
from seedbed.store import Store

ALL = "all"
"""The unit of phases that have one."""


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    shards, handed_on = list(step.input_shards()), partial(check_handed_on, "decontaminate")
    paths = {digest: path for path, digest in step.plan.lists.items()}
    made = _one(step, "index", paths=paths)
    num_documents = step.parents["deduplicate"].committed()["records_out"]
    of_all = {"num_documents": num_documents}
    scanned = step.map("jobs.steps.decontaminate:scan_unit", shards, "scan", common=of_all)
    step.check_takes_all(scanned, "deduplicate")
    hits = total(scanned)
    common = _one(step, "common", shards=shards)
    handed_on("counted_ngrams", hits, common)
    has_plants = {shard: {"has_plants": scanned[shard].counts["planted"] > 0} for shard in shards}
    reports = step.map("jobs.steps.decontaminate:verdicts_unit", shards, arguments=has_plants)
    step.check_takes_all(reports, "deduplicate")
    summed = total(reports)
    handed_on("hits", hits, summed)
    handed_on("planted", hits, summed)
    benchmarks = _benchmarks(step, shards)
    counts = {name: sum(found[name] for found in benchmarks.values()) for name in ("items", "items_not_checkable")}
    counts |= {"items_found": sum(found["items_found"] for found in benchmarks.values())}
    of_documents = {name: number for name, number in summed.counts.items() if "/" not in name}
    counts |= made.counts | hits.counts | common.counts | of_documents
    passages = {PASSAGES: measured(summed.counts)} if counts["planted"] else {}
    step.commit(replace(summed, counts=counts), benchmarks=benchmarks, **passages)


def _one(step: StepRun, phase: str, **arguments: Any) -> Report:
    function = f"jobs.steps.decontaminate:{phase}_unit"
    return step.map(function, [ALL], phase=phase, arguments={ALL: arguments})[ALL]


def _benchmarks(step: StepRun, shards: list[str]) -> dict[str, dict[str, int]]:
    """Of each evaluation set: its items, those too short to be checked, those that were found, and in how many
    documents."""
    benchmarks: dict[str, dict[str, int]] = step.read_json("benchmarks.json")
    items: dict[str, set[int]] = {name: set() for name in benchmarks}
    documents = dict.fromkeys(benchmarks, 0)
    for shard in shards:
        for name, found in step.read_json(f"benchmarks/{shard}.json").items():
            items[name].update(found["items"])
            documents[name] += found["documents"]
    return {
        name: sizes | {"items_found": len(items[name]), "documents": documents[name]}
        for name, sizes in benchmarks.items()
    }


def _config(unit: Unit) -> DecontaminateConfig:
    return DecontaminateConfig.model_validate(unit.config, strict=False)  # JSON has lists in the place of tuples


def index_unit(unit: Unit, paths: dict[str, str]) -> Report:
    """Read the evaluation sets. `paths` says where each lies, by its digest."""
    config = _config(unit)
    sets = ((name, evaluation_texts(paths[one.path], one.path, one)) for name, one in sorted(config.sets.items()))
    index, texts = build_index(sets, config)
    for name, array in index.arrays().items():
        data = io.BytesIO()
        np.save(data, array)
        unit.artifact.store.write(f"{unit.artifact.path}/scratch/index/{name}.npy", data.getvalue())
    unit.write("texts", texts)
    unit.write_file("benchmarks.json", json.dumps(_sizes(config, texts)).encode())
    return Report(counts={"evaluation_ngrams": index.num_ngrams})


def _sizes(config: DecontaminateConfig, texts: pa.Table) -> dict[str, dict[str, int]]:
    by_item = texts.group_by(["set", "item_number"]).aggregate([("num_ngrams", "sum")])
    sizes = {}
    for name in sorted(config.sets):
        ngrams = by_item.filter(pc.equal(by_item["set"], name))["num_ngrams_sum"]
        sizes[name] = {"items": len(ngrams), "items_not_checkable": pc.sum(pc.equal(ngrams, 0)).as_py() or 0}
    return sizes


@lru_cache(1)
def _index(store_url: str, path: str) -> EvaluationIndex:
    """The index, read once for all shards of a worker; of a store in a folder its pages are shared by all workers."""
    store = Store(store_url)
    folder = f"{path}/scratch/index"
    arrays: dict[str, np.ndarray] = {}
    for name in store.names(folder):
        local = store.local_path(f"{folder}/{name}")
        key = name.removesuffix(".npy")
        whole = np.load(io.BytesIO(store.read(f"{folder}/{name}"))) if local is None else np.load(local, mmap_mode="r")
        arrays[key] = np.asarray(whole)
    return EvaluationIndex.of_arrays(arrays)


def _index_of(unit: Unit) -> EvaluationIndex:
    return _index(unit.artifact.store.url, unit.artifact.path)


def _survivors(unit: Unit) -> pa.Table:
    """`id` and `num_bytes` of the documents that `deduplicate` kept."""
    verdicts = unit.read("deduplicate", "verdicts", ["id", "num_bytes", "reason"])
    return verdicts.filter(pc.is_null(verdicts["reason"])).drop_columns(["reason"]).combine_chunks()


def _texts(unit: Unit, ids: pa.Array, documents: pa.Table, edits: pa.Table) -> pa.Table:
    """`id` and surviving `text` of these documents. Raises CorruptDataError where a table lacks one."""
    if not column(documents, "id").equals(column(edits, "id")):
        raise CorruptDataError(f"{unit.name}: the edits do not stand beside the documents of the same ids")
    rows = pc.index_in(ids, value_set=column(documents, "id"))
    if rows.null_count:
        raise CorruptDataError(f"{unit.name}: {rows.null_count} documents that deduplicate kept have no text")
    text = surviving_text(column(documents.take(rows), "text"), edits.take(rows))
    return pa.table({"id": ids, "text": text})


def scan_unit(unit: Unit, num_documents: int) -> Report:
    """Where n-grams of evaluation texts stand in the documents of a shard, and in its plants; `num_documents` are those
    of all shards."""
    survivors = _survivors(unit)
    ids = column(survivors, "id")
    texts = _texts(unit, ids, unit.read("extract", "documents", ["id", "text"]), unit.read("clean", "edits"))
    attributes = unit.read("annotate", "attributes", ["id", "content_hash"])
    rows = pc.index_in(ids, value_set=column(attributes, "id"))
    if rows.null_count:
        raise CorruptDataError(f"{unit.name}: {rows.null_count} documents that deduplicate kept have no attributes")
    text = column(texts, "text")
    check_content(ids, text, column(attributes, "content_hash").take(rows))
    found = scan(ids, text, _index_of(unit), _config(unit))
    counted = document_counts(found.hits)
    unit.write_scratch("hits", found.hits)
    unit.write_scratch("counts", counted)
    sized = texts.append_column("num_bytes", pc.cast(pc.binary_length(text), pa.int64()))
    seen = tally(sized, "num_bytes")
    counts = {"hits": found.hits.num_rows, "refused_hits": found.num_refused, "counted_ngrams": counted.num_rows}
    return Report(tally_in=seen, tally_out=seen, counts=counts | {"planted": _plant(unit, texts, num_documents)})


def _plant(unit: Unit, texts: pa.Table, num_documents: int) -> int:
    """Set passages into copies of some of these documents and scan them; how many there are."""
    config = _config(unit)
    hosts = texts.filter(pa.array(is_host(column(texts, "id"), config.plants, num_documents)))
    if not hosts.num_rows:
        return 0
    told = unit.artifact.read_table("texts", ALL)
    plants = planted(hosts, told, _index_of(unit), config.ngram_words, config.plants.seed)
    if plants.num_rows:
        found = scan(column(plants, "id"), column(plants, "text"), _index_of(unit), config)
        unit.write_scratch("plants", plants)
        unit.write_scratch("plant_hits", found.hits)
    return plants.num_rows


def _plants_found(unit: Unit, common: pa.Table) -> dict[str, int]:
    """How many of the shard's plants there are, and by set and kind how many were found."""
    plants = unit.artifact.read_scratch("plants", unit.name)
    counting = without_common(unit.artifact.read_scratch("plant_hits", unit.name), common)
    found = matched(counting, unit.artifact.read_table("texts", ALL), _index_of(unit), _config(unit))
    return {"planted": plants.num_rows} | counts_of(plants, found.matches)


def common_unit(unit: Unit, shards: list[str]) -> Report:
    """The n-grams that stand in too many documents of all shards to give an item away."""
    index, read = _index_of(unit), 0

    def parts() -> Any:
        nonlocal read
        for shard in shards:
            part = unit.artifact.read_scratch("counts", shard)
            read += part.num_rows
            yield part

    common = common_ngrams(parts(), index.num_ngrams, _config(unit).max_documents)
    unit.write_scratch("common", common)
    unit.write("common_ngrams", _told(common, index, _config(unit)))
    return Report(counts={"counted_ngrams": read, "common_ngrams": common.num_rows})


def _told(common: pa.Table, index: EvaluationIndex, config: DecontaminateConfig) -> pa.Table:
    """What common n-grams say, and in how many documents they stand; the most frequent ones first."""
    ngrams = column(common, "ngram").to_numpy()
    lengths = index.lengths(ngrams, config.ngram_words)
    first_place = np.zeros(index.num_ngrams, np.int64)
    places = np.flatnonzero(index.ngram_of >= 0)[::-1]
    first_place[index.ngram_of[places]] = places
    says = [index.phrase(int(first_place[n]), int(size), 400) for n, size in zip(ngrams, lengths, strict=True)]
    told = pa.table({"ngram": pa.array(says, pa.string()), "num_documents": common["num_documents"]})
    return told.sort_by([("num_documents", "descending"), ("ngram", "ascending")])


def verdicts_unit(unit: Unit, has_plants: bool) -> Report:
    """The verdict on every document of a shard, and what goes of those that are kept; and what was found of plants."""
    config, survivors = _config(unit), _survivors(unit)
    common = unit.artifact.read_scratch("common", ALL)
    hits = unit.artifact.read_scratch("hits", unit.name)
    counting = without_common(hits, common)
    texts = unit.artifact.read_table("texts", ALL) if counting.num_rows else TEXTS.empty_table()
    found = matched(counting, texts, _index_of(unit), config)
    if config.action == "cut" and found.hits.num_rows:
        decided = decide_cuts(survivors, found.hits, _texts_of(unit, pc.unique(found.hits["document"])), config)
    else:
        decided = Decided(dropped(survivors, found.matches, config), schemas.CUTS.empty_table())
    unit.write("verdicts", decided.verdicts)
    unit.write("cuts", decided.cuts)
    unit.write("matches", found.matches, a_row_an_id=False)
    unit.write_file(f"benchmarks/{unit.name}.json", json.dumps(_found_of(found.matches)).encode())
    kept = decided.verdicts.filter(pc.is_null(decided.verdicts["reason"]))
    return Report(
        tally_in=tally(survivors, "num_bytes"),
        tally_out=tally(kept, "num_bytes"),
        dropped=tally_by_reason(decided.verdicts, "num_bytes"),
        bytes_cut=pc.sum(num_cut_bytes(decided.cuts)).as_py() or 0,
        counts={
            "hits": hits.num_rows,
            "documents_hit": len(pc.unique(found.matches["document"])),
            "documents_cut": decided.cuts.num_rows,
            **(_plants_found(unit, common) if has_plants else {"planted": 0}),
        },
    )


def _texts_of(unit: Unit, ids: pa.Array) -> pa.Table:
    """`id` and surviving `text` of some documents of the shard; only the row groups that hold one are read."""
    documents = unit.parents["extract"].read_rows("documents", unit.name, ids, ["id", "text"])
    return _texts(unit, column(documents, "id"), documents, unit.parents["clean"].read_rows("edits", unit.name, ids))


def _found_of(matches: pa.Table) -> dict[str, dict[str, Any]]:
    """Of each set with a match: which items, and how many documents."""
    told = {}
    for name in sorted(pc.unique(matches["set"]).to_pylist()):
        of_set = matches.filter(pc.equal(matches["set"], name))
        items = sorted(pc.unique(of_set["item_number"]).to_pylist())
        told[name] = {"items": items, "documents": len(pc.unique(of_set["document"]))}
    return told
