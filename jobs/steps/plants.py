"""The plants of `deduplicate`, which tell on each run how many copies it finds: `dataprep.deduplicate.plants`.

    bands (a shard): `plant` -> candidates (a partition of keys): `meet` -> plants (a shard that has some)

They ride on phases that read what they need, beside the documents' tables: in files of their own, which go with the
step's scratch, and in counts of their own, so the step's tables and sums are those of a run without plants.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.plant_recall import (
    VERIFIED_MEETINGS,
    measured,
    plant_results,
    too_few_found,
    verified_meetings,
)
from dataprep.deduplicate.plants import is_original, meetings, merge_meetings, plant_rows, planted
from dataprep.errors import DataError
from dataprep.kernels.minhash import MinHashConfig
from dataprep.kernels.text_buffers import column, ranges
from jobs.by_shard import by_shard, rows_by_id
from jobs.shuffled import Shuffled
from jobs.step_run import StepRun, check_rows
from jobs.survivors import surviving_texts
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.planted import COPIES

MAX_TEXT_BYTES = 256 << 20
"""Of texts that are compared at a time, with about as much for their shingles."""

FACTS = ["id", "num_bytes", "content_hash"]

CURE = (
    "the manifest of a run with `plants: {min_recall: 0}` names some that were missed; then give annotate.minhash more "
    "bands of fewer rows, or lower min_recall"
)


@dataclass(frozen=True)
class Planting:
    """What the first phase must know: how documents are sketched, and how many there are in all shards."""

    minhash: dict[str, Any]
    num_documents: int


def plant(unit: Unit, entering: pa.Table, planting: dict[str, Any], num_partitions: int) -> dict[str, int]:
    """Copy some of a shard's documents that are to be compared (rows of `attributes`), and say where the copies are
    looked for; the counts. A shard of which none is chosen writes nothing."""
    of, config = Planting(**planting), DeduplicateConfig.model_validate(unit.config["deduplicate"])
    originals = entering.filter(pa.array(is_original(entering, config.plants, of.num_documents))).select(FACTS)
    if not originals.num_rows:
        return {"planted": 0, "plant_band_rows": 0}
    minhash = MinHashConfig.model_validate(of.minhash)
    texts = surviving_texts(unit.parents, column(originals, "id"), originals, {unit.name: _prefix(originals)})
    plants = planted(texts, minhash.ngram_words, config.min_jaccard, config.plants.seed)
    rows, sizes = plant_rows(plants, minhash, num_partitions)
    unit.write_scratch("plants", plants)
    unit.write_scratch("plant_bands", rows, sizes)
    return {"planted": plants.num_rows, "plant_band_rows": rows.num_rows}


def _prefix(rows: pa.Table) -> str:
    """What leads the ids of a shard (hex)."""
    first: bytes = rows["id"][0].as_py()
    return first[: document_id.PREFIX_BYTES].hex()


def meet(unit: Unit, parts: list[pa.Table], prefixes: dict[str, str]) -> dict[str, int]:
    """With which documents of one partition (`parts`, their band rows) plants would be compared; the counts.
    `prefixes` are those of the shards with plants."""
    if not prefixes:
        return {"plant_band_rows": 0, "plant_pairs": 0}
    plants = Shuffled("plant_bands", list(prefixes)).piece(unit.artifact, int(unit.name))
    pairs = meetings(parts, plants, unit.config["deduplicate"]["max_bucket"])
    unit.write_scratch("plant_pairs", *by_shard(pairs, "id", prefixes))
    return {"plant_band_rows": plants.num_rows, "plant_pairs": pairs.num_rows}


def plants_unit(
    unit: Unit, proposed: Shuffled, planted_in: list[str], prefixes: dict[str, str], ngram_words: int
) -> Report:
    """Compare the plants of a shard with the documents that they meet, and judge what was found. `planted_in` are the
    shards with plants."""
    pieces = list(proposed.in_turn(unit.artifact, planted_in.index(unit.name)))
    pairs, plants = merge_meetings(pieces), unit.artifact.read_scratch("plants", unit.name)
    wanted = pc.unique(pa.chunked_array([*pairs["document"].chunks, *plants["original"].chunks]))
    facts = rows_by_id(unit.parents["annotate"], "attributes", wanted, prefixes, FACTS)
    min_jaccard = unit.config["deduplicate"]["min_jaccard"]
    judged = [VERIFIED_MEETINGS.empty_table()]
    for start, stop in ranges(_bytes_to_read(pairs, facts), MAX_TEXT_BYTES):
        some = pairs.slice(start, stop - start)
        texts = surviving_texts(unit.parents, pc.unique(column(some, "document")), facts, prefixes)
        judged.append(verified_meetings(some, plants, facts, texts, ngram_words, min_jaccard))
    originals = surviving_texts(unit.parents, column(plants, "original"), facts, prefixes)
    results = plant_results(plants, originals, pairs, pa.concat_tables(judged), ngram_words, min_jaccard)
    unit.write_scratch("plant_results", results)
    return Report(counts={"planted": results.num_rows, "plant_pairs": sum(part.num_rows for part in pieces)})


def _bytes_to_read(pairs: pa.Table, facts: pa.Table) -> np.ndarray:
    """int64[pairs + 1]: bytes of text up to each pair, at most: texts of several pairs count as often."""
    rows = rows_of(column(pairs, "document"), column(facts, "id"), "size")
    return np.append(0, np.cumsum(column(facts, "num_bytes").to_numpy()[rows]))


def measure_plants(
    step: StepRun, planted_in: dict[str, str], partitions: list[str], minhash: dict[str, Any], before: dict[str, int]
) -> tuple[dict[str, int], dict[str, Any]]:
    """The counts, and what goes into the manifest: `plant_recall.measured`. `planted_in` are the shards with plants and
    their prefixes; `before` counts what the phases before have written, `planted` and `plant_pairs`.

    Raises DataError where too few plants were found, ConservationError where one was lost on its way.
    """
    if not planted_in:
        return {"planted": 0}, {}
    told: dict[str, Any] = {"proposed": Shuffled("plant_pairs", partitions), "planted_in": list(planted_in)}
    told |= {"prefixes": step.input_shards(), "ngram_words": minhash["ngram_words"]}
    read = step.phases("jobs.steps.plants")("plants", list(planted_in), **told).counts
    results = pa.concat_tables([step.artifact.read_scratch("plant_results", shard) for shard in planted_in])
    config = DeduplicateConfig.model_validate(step.config["deduplicate"])
    found = measured(results, config.min_jaccard, minhash["num_bands"], minhash["rows_per_band"])
    for what, seen in (*read.items(), ("planted", found["planted"])):
        check_rows(step.artifact.kind, what, before[what], seen)
    if wrong := too_few_found(found, config.plants.min_recall):
        raise DataError(f"{wrong}: {CURE}")
    return {"planted": found["planted"]}, {COPIES: found}
