"""`shards`: the corpus as tokens in the order of a hash, in Megatron's format, with the way from document to tokens.

tokenize (a unit an input shard) -> merge (a token shard)

Where the run has a mixture, the training tokens of each source have token shards of their own, `train-NAME-00000`.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.digest import bytes_digest
from dataprep.indexed_dataset import IndexedDataset, IndexedDatasetWriter, bin_path, idx_path
from dataprep.kernels.text_buffers import column
from dataprep.shards import SPLITS, ShardsConfig, merge, num_partitions, tally_of_shard, tally_of_tokens, tokenize
from dataprep.split import TRAIN, VALIDATION
from dataprep.tally import tally
from dataprep.tokenizer import Encoder, Tokens
from jobs.shuffled import Shuffled
from jobs.step_run import StepRun, total
from jobs.steps.tokenizer import NAME as TOKENIZER
from jobs.unit import Unit
from seedbed.artifact import FileEntry, Report
from seedbed.errors import ConservationError
from seedbed.steps import BY_SOURCE


def run(step: StepRun) -> None:
    """How many token shards there are follows from the bytes of text alone."""
    manifest = step.parents["corpus"].committed()
    config = _config(step.config)
    held_out = num_partitions(manifest["counts"]["validation_bytes"], config)
    streams = _streams(step, manifest)
    sizes = {
        unit: {TRAIN: num_partitions(stream.counts["train_bytes"], config), VALIDATION: held_out}
        for stream in streams
        for unit in stream.units
    }
    inputs = list(step.input_shards())
    tokenized = step.map(
        "jobs.steps.shards:tokenize_unit",
        inputs,
        phase="tokenize",
        arguments={unit: {"sizes": sizes[unit]} for unit in inputs},
    )
    step.check_takes_all(tokenized, "corpus")
    groups = _pieces(streams, sizes)
    merged_of = step.map(
        "jobs.steps.shards:merge_unit",
        list(groups),
        phase="merge",
        common={"units": {stream.source: stream.units for stream in streams}},
        arguments={name: {"inputs": inputs} for name, inputs in groups.items()},
    )
    merged, before = total(merged_of), total(tokenized)
    if merged.tally_out != before.tally_out:
        raise ConservationError(f"shards: {before.tally_out} was tokenized, but {merged.tally_out} was merged")
    counts = {name: merged.counts.get(name, 0) for name in ("train_tokens", "validation_tokens")}
    counts |= {f"{split}_bytes": manifest["counts"][f"{split}_bytes"] for split in SPLITS}
    if sum(counts[f"{split}_tokens"] for split in SPLITS) != before.counts["tokens"]:
        raise ConservationError(f"shards: {before.counts['tokens']:,} tokens were made, the token shards hold {counts}")
    before.counts = counts
    by_split = {split: [f"tokens/{n}" for n in groups if n.startswith(f"{split}-")] for split in SPLITS}
    sources = {stream.source: stream.told(merged_of) for stream in streams if stream.source is not None}
    step.commit(before, token_shards=by_split, **({"sources": sources} if sources else {}))


@dataclass(frozen=True)
class _Stream:
    """Training tokens that stand in an order of their own: those of one source, or of all where none is named."""

    source: str | None
    units: list[str]  # input shards
    counts: dict[str, int]  # of `corpus`

    def names(self, num_shards: int) -> list[str]:
        """Its token shards, in order."""
        prefix = TRAIN if self.source is None else f"{TRAIN}-{self.source}"
        return [f"{prefix}-{number:05d}" for number in range(num_shards)]

    def told(self, merged: dict[str, Report]) -> dict[str, Any]:
        """What the manifest says of it."""
        names = self.names(sum(name.rpartition("-")[0] == f"{TRAIN}-{self.source}" for name in merged))
        return {
            "train_documents": self.counts["train_documents"],
            "train_bytes": self.counts["train_bytes"],
            "train_tokens": sum(merged[name].counts["train_tokens"] for name in names),
            "token_shards": [f"tokens/{name}" for name in names],
        }


def _streams(step: StepRun, corpus: dict[str, Any]) -> list[_Stream]:
    """By the names of the sources, so that their order in the run file changes nothing."""
    if not step.config.get(BY_SOURCE):
        return [_Stream(None, list(step.input_shards()), corpus["counts"])]
    counts = corpus["sources"]
    units = {name: [shard["unit"] for shard in corpus["input_shards"] if shard["source"] == name] for name in counts}
    return [_Stream(name, units[name], counts[name]) for name in counts]


def _pieces(streams: list[_Stream], sizes: dict[str, dict[str, int]]) -> dict[str, list[tuple[str | None, int]]]:
    """Of each token shard, which piece of the input shards of which streams it is made of."""
    found: dict[str, list[tuple[str | None, int]]] = {}
    held_out: dict[str, list[tuple[str | None, int]]] = {}
    for stream in streams:
        num_train, num_held_out = (sizes[stream.units[0]][split] for split in SPLITS)
        for number, name in enumerate(stream.names(num_train)):
            found[name] = [(stream.source, number)]
        for number in range(num_held_out):
            held_out.setdefault(f"{VALIDATION}-{number:05d}", []).append((stream.source, num_train + number))
    return found | held_out


def _config(config: dict[str, Any]) -> ShardsConfig:
    return ShardsConfig.model_validate({key: value for key, value in config.items() if key != BY_SOURCE})


def tokenize_unit(unit: Unit, sizes: dict[str, int]) -> Report:
    """Tokenize one input shard. Raises ConservationError unless the tokens spell out every document's text."""
    encoder = Encoder(unit.parents["tokenizer"].store.read(f"{unit.parents['tokenizer'].path}/{TOKENIZER}"))
    corpus = unit.read("corpus", "corpus")
    config = _config(unit.config)
    tokenized, piece_sizes = tokenize(corpus, encoder, config, sizes)
    unit.write_scratch("tokenized", tokenized, piece_sizes)
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


def merge_unit(unit: Unit, units: dict[str | None, list[str]], inputs: list[tuple[str | None, int]]) -> Report:
    """Write one token shard: of the input shards' files one piece each."""
    parts: list[pa.Table] = []
    for stream, place in inputs:
        parts += Shuffled("tokenized", units[stream]).in_turn(unit.artifact, place)
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
