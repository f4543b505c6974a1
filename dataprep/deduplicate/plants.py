"""Plants: edited copies of some survivors, at known similarity, that tell how many copies deduplication finds.

    survivors --is_original--> originals --edited--> texts of plants --plant_rows--> their band rows
        --meetings, with everybody's band rows--> pairs of a plant and a document --verify--> `plant_recall`

A plant is a question and no document: it is compared with documents and they are never told of it, so it can neither
join two of them to one group nor reach the corpus. MinHash sees nothing of an edit but what it does to the set of word
n-grams, so words that are others, at places that are drawn, stand for every way to change a text.
"""

import numpy as np
import pyarrow as pa
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from dataprep import document_id
from dataprep.deduplicate.buckets import BAND_ROWS, band_rows
from dataprep.deduplicate.candidates import NEIGHBOURS, candidates
from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.text_buffers import column
from dataprep.kernels.word_spans import word_spans
from dataprep.kernels.words import find_words
from dataprep.schemas import ID

PLANTS = pa.schema(
    [
        pa.field("id", ID, nullable=False),  # `plant_ids` of the original
        pa.field("original", ID, nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("content_hash", ID, nullable=False),  # XXH3-128 of the text, as `annotate` takes it
    ]
)
"""The plants of a shard, ascending by id, without their similarity: that is asked of `plant_recall` afterwards."""

MEETINGS = pa.schema([pa.field("id", ID, nullable=False), pa.field("document", ID, nullable=False)])
"""A plant and a document that it would be compared with, distinct, ascending by both."""

MAX_ORIGINAL_BYTES = 1 << 20
"""Of text: longer ones are not copied, as their words are held as Python strings, some 15 bytes a byte (estimated)."""

LEAST_OF_THRESHOLD = 0.6
"""Plants below the threshold are at this part of it and more: of lower ones it is known that none is found."""

SHARE_ABOVE = 0.75
"""Of the plants, how many are meant to be at the threshold or above, where recall is measured."""

_PLANT_BIT = np.uint64(1 << (document_id.RECORD_BITS - 1))  # of the record's number: no file has 550 billion records
_CHOICE_STREAM, _EDIT_STREAM, _PLACE_STREAM = 0x91A0, 0x91A1, 0x91A2  # keep these apart from other uses of a seed


class PlantsConfig(BaseModel):
    """How well copies are found is measured on edited copies of documents, which never reach the corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: int = Field(default=300, ge=0, le=100_000, description="about so many are planted; 0: nothing is measured")
    min_recall: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="share of the plants at `min_jaccard` and above that must be found: the step stops where fewer "
        "are, by more than chance (two standard deviations)",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="another seed copies other documents")


def is_original(survivors: pa.Table, config: PlantsConfig, num_documents: int) -> np.ndarray:
    """bool[rows]: whether a document is copied, by its id and by how many documents there are in all shards.

    `survivors` hold `id` and `num_bytes`. Of no more than `config.number` documents each is.
    """
    if config.number == 0 or num_documents == 0:
        return np.zeros(survivors.num_rows, np.bool_)
    ids = column(survivors, "id")
    _, low = document_id.words(ids)
    fits = (column(survivors, "num_bytes").to_numpy() <= MAX_ORIGINAL_BYTES) & (low & _PLANT_BIT == 0)
    if config.number >= num_documents:
        return np.asarray(fits)
    limit = np.uint64(config.number * 2**64 // num_documents)
    return np.asarray(fits & (document_id.mix(ids, _CHOICE_STREAM + config.seed) < limit))


def planted(originals: pa.Table, ngram_words: int, min_jaccard: float, seed: int) -> pa.Table:
    """`PLANTS` of these originals (`id`, ascending, and surviving `text`)."""
    ids = column(originals, "id")
    texts = []
    for text, drawn in zip(
        column(originals, "text").to_pylist(), document_id.mix(ids, _EDIT_STREAM + seed).tolist(), strict=True
    ):
        draw = np.random.RandomState(drawn >> 32)  # frozen by NumPy (NEP 19): the same plants in every release
        texts.append(edited(text, _similarity_wanted(draw, min_jaccard), ngram_words, draw))
    hashes = [xxhash.xxh3_128_digest(text.encode()) for text in texts]
    high, low = document_id.words(ids)
    plants = document_id.from_words(high, low | _PLANT_BIT)
    columns = [plants, ids, pa.array(texts, pa.large_string()), pa.array(hashes, ID)]
    return pa.Table.from_arrays(columns, schema=PLANTS)


def _similarity_wanted(draw: np.random.RandomState, min_jaccard: float) -> float:
    part = draw.random_sample()
    if draw.random_sample() < SHARE_ABOVE:
        return float(min_jaccard + (1 - min_jaccard) * part)
    return float(min_jaccard * (LEAST_OF_THRESHOLD + (1 - LEAST_OF_THRESHOLD) * part))


def edited(text: str, similarity: float, ngram_words: int, draw: np.random.RandomState) -> str:
    """The text with so many words replaced that it shares about `similarity` of its word n-grams with what it was.

    Of N n-grams, all different, of which d are gone, N - d are shared and N + d in either: d = N (1 - s) / (1 + s).
    New words stand between blanks: in scripts without spaces they would run together. A line feed at the end makes even
    a copy with every word another text: bands find it, not its content hash.
    """
    spans = word_spans(pa.array([text], pa.large_string()))
    num_words = len(spans.starts)
    num_ngrams = max(num_words - ngram_words + 1, 1)
    wanted = num_ngrams * (1 - similarity) / (1 + similarity)
    is_gone, num_gone, places = np.zeros(num_ngrams, np.bool_), 0, []
    for place in draw.permutation(num_words).tolist():
        of_place = is_gone[max(place - ngram_words + 1, 0) : place + 1]
        more = len(of_place) - int(of_place.sum())
        if num_gone + more / 2 > wanted:
            break
        of_place[:] = True
        num_gone += more
        places.append(place)
    data, pieces, done = spans.data.tobytes(), [], 0
    for place in sorted(places):
        pieces += [data[done : spans.starts[place]], b" zq%08x " % int(draw.randint(0, 1 << 32, dtype=np.uint32))]
        done = int(spans.ends[place])
    return (b"".join(pieces) + data[done:]).decode() + "\n"


def plant_rows(plants: pa.Table, minhash: MinHashConfig, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`BAND_ROWS` of `PLANTS`, and how many each partition has: made by what makes a document's."""
    words = find_words(column(plants, "text"))
    bands = band_hashes(minhash_signatures(words, minhash), minhash)
    facts = {
        "id": plants["id"],
        "content_hash": plants["content_hash"],
        "num_words": np.diff(words.offsets),
        "minhash_bands": pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), minhash.num_bands),
    }
    return band_rows(pa.table(facts), num_partitions)


def meetings(parts: list[pa.Table], plants: pa.Table, max_bucket: int) -> pa.Table:
    """`MEETINGS` of one partition: with whom `candidates` would pair each plant, were it the only one and a document.

    `parts` are `BAND_ROWS` of documents, `plants` those of plants. In a bucket a plant takes a place that is drawn, as
    that of an id would be. Where it is the first, which all others are compared with, it meets its neighbours and its
    original alone: the others are copies of other documents than the one in question.
    """
    documents = pa.concat_tables([BAND_ROWS.empty_table(), *parts])
    documents = documents.filter(pa.array(np.isin(documents["key"].to_numpy(), plants["key"].to_numpy())))
    high, low = document_id.words(documents["id"])
    order = np.lexsort((low, high, documents["key"].to_numpy()))
    high, low, keys = high[order], low[order], documents["key"].to_numpy()[order]
    plant_keys = plants["key"].to_numpy()
    starts, stops = (np.searchsorted(keys, plant_keys, side=side) for side in ("left", "right"))
    drawn = document_id.mix(plants["id"], _PLACE_STREAM) ^ plant_keys
    places = (drawn % (stops - starts + 1).astype(np.uint64)).astype(np.int64)
    plant_high, plant_low = document_id.words(plants["id"])
    plant_low = plant_low & ~_PLANT_BIT
    slots, of_plant = [], []
    for row, (start, stop, place) in enumerate(
        zip(starts.tolist(), stops.tolist(), (starts + places).tolist(), strict=True)
    ):
        near = [range(max(place - NEIGHBOURS, start), place), [-1], range(place, min(place + NEIGHBOURS, stop))]
        before = [start] if place - NEIGHBOURS > start else []
        after = np.empty(0, np.int64)
        if place == start:
            is_own = (high[start:stop] == plant_high[row]) & (low[start:stop] == plant_low[row])
            own = start + np.flatnonzero(is_own)
            after = own[own >= place + NEIGHBOURS]
        members = np.concatenate([before, *near, after]).astype(np.int64)
        slots.append(members)
        of_plant.append(np.full(len(members), row))
    return _paired(documents, order, plants, _flat(slots), _flat(of_plant), max_bucket)


def _flat(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _paired(
    documents: pa.Table, order: np.ndarray, plants: pa.Table, members: np.ndarray, of_row: np.ndarray, max_bucket: int
) -> pa.Table:
    """What `candidates` makes of these buckets, one for each row of `plants`: its members (int64, places in `order`, -1
    for the plant itself) in the order of their ids. Each bucket gets a key and ids of its own."""
    numbers = np.arange(len(members), dtype=np.uint64)
    keys = of_row.astype(np.uint64)
    stand_ins = document_id.from_words(keys, numbers)
    columns = [pa.array(np.zeros(len(members), np.int32)), pa.array(keys), stand_ins]
    found = candidates([pa.Table.from_arrays(columns, schema=BAND_ROWS)], max_bucket).edges
    low, high = (document_id.words(found[end])[1].astype(np.int64) for end in ("low", "high"))
    is_first = members[low] < 0
    has_plant = is_first | (members[high] < 0)
    other = np.where(is_first, high, low)[has_plant]
    ids = column(plants, "id").take(pa.array(of_row[other]))
    met = column(documents, "id").take(pa.array(order[members[other]]))
    return merge_meetings([pa.Table.from_arrays([ids, met], schema=MEETINGS)])


def merge_meetings(tables: list[pa.Table]) -> pa.Table:
    """The `MEETINGS` that stand in any of the tables."""
    rows = pa.concat_tables([MEETINGS.empty_table(), *tables])
    halves = [half for name in ("document", "id") for half in reversed(document_id.words(rows[name]))]
    order = np.lexsort(halves)
    sorted_halves = np.stack(halves)[:, order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (sorted_halves[:, 1:] != sorted_halves[:, :-1]).any(axis=0)
    return rows.take(pa.array(order[is_new])).combine_chunks()
