"""`deduplicate`: which survivors of `select` are copies, and which are too many of their domain, over all input shards
together; writes `verdicts`.

    [urls (a unit a shard) -> same_url (a partition of addresses): jobs.steps.addresses, where `same_url` asks for it]
    [old_bands -> new_bands -> proposed -> alike: jobs.steps.earlier, where earlier corpora are named]
        -> bands (a shard) -> candidates (a partition of keys) -> [gather -> texts -> verify: jobs.steps.compare]
        -> [components -> members -> far -> .. -> groups: jobs.steps.groups]
        [plants ride on bands and candidates: jobs.steps.plants]
        [-> domains (a shard) -> caps (a partition of domains): jobs.steps.domain_caps, where there is a `domain_cap`]
        -> map (a shard)

Between phases everything goes through files whose pieces are what one unit of the next phase wants (jobs.shuffled), so
a unit reads ranges and no worker holds more than its own share.
"""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.blocks import block_pairs
from dataprep.deduplicate.buckets import BAND_ROWS, band_rows
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.keeper import verdicts
from dataprep.domain_cap import REASONS as OVER_CAP
from dataprep.kernels.text_buffers import column
from dataprep.tally import tally, tally_by_reason
from jobs.by_shard import shards_of
from jobs.old_shards import OldShards
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, check_rows, total
from jobs.steps.addresses import find_same_urls
from jobs.steps.compare import Names, compare_pairs, write_pairs
from jobs.steps.domain_caps import hold_to_domain_cap
from jobs.steps.earlier import find_earlier
from jobs.steps.groups import FACTS, find_groups
from jobs.steps.losses import check_losses, counts_by_language, losses
from jobs.steps.plants import measure_plants, meet, plant
from jobs.survivors import lost_before, lost_to_earlier, survivors
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError

SURVIVORS_PER_PARTITION = 1_000_000
"""Documents whose bands make one partition of the shuffle: 19 rows of 28 bytes each, 530 MB for its unit."""

CANDIDATES = Names("candidates", "gather", "texts", "verify", "verified")


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    kind, prefixes, old = step.artifact.kind, step.input_shards(), OldShards.of(step)
    minhash = step.parents["annotate"].committed()["config"]["minhash"]
    ngram_words, min_jaccard = minhash["ngram_words"], step.config["deduplicate"]["min_jaccard"]
    num_survivors = step.parents["select"].committed()["records_out"]
    partitions, with_old = _partitions(num_survivors), _partitions(num_survivors + old.num_documents)

    addresses = find_same_urls(step, prefixes, with_old, old)
    earlier = find_earlier(step, old, prefixes, with_old, addresses, ngram_words)
    planting = {"minhash": minhash, "num_documents": num_survivors}
    proposed, planted = _propose(step, prefixes, partitions, addresses.lost, planting)
    alike, compared = compare_pairs(
        step, CANDIDATES, partitions, proposed, prefixes, len(prefixes), ngram_words, min_jaccard
    )
    groups = find_groups(step, alike, compared.counts["verified_pairs"], prefixes, ngram_words)
    lost = [addresses.lost, groups.lost]
    capped = hold_to_domain_cap(step, prefixes, partitions, lost)
    told = {"shards": list(prefixes), "lost": [*lost, capped.lost]}
    reports = step.map("jobs.steps.deduplicate:verdicts_unit", list(prefixes), common=told)
    step.check_takes_all(reports, "select")
    summed = total(reports)
    num_before = addresses.counts["url_losers"] + earlier.get("earlier_losers", 0)
    check_rows(kind, "losers", groups.counts["losers"] + num_before, summed.counts["losers"])
    check_rows(kind, "over_domain_cap", capped.counts.get("over_domain_cap", 0), summed.counts["over_domain_cap"])

    sources, languages = losses(step, reports)
    check_losses(step, sources, languages, groups.parts)
    plant_counts, plants = measure_plants(step, planted, partitions, minhash, proposed.counts)
    of_phases = (
        addresses.counts,
        proposed.counts,
        compared.counts,
        groups.counts,
        earlier,
        plant_counts,
        capped.counts,
    )
    counts = {name: number for of_phase in of_phases for name, number in of_phase.items()}
    by_kind = {"sources": sources, "languages": languages}
    step.commit(
        replace(summed, counts={name: number for name, number in counts.items() if name != CANDIDATES.rows}),
        losses={kind: {name: vars(loss) for name, loss in found.items()} for kind, found in by_kind.items()},
        **({"earlier": old.told()} if old.corpora else {}),
        **plants,
    )


def _partitions(num_documents: int) -> list[str]:
    """Of the shuffle of so many documents."""
    return [f"{n:05d}" for n in range(num_documents // SURVIVORS_PER_PARTITION + 1)]


def _propose(
    step: StepRun, prefixes: dict[str, str], partitions: list[str], lost: Shuffled, planting: dict[str, Any]
) -> tuple[Report, dict[str, str]]:
    """Propose pairs to compare: the counts, and the shards with plants and their prefixes."""
    kind, shards = step.artifact.kind, list(prefixes)
    entering = {"shards": shards, "num_partitions": len(partitions), "lost": lost, "planting": planting}
    in_shards = step.map("jobs.steps.deduplicate:bands_unit", shards, "bands", common=entering)
    bands, planted = total(in_shards), {s: prefixes[s] for s in shards if in_shards[s].counts["planted"]}
    rows = merged(step, Shuffled("bands", shards), len(partitions), bands.counts["band_rows"], row_bytes(BAND_ROWS))
    phase = step.phases("jobs.steps.deduplicate")
    found = phase("candidates", partitions, bands=rows, prefixes=prefixes, planted=planted)
    check_handed_on(kind, "band_rows", bands, found)
    check_handed_on(kind, "plant_band_rows", bands, found)
    return replace(found, counts=bands.counts | found.counts), planted


def bands_unit(unit: Unit, shards: list[str], num_partitions: int, lost: Shuffled, planting: dict[str, Any]) -> Report:
    """Where each survivor of a shard is looked for by its likes, and each plant."""
    gone = pa.concat_tables([lost_before(unit, lost, shards.index(unit.name)), lost_to_earlier(unit)])
    kept = survivors(unit, [*FACTS, "minhash_bands"])
    entering = kept.filter(pc.invert(pc.is_in(kept["id"], value_set=gone["id"])))
    rows, sizes = band_rows(entering, num_partitions)
    unit.write_scratch("bands", rows, sizes)
    return Report(counts={"band_rows": rows.num_rows} | plant(unit, entering, planting, num_partitions))


def candidates_unit(unit: Unit, bands: Shuffled, prefixes: dict[str, str], planted: dict[str, str]) -> Report:
    """The pairs that one partition of keys proposes, for the shards of both ends; `planted` are the shards with
    plants."""
    parts = list(bands.in_turn(unit.artifact, int(unit.name)))
    found = candidates(parts, unit.config["deduplicate"]["max_bucket"])
    pairs = block_pairs(found.edges, found.blocks, shards_of(found.edges["low"], prefixes))
    counts = {"buckets": found.num_buckets, "large_buckets": found.num_large_buckets}
    counts |= {"band_rows": sum(part.num_rows for part in parts), "proposed_pairs": pairs.num_rows}
    counts |= write_pairs(unit, CANDIDATES, pairs, prefixes)
    return Report(counts=counts | meet(unit, parts, planted))


def verdicts_unit(unit: Unit, shards: list[str], lost: list[Shuffled]) -> Report:
    """The verdict on every survivor of a shard."""
    kept, at = survivors(unit, ["id", "num_bytes", "language"]), shards.index(unit.name)
    gone = [lost_to_earlier(unit), *(lost_before(unit, table, at) for table in lost)]
    decided = verdicts(kept, pa.concat_tables(gone))
    if not decided["id"].equals(kept["id"]):
        raise ConservationError(f"deduplicate {unit.name}: the verdicts are not on the documents that came")
    unit.write("verdicts", decided)
    over = pc.is_in(decided["reason"], value_set=pa.array(OVER_CAP))
    is_copy = pc.and_not(pc.is_valid(decided["reason"]), over).combine_chunks()
    num_over = pc.sum(over).as_py() or 0
    return Report(
        tally_in=tally(kept, "num_bytes"),
        tally_out=tally(decided.filter(pc.is_null(decided["reason"])), "num_bytes"),
        dropped=tally_by_reason(decided, "num_bytes"),
        counts=counts_by_language(column(kept, "language"), is_copy)
        | {"losers": decided.num_rows - decided["reason"].null_count - num_over, "over_domain_cap": num_over},
    )
