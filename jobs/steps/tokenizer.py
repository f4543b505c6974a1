"""`tokenizer`: learnt from a sample of the training split; every shard is sampled where it lies."""

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.kernels.text_buffers import column
from dataprep.tokenizer import Encoder, TokenizerConfig, sample, train
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report

NAME = "tokenizer.json"


def run(step: StepRun) -> None:
    """Sample the shards, then learn from the sample of the samples."""
    shards = list(step.input_shards())
    step.map("jobs.steps.tokenizer:sample_unit", shards, phase="sample")
    trained = step.map("jobs.steps.tokenizer:train_unit", ["all"], phase="train", arguments={"all": {"shards": shards}})
    step.commit(total(trained))


def sample_unit(unit: Unit) -> Report:
    config = TokenizerConfig.model_validate(unit.config)
    unit.write_scratch("sample", sample([unit.read("corpus", "corpus")], config).sort_by("id"))
    return Report()


def train_unit(unit: Unit, shards: list[str]) -> Report:
    config = TokenizerConfig.model_validate(unit.config)
    parts: list[pa.Table] = [unit.artifact.read_table("scratch/sample", shard) for shard in shards]
    text = column(sample(parts, config), "text")
    learnt = train(text, config)
    unit.write_file(NAME, learnt)
    num_bytes = pc.sum(pc.binary_length(text)).as_py() or 0
    return Report(
        counts={"sample_documents": len(text), "sample_bytes": num_bytes, "vocab_size": Encoder(learnt).vocab_size}
    )
