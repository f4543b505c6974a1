"""`repeats`: passages that stand in the corpus more than once, over all input shards together; writes `verdicts`,
`cuts`, and `repeats`, which says what goes, why, and where it stays.

    signs (a unit a shard) -> again (a partition of signs) -> places (a shard) -> later (a partition of keys) -> map (a
    shard)

Between phases everything goes through files whose pieces are what one unit of the next phase wants. It comes after
`decontaminate`: of a passage that two documents have, the one that stays must be in one that is not dropped after.
"""

from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.corpus import check_content
from dataprep.decontaminate.cuts import without_cuts
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.kernels.text_view import surviving_text
from dataprep.repeats.config import KINDS, RepeatsConfig
from dataprep.repeats.cuts import bytes_by_reason, decide_cuts
from dataprep.repeats.later import LATER, later
from dataprep.repeats.places import PLACES, num_places_at_most, places
from dataprep.repeats.signs import SIGNS, by_partition, recurring, signs
from dataprep.split import SplitConfig
from dataprep.tally import tally, tally_by_reason
from jobs.by_shard import by_shard
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.steps import last_verdicts

TEXT_BYTES_PER_PARTITION = 4 << 30
"""Of text whose signs are counted together: one of 17 bytes for some 90 of it, 800 MB, and as much to sort them."""

SHUFFLED = {"again": SIGNS, "places": PLACES, "later": LATER}
"""The tables between phases that are merged where they have very many pieces."""

PLACES_PER_PARTITION = 8_000_000
"""At most, that are decided together: 57 bytes each, 460 MB, and twice as much to sort them."""


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    prefixes = step.input_shards()
    shards, before = list(prefixes), last_verdicts(step.parents)
    num_bytes = step.parents[before].committed()["bytes_out"]
    sign_parts = [f"{n:05d}" for n in range(num_bytes // TEXT_BYTES_PER_PARTITION + 1)]
    phase, handed_on = step.phases("jobs.steps.repeats"), partial(check_handed_on, "repeats")

    def shuffled(table: str, parts: list[str], num_pieces: int, num_rows: int) -> Shuffled:
        return merged(step, Shuffled(table, parts), num_pieces, num_rows, row_bytes(SHUFFLED[table]))

    partitioned = {"num_partitions": len(sign_parts)}
    reports = step.map("jobs.steps.repeats:signs_unit", shards, "signs", common=partitioned)
    step.check_takes_all(reports, before)
    signed = total(reports)
    again = phase("again", sign_parts, written=Shuffled("signs", shards))  # a piece of each shard's for each shard
    handed_on("signs", signed, again)
    place_parts = [f"{n:05d}" for n in range(again.counts["places_at_most"] // PLACES_PER_PARTITION + 1)]
    by_shards = shuffled("again", sign_parts, len(shards), again.counts["recurring_signs"])
    placed = phase("places", shards, shards=shards, again=by_shards, num_partitions=len(place_parts))
    handed_on("recurring_signs", again, placed)
    by_keys = shuffled("places", shards, len(place_parts), placed.counts["places"])
    decided = phase("later", place_parts, by_keys=by_keys, prefixes=prefixes)
    handed_on("places", placed, decided)
    goes = shuffled("later", place_parts, len(shards), decided.counts["later"])
    reports = step.map("jobs.steps.repeats:verdicts_unit", shards, common={"shards": shards, "goes": goes})
    step.check_takes_all(reports, before)
    summed = total(reports)
    handed_on("later", decided, summed)
    step.commit(replace(summed, counts=signed.counts | again.counts | placed.counts | summed.counts))


def _config(unit: Unit) -> RepeatsConfig:
    return RepeatsConfig.model_validate(unit.config["repeats"])


def _survivors(unit: Unit) -> pa.Table:
    """`id` and `num_bytes` of the documents that are kept so far."""
    verdicts = unit.read(last_verdicts(unit.parents), "verdicts", ["id", "num_bytes", "reason"])
    return verdicts.filter(pc.is_null(verdicts["reason"])).drop_columns(["reason"]).combine_chunks()


def _texts(unit: Unit, ids: pa.Array) -> pa.Table:
    """`id` and `text` of these documents as the steps before leave it; only row groups that hold one are read.

    Raises CorruptDataError where a table lacks one, and where a text is not the one that `annotate` has seen.
    """
    documents = unit.parents["extract"].read_rows("documents", unit.name, ids, ["id", "text"])
    edits = unit.parents["clean"].read_rows("edits", unit.name, ids)
    attributes = unit.parents["annotate"].read_rows("attributes", unit.name, ids, ["id", "content_hash"])
    found = column(documents, "id")
    for name, other in (("edits", edits), ("attributes", attributes)):
        if not found.equals(column(other, "id")):
            raise CorruptDataError(f"{unit.name}: the {name} do not stand beside the documents of the same ids")
    if not found.equals(ids):
        raise CorruptDataError(f"{unit.name}: {len(ids)} documents are kept so far, but {len(found)} of them are here")
    text = surviving_text(column(documents, "text"), edits)
    check_content(ids, text, column(attributes, "content_hash"))
    if "decontaminate" in unit.parents:
        cuts = unit.read("decontaminate", "cuts")
        text = without_cuts(ids, text, cuts.filter(pc.is_in(cuts["id"], value_set=ids)))
    return pa.table({"id": ids, "text": text})


def signs_unit(unit: Unit, num_partitions: int) -> Report:
    """The signs of a shard's passages, by partition."""
    survivors = _survivors(unit)
    texts = _texts(unit, column(survivors, "id"))
    rows, sizes = by_partition(signs(column(texts, "text"), _config(unit)), "sign", num_partitions)
    unit.write_scratch("signs", rows, sizes)
    sized = texts.append_column("num_bytes", pc.cast(pc.binary_length(texts["text"]), pa.int64()))
    seen = tally(sized, "num_bytes")
    return Report(tally_in=seen, tally_out=seen, counts={"signs": rows.num_rows})


def again_unit(unit: Unit, written: Shuffled) -> Report:
    """The signs of one partition that come often enough, by shard."""
    parts = list(written.in_turn(unit.artifact, int(unit.name)))
    found = recurring(parts, _config(unit))
    rows = pa.concat_tables(found)
    unit.write_scratch("again", rows, [part.num_rows for part in found])
    counts = {"signs": sum(part.num_rows for part in parts), "recurring_signs": rows.num_rows}
    return Report(counts=counts | {"places_at_most": num_places_at_most(rows, _config(unit))})


def places_unit(unit: Unit, shards: list[str], again: Shuffled, num_partitions: int) -> Report:
    """Where the passages of a shard stand whose signs come again, by partition of their keys."""
    come_again = again.piece(unit.artifact, shards.index(unit.name))
    texts = _texts(unit, column(_survivors(unit), "id"))
    found = places(column(texts, "id"), column(texts, "text"), come_again, _config(unit))
    rows, sizes = by_partition(found, "key_high", num_partitions)
    unit.write_scratch("places", rows, sizes)
    return Report(counts={"recurring_signs": come_again.num_rows, "places": rows.num_rows})


def later_unit(unit: Unit, by_keys: Shuffled, prefixes: dict[str, str]) -> Report:
    """Which passages of one partition of keys go, by shard."""
    rows = by_keys.piece(unit.artifact, int(unit.name))
    split = SplitConfig.model_validate(unit.config["split"])
    order = DeduplicateConfig(source_priority=unit.config["source_priority"])
    goes, sizes = by_shard(later(rows, split, order, _config(unit)), "document", prefixes)
    unit.write_scratch("later", goes, sizes)
    return Report(counts={"places": rows.num_rows, "later": goes.num_rows})


def verdicts_unit(unit: Unit, shards: list[str], goes: Shuffled) -> Report:
    """The verdict on every document of a shard, and what goes of those that are kept."""
    config, survivors = _config(unit), _survivors(unit)
    later_ones = goes.piece(unit.artifact, shards.index(unit.name))
    ids = column(survivors, "id")
    is_hit = pc.is_in(ids, value_set=pc.unique(later_ones["document"]))
    decided = decide_cuts(survivors, later_ones, _texts(unit, ids.filter(is_hit)), config)
    unit.write("verdicts", decided.verdicts)
    unit.write("cuts", decided.cuts)
    unit.write("repeats", decided.repeats, a_row_an_id=False)
    kept = decided.verdicts.filter(pc.is_null(decided.verdicts["reason"]))
    by_reason = bytes_by_reason(decided)
    counts = {f"{reason}_bytes_cut": by_reason[reason] for reason in KINDS}
    return Report(
        tally_in=tally(survivors, "num_bytes"),
        tally_out=tally(kept, "num_bytes"),
        dropped=tally_by_reason(decided.verdicts, "num_bytes"),
        bytes_cut=sum(by_reason.values()),
        counts=counts | {"later": later_ones.num_rows, "documents_cut": decided.cuts.num_rows},
    )
