"""Texts taken through all phases of `repeats`, and a plain reading of what goes: lists of words, compared."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.document_id import file_prefix, pack
from dataprep.repeats.config import RepeatsConfig
from dataprep.repeats.cuts import Decided, decide_cuts
from dataprep.repeats.later import later
from dataprep.repeats.places import places
from dataprep.repeats.signs import recurring, signs
from dataprep.schemas import ID
from dataprep.split import SplitConfig, held_out

PREFIX = file_prefix("docs", "a.jsonl")
SPLIT = SplitConfig(validation_fraction=0.3)


def ids_of(number: int) -> pa.Array:
    return pa.array([pack(PREFIX, n) for n in range(number)], ID)


def taken_out(texts: list[str], config: RepeatsConfig, num_shards: int = 1) -> Decided:
    """What goes of texts that lie in so many shards."""
    ids, text = ids_of(len(texts)), pa.array(texts, pa.large_string())
    rows = [pa.array(part) for part in np.array_split(np.arange(len(texts)), num_shards)]
    shards = [(ids.take(part), text.take(part)) for part in rows]
    again = recurring([signs(part, config) for _, part in shards], config)
    found = [places(*shard, of_shard, config) for shard, of_shard in zip(shards, again, strict=True)]
    goes = later(pa.concat_tables(found), SPLIT, DeduplicateConfig(), config)
    survivors = pa.table({"id": ids, "num_bytes": pa.array([len(one.encode()) for one in texts], pa.int64())})
    has_some = pc.is_in(ids, value_set=goes["document"].combine_chunks())
    return decide_cuts(survivors, goes, pa.table({"id": ids, "text": text}).filter(has_some), config)


def pieces_of(decided: Decided, texts: list[str]) -> list[list[str]]:
    """What goes of each text, piece by piece."""
    pieces: list[list[str]] = [[] for _ in texts]
    number = {packed: n for n, packed in enumerate(ids_of(len(texts)).to_pylist())}
    for row in decided.repeats.to_pylist():
        n = number[row["document"]]
        pieces[n].append(texts[n].encode()[row["start"] : row["end"]].decode())
    return pieces


def in_turn(texts: list[str]) -> list[int]:
    """The texts in the order in which they keep what they have; words are parted by whitespace."""
    return order_of([len(text.split()) for text in texts])


def order_of(num_words: list[int]) -> list[int]:
    """Held out, more words, the smaller id."""
    out = held_out(ids_of(len(num_words)), SPLIT)
    return sorted(range(len(num_words)), key=lambda n: (not out[n], -num_words[n], n))


def words_that_go(texts: list[str], window: int) -> list[set[int]]:
    """Of each text the numbers of the words in a window that stands somewhere before; words parted by whitespace."""
    return windows_that_go([text.split() for text in texts], window)


def windows_that_go(words: list[list[str]], window: int) -> list[set[int]]:
    """The same of texts that are lists of words."""
    seen: set[tuple[str, ...]] = set()
    gone: list[set[int]] = [set() for _ in words]
    for n in order_of([len(of_text) for of_text in words]):
        for first in range(len(words[n]) - window + 1):
            said = tuple(words[n][first : first + window])
            if said in seen:
                gone[n].update(range(first, first + window))
            seen.add(said)
    return gone
