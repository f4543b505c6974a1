"""`corpus`: one unit an input shard; writes `corpus`, the text for the second and last time."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.corpus import CorpusConfig, corpus
from dataprep.personal_data import PLURALS, PersonalDataConfig
from dataprep.split import SplitConfig
from dataprep.tally import tally
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError
from seedbed.steps import last_verdicts


def run(step: StepRun) -> None:
    shards = list(step.input_shards())
    reports = step.map("jobs.steps.corpus:unit", shards)
    step.check_takes_all(reports, last_verdicts(step.parents))
    languages: Counter[str] = Counter()
    for shard in shards:
        languages.update(step.read_json(f"languages/{shard}.json"))
    inputs = step.parents["extract"].committed()["input_shards"]
    by_size = dict(sorted(languages.items(), key=lambda item: (-item[1], item[0])))
    step.commit(total(reports), languages=by_size, sources=counts_by_source(inputs, reports))


def counts_by_source(input_shards: list[dict[str, str]], reports: dict[str, Report]) -> dict[str, dict[str, int]]:
    """What the units have counted, added up by source."""
    sums: dict[str, Report] = {}
    for shard in input_shards:
        counted = Report(counts=reports[shard["unit"]].counts)
        sums[shard["source"]] = sums.get(shard["source"], Report()) + counted
    return {name: found.counts for name, found in sorted(sums.items())}


def _cuts(unit: Unit, verdicts: pa.Table) -> list[pa.Table]:
    """What the steps before took out of the documents, in turn. `repeats` may drop one that `decontaminate` has cut."""
    cuts = [unit.read(kind, "cuts") for kind in ("decontaminate", "repeats") if kind in unit.parents]
    if len(cuts) == 2:
        dropped = verdicts.filter(pc.is_valid(verdicts["reason"]))["id"]
        cuts[0] = cuts[0].filter(pc.invert(pc.is_in(cuts[0]["id"], value_set=dropped.combine_chunks())))
    return cuts


def unit(unit: Unit) -> Report:
    """Bring a shard's kept texts into their final form."""
    documents = unit.read("extract", "documents", ["id", "url", "text"])
    attributes = unit.read("annotate", "attributes", ["id", "num_bytes", "content_hash", "language"])
    verdicts = unit.read(last_verdicts(unit.parents), "verdicts")
    cuts = _cuts(unit, verdicts)
    split = SplitConfig.model_validate(unit.config["split"])
    config = CorpusConfig.model_validate(unit.config["corpus"])
    personal_data = PersonalDataConfig.model_validate(unit.config["personal_data"])
    edits = unit.read("clean", "edits")
    table, account = corpus(documents, edits, attributes, verdicts, split, config, personal_data, cuts)
    unit.write("corpus", table)
    unit.write_file(f"languages/{unit.name}.json", json.dumps(Counter(table["language"].to_pylist())).encode())
    sized = table.append_column("num_bytes", pc.cast(pc.binary_length(table["text"]), pa.int64()))
    counts = {f"{name}_masked": number for name, number in zip(PLURALS, account.num_masked, strict=True)}
    for name in ("train", "validation"):
        of_split = sized.filter(pc.equal(sized["split"], name))
        counts |= {f"{name}_documents": of_split.num_rows, f"{name}_bytes": pc.sum(of_split["num_bytes"]).as_py() or 0}
    out = tally(sized, "num_bytes", "text")
    if out.texts != account.texts:
        raise ConservationError(f"corpus {unit.name}: the texts are not those that were brought into their final form")
    return Report(
        tally_in=tally(verdicts.filter(pc.is_null(verdicts["reason"])), "num_bytes"),
        tally_out=out,
        bytes_cut=account.num_bytes_cut,
        bytes_added=account.num_bytes_added,
        counts=counts,
    )
