"""`annotate`: one unit an input shard; writes `attributes`, row for row beside `documents`."""

import functools
import json

from dataprep.annotate import AnnotateConfig, Model, annotate
from dataprep.kernels.text_view import num_surviving_bytes
from dataprep.tally import tally
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.list_files import named_by, read_list, read_model_file


def run(step: StepRun) -> None:
    shards = list(step.input_shards())
    where = named_by(step.config, {digest: path for path, digest in step.plan.lists.items()})
    reports = step.map("jobs.steps.annotate:unit", shards, common={"files": where})
    step.check_takes_all(reports, "clean")
    step.commit(total(reports))


def unit(unit: Unit, files: dict[str, str]) -> Report:
    """Measure a shard's texts as they are after `clean`. `files` says where each list and model of the configuration
    lies, by its digest."""
    documents = unit.read("extract", "documents", ["id", "text"])
    edits = unit.read("clean", "edits")
    config = AnnotateConfig.model_validate(unit.config)
    models = _models(json.dumps(unit.config), json.dumps(files))
    lists = {digest: read_list(path, digest) for digest, path in files.items() if digest not in models}
    attributes = annotate(documents, edits, config, lists, models)
    unit.write("attributes", attributes)
    surviving = edits.append_column("num_surviving_bytes", num_surviving_bytes(edits))
    return Report(tally_in=tally(surviving, "num_surviving_bytes"), tally_out=tally(attributes, "num_bytes"))


@functools.lru_cache(1)
def _models(config: str, files: str) -> dict[str, Model]:
    """The models of the configuration; a worker reads them once for all its shards. Both texts are JSON."""
    where: dict[str, str] = json.loads(files)
    return AnnotateConfig.model_validate(json.loads(config)).read_models(
        lambda digest: read_model_file(where[digest], digest)
    )
