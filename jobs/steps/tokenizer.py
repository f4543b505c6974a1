"""`tokenizer`: learnt from a sample of the training split; every shard is sampled where it lies."""

from typing import Any

import pyarrow.compute as pc

from dataprep.kernels.text_buffers import column
from dataprep.split import TRAIN, VALIDATION
from dataprep.tokenizer import Encoder, TokenizerConfig, sample, train
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import UsageError

NAME = "tokenizer.json"


def run(step: StepRun) -> None:
    """Sample the shards, then learn from the sample of the samples."""
    _refuse_an_empty_split(step.parents["corpus"].committed(), step.plan.run_id)
    shards = list(step.input_shards())
    step.map("jobs.steps.tokenizer:sample_unit", shards, phase="sample")
    trained = step.map("jobs.steps.tokenizer:train_unit", ["all"], phase="train", arguments={"all": {"shards": shards}})
    step.commit(total(trained))


def _refuse_an_empty_split(corpus: dict[str, Any], run_id: str) -> None:
    """Without training text there is nothing to learn from, without held-out text nothing to measure by."""
    counts = corpus["counts"]
    for split in (TRAIN, VALIDATION):
        if not counts[f"{split}_bytes"]:
            documents = ", ".join(f"{counts[f'{name}_documents']:,} in {name}" for name in (TRAIN, VALIDATION))
            raise UsageError(
                f"the corpus has no text in its {split} split (documents: {documents}): `seedbed show {run_id}` says "
                "what was dropped and why; give it more data, or change data.select or data.split.validation_fraction"
            )


def sample_unit(unit: Unit) -> Report:
    config = TokenizerConfig.model_validate(unit.config)
    unit.write_scratch("sample", sample([unit.read("corpus", "corpus")], config).sort_by("id"))
    return Report()


def train_unit(unit: Unit, shards: list[str]) -> Report:
    config = TokenizerConfig.model_validate(unit.config)
    parts = (unit.artifact.read_scratch("sample", shard) for shard in shards)  # one at a time
    text = column(sample(parts, config), "text")
    learnt = train(text, config)
    unit.write_file(NAME, learnt)
    num_bytes = pc.sum(pc.binary_length(text)).as_py() or 0
    return Report(
        counts={"sample_documents": len(text), "sample_bytes": num_bytes, "vocab_size": Encoder(learnt).vocab_size}
    )
