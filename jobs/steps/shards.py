"""`shards`: the corpus as tokens in the order of a hash, in Megatron's format, with the way from document to tokens.

tokenize (a unit an input shard) -> merge (a token shard)
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.digest import bytes_digest
from dataprep.indexed_dataset import IndexedDataset, IndexedDatasetWriter, bin_path, idx_path
from dataprep.kernels.text_buffers import column
from dataprep.shards import (
    ShardsConfig,
    merge,
    num_partitions,
    partitions,
    tally_of_shard,
    tally_of_tokens,
    tokenize,
)
from dataprep.split import TRAIN, VALIDATION
from dataprep.tally import tally
from dataprep.tokenizer import Encoder, Tokens
from jobs.step_run import StepRun, total
from jobs.steps.tokenizer import NAME as TOKENIZER
from jobs.unit import Unit
from seedbed.artifact import FileEntry, Report
from seedbed.errors import ConservationError


def run(step: StepRun) -> None:
    """How many token shards there are follows from the bytes of text alone."""
    manifest = step.parents["corpus"].committed()
    config = ShardsConfig.model_validate(step.config)
    sizes = {split: num_partitions(manifest["counts"][f"{split}_bytes"], config) for split in (TRAIN, VALIDATION)}
    inputs = list(step.input_shards())
    tokenized = step.map(
        "jobs.steps.shards:tokenize_unit",
        inputs,
        phase="tokenize",
        arguments={unit: {"sizes": sizes} for unit in inputs},
    )
    step.check_takes_all(tokenized, "corpus")
    places = partitions(sizes)
    names = [f"{split}-{number:05d}" for split, number in places]
    arguments = {name: {"place": place, "inputs": inputs} for place, name in enumerate(names)}
    merged = total(step.map("jobs.steps.shards:merge_unit", names, phase="merge", arguments=arguments))
    before = total(tokenized)
    if merged.tally_out != before.tally_out:
        raise ConservationError(f"shards: {before.tally_out} was tokenized, but {merged.tally_out} was merged")
    counts = {name: merged.counts.get(name, 0) for name in ("train_tokens", "validation_tokens")}
    counts |= {f"{split}_bytes": manifest["counts"][f"{split}_bytes"] for split in sizes}
    if sum(counts[f"{split}_tokens"] for split in sizes) != before.counts["tokens"]:
        raise ConservationError(f"shards: {before.counts['tokens']:,} tokens were made, the token shards hold {counts}")
    before.counts = counts
    by_split = {split: [f"tokens/{n}" for n in names if n.startswith(f"{split}-")] for split in sizes}
    step.commit(before, token_shards=by_split)


def tokenize_unit(unit: Unit, sizes: dict[str, int]) -> Report:
    """Tokenize one input shard. Raises ConservationError unless the tokens spell out every document's text."""
    encoder = Encoder(unit.parents["tokenizer"].store.read(f"{unit.parents['tokenizer'].path}/{TOKENIZER}"))
    corpus = unit.read("corpus", "corpus")
    config = ShardsConfig.model_validate(unit.config)
    tokenized, row_groups = tokenize(corpus, encoder, config, sizes)
    unit.write_scratch("tokenized", tokenized, row_groups)
    sized = corpus.append_column("num_bytes", pc.cast(pc.binary_length(corpus["text"]), pa.int64()))
    lists = column(tokenized, "tokens")
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy())]).astype(np.int64)
    tokens = Tokens(lists.flatten().to_numpy(), offsets)
    report = Report(
        tally_in=tally(sized, "num_bytes", "text"),
        tally_out=tally_of_tokens(column(tokenized, "id"), tokens, encoder),
        counts={"tokens": len(tokens.tokens)},
    )
    if report.tally_in.texts != report.tally_out.texts:
        raise ConservationError(f"shards {unit.name}: the tokens do not spell out the documents that they stand beside")
    return report


def merge_unit(unit: Unit, place: int, inputs: list[str]) -> Report:
    """Write one token shard: one row group of every input shard's file."""
    parts: list[pa.Table] = []
    for name in inputs:
        with unit.artifact.open_parquet("scratch/tokenized", name) as file:
            parts.append(file.read_row_group(place, use_threads=False))
    shard = merge(parts)
    encoder = Encoder(unit.parents["tokenizer"].store.read(f"{unit.parents['tokenizer'].path}/{TOKENIZER}"))
    with tempfile.TemporaryDirectory(dir=unit.staging()) as folder:
        prefix = Path(folder) / unit.name
        with IndexedDatasetWriter(prefix, encoder.vocab_size) as writer:
            writer.add_many(shard.tokens, shard.lengths)
        written = tally_of_shard(IndexedDataset(prefix), shard.sidecar, encoder)
        for path in (bin_path(prefix), idx_path(prefix)):
            _upload(unit, path)
    unit.write("documents", shard.sidecar)
    split = unit.name.split("-")[0]
    return Report(
        tally_in=written,
        tally_out=written,
        counts={f"{split}_tokens": len(shard.tokens)},
    )


def _upload(unit: Unit, path: Path) -> None:
    data = path.read_bytes()
    entry = FileEntry(f"tokens/{path.name}", len(data), bytes_digest(data))
    unit.artifact.store.upload(path, f"{unit.artifact.path}/{entry.path}")
    unit.files.append(entry)
