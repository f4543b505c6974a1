"""`shards`: the corpus as tokens, shuffled once.

    corpus shard --tokenize--> documents as tokens, cut by partition --merge, one partition of all--> token shard

Documents stand in the order of a hash of their ids, and a partition is a range of that hash: one after another the
token shards of a split are one global shuffle, whatever the input shards were. The caller writes each token shard with
`dataprep.indexed_dataset`, and beside it the sidecar that leads from a document to its tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from dataprep import document_id
from dataprep.errors import CorruptDataError
from dataprep.indexed_dataset import IndexedDataset
from dataprep.kernels.text_buffers import column, ranges
from dataprep.schemas import ID
from dataprep.split import TRAIN, VALIDATION
from dataprep.tally import Tally, tally
from dataprep.tokenizer import Encoder, Tokens

SPLITS = (TRAIN, VALIDATION)
"""The order in which splits stand in a table of `TOKENIZED`."""

BYTES_PER_TOKEN = 4
"""UTF-8 bytes; a rule of thumb for English and vocabularies of some 30,000. Only the number of shards depends on it."""

MAX_BATCH_TOKENS = 4 << 20
"""Tokens spelled out at a time: their text takes some 4 bytes each, and 8 more on the way."""

_SEED_STREAM = 0x5A4D  # keeps the order apart from every other use of the same seed

TOKENIZED = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("order", pa.uint64(), nullable=False),  # the hash that documents are shuffled by
        pa.field("id", ID, nullable=False),
        pa.field("tokens", pa.large_list(pa.int32()), nullable=False),  # the last one is the end of the document
    ]
)
"""What a map task writes: ascending by (place of the split in `SPLITS`, order, id), and so by partition too."""

SIDECAR = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("first_token", pa.int64(), nullable=False),  # counted from the start of the token shard
        pa.field("num_tokens", pa.int32(), nullable=False),  # with the end of the document
    ]
)
"""Where each document of a token shard is, ascending by id."""


class ShardsConfig(BaseModel):
    """How token shards are cut and shuffled."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tokens_per_shard: int = Field(
        default=100_000_000, ge=1, description="tokens in a token shard, about: documents are not divided"
    )
    seed: int = Field(default=0, ge=0, description="another seed shuffles otherwise")


@dataclass(frozen=True)
class TokenShard:
    """One token shard: `tokens` int32[tokens], `lengths` int32[documents] in tokens, and its `sidecar` (`SIDECAR`)."""

    tokens: np.ndarray
    lengths: np.ndarray
    sidecar: pa.Table


def num_partitions(text_bytes: int, config: ShardsConfig) -> int:
    """How many token shards a split with so many UTF-8 bytes of text is cut into; at least one."""
    return max(1, -(-text_bytes // (config.tokens_per_shard * BYTES_PER_TOKEN)))


def partitions(num_partitions_of: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every (split, partition), in the order of `TOKENIZED`, of so many partitions of each split."""
    return [(split, number) for split in SPLITS for number in range(num_partitions_of.get(split, 0))]


def tokenize(
    corpus: pa.Table, encoder: Encoder, config: ShardsConfig, num_partitions_of: Mapping[str, int]
) -> tuple[pa.Table, list[int]]:
    """`TOKENIZED` of one shard of `schemas.CORPUS`, and how many rows each of `partitions(num_partitions_of)` has.

    The caller writes each partition as a piece of its own, so that `merge` reads it by range. Raises
    CorruptDataError for a split without partitions.
    """
    split = pc.index_in(column(corpus, "split"), value_set=pa.array(SPLITS)).fill_null(len(SPLITS)).to_numpy()
    sizes = np.array([*(num_partitions_of.get(name, 0) for name in SPLITS), 0], np.uint64)
    if np.any(sizes[split] == 0):
        found = pc.unique(corpus["split"]).to_pylist()
        raise CorruptDataError(
            f"the corpus holds documents of {found}, but there are shards for {dict(num_partitions_of)}"
        )
    ids = column(corpus, "id")
    keys = document_id.mix(ids, _SEED_STREAM + config.seed)
    # Equal ranges of the hash; below 2**32 partitions the product fits into 64 bits.
    partition = ((keys >> np.uint64(32)) * sizes[split] >> np.uint64(32)).astype(np.int32)
    high, low = document_id.words(ids)
    order = np.lexsort((low, high, keys, split))
    tokens = _with_end(encoder.encode(column(corpus, "text")), encoder.eod)
    lists = pa.LargeListArray.from_arrays(pa.array(tokens.offsets), pa.array(tokens.tokens))
    table = pa.Table.from_arrays(
        [column(corpus, "split"), pa.array(partition), pa.array(keys), ids, lists], schema=TOKENIZED
    )
    first = np.cumsum(sizes) - sizes  # of each split, among all partitions
    places = (first[split] + partition.astype(np.uint64)).astype(np.int64)
    return table.take(order), np.bincount(places, minlength=int(sizes.sum())).tolist()


def _with_end(found: Tokens, eod: int) -> Tokens:
    """The tokens with the end of a document after each document."""
    ends = found.offsets[1:]
    return Tokens(np.insert(found.tokens, ends, eod).astype(np.int32), found.offsets + np.arange(len(found.offsets)))


def merge(parts: list[pa.Table]) -> TokenShard:
    """One token shard: its partition (`TOKENIZED`) from every shard, in any order.

    Raises CorruptDataError where the parts are not of one partition, or hold a document twice.
    """
    documents = pa.concat_tables(parts) if parts else TOKENIZED.empty_table()
    names = pc.unique(documents["split"]).to_pylist()
    numbers = pc.unique(documents["partition"]).to_pylist()
    if len(names) > 1 or len(numbers) > 1:
        raise CorruptDataError(f"parts of splits {names} and partitions {numbers} do not belong into one token shard")
    ids = column(documents, "id")
    high, low = document_id.words(ids)
    order = np.lexsort((low, high, column(documents, "order").to_numpy()))
    lists = column(documents, "tokens").take(order)
    lengths = pc.list_value_length(lists).to_numpy().astype(np.int32)
    return TokenShard(lists.flatten().to_numpy(), lengths, _sidecar(ids.take(order), lengths))


def tally_of_tokens(ids: pa.Array, tokens: Tokens, encoder: Encoder) -> Tally:
    """The tally of documents with the bytes and texts that their tokens spell out."""
    total = Tally()
    for start, stop in ranges(tokens.offsets, MAX_BATCH_TOKENS):
        offsets = tokens.offsets[start : stop + 1]
        text = encoder.spell(Tokens(tokens.tokens[offsets[0] : offsets[-1]], offsets - offsets[0]))
        columns = {"id": ids.slice(start, stop - start), "num_bytes": pc.binary_length(text), "text": text}
        total += tally(pa.table(columns), "num_bytes", "text")
    return total


def text_lengths(tokens: Tokens, encoder: Encoder) -> np.ndarray:
    """int64[documents]: UTF-8 bytes of the text that the tokens of each document spell out."""
    found = [np.zeros(0, np.int64)]
    for start, stop in ranges(tokens.offsets, MAX_BATCH_TOKENS):
        offsets = tokens.offsets[start : stop + 1]
        text = encoder.spell(Tokens(tokens.tokens[offsets[0] : offsets[-1]], offsets - offsets[0]))
        found.append(pc.binary_length(text).to_numpy())
    return np.concatenate(found)


def tally_of_shard(shard: IndexedDataset, sidecar: pa.Table, encoder: Encoder) -> Tally:
    """The tally of a token shard as its files and its `SIDECAR` have it.

    Raises CorruptDataError unless the documents of the sidecar fill the shard, one after the other.
    """
    in_order = sidecar.sort_by("first_token")
    starts, lengths = (column(in_order, name).to_numpy() for name in ("first_token", "num_tokens"))
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if not (np.array_equal(starts, offsets[:-1]) and offsets[-1] == shard.num_tokens):
        raise CorruptDataError(
            f"{shard.prefix.name}: {len(starts)} documents of {offsets[-1]} tokens in the sidecar do not fill the "
            f"{shard.num_tokens} tokens of the shard one after the other"
        )
    return tally_of_tokens(column(in_order, "id"), Tokens(shard.tokens, offsets), encoder)


def _sidecar(ids: pa.Array, lengths: np.ndarray) -> pa.Table:
    """`SIDECAR` of documents that stand in this order."""
    first = np.cumsum(lengths, dtype=np.int64) - lengths
    table = pa.Table.from_arrays([ids, pa.array(first), pa.array(lengths)], schema=SIDECAR)
    table = table.take(pc.sort_indices(ids))
    if not document_id.ascend(table["id"]):
        raise CorruptDataError("a document stands twice in one token shard: were two parts of one input shard merged?")
    return table
