"""Documents that an earlier corpus has already: a new crawl against the index of an old one.

    band rows of survivors, band rows of the corpus's documents --proposed--> pairs of a new and an old document
        --likeness, with the texts--> their similarity --lost_to_earlier--> which new documents go, and why

Old documents stay, whatever comes: a new one that is like one of them goes, and what is left is compared among itself.
That is what `keeper` decides over both with the old ones first and `chains: keep`, as far as MinHash proposes a pair.
"""

import numpy as np
import pyarrow as pa

from dataprep import document_id, schemas
from dataprep.deduplicate.edges import distinct_ids
from dataprep.deduplicate.keeper import EXACT, NEAR, NEAR_HELD_OUT
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.verify import shingle_sets_of
from dataprep.kernels.jaccard import jaccard
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID

OLD_OF_BUCKET = 17
"""Documents of one corpus in one bucket that a new one is held against, the smallest ids first: as many as are all
compared with one another within a crawl (`candidates.NEIGHBOURS` and one)."""

PAIRS = pa.schema([pa.field("id", ID, nullable=False), pa.field("old", ID, nullable=False)])
"""A new document and one of an earlier corpus, ascending by both. Of a crawl that is in both the two ids are equal."""

LIKE_EARLIER = pa.schema(
    [
        *PAIRS,
        pa.field("similarity", pa.float64(), nullable=False),
        pa.field("is_exact", pa.bool_(), nullable=False),
        pa.field("is_held_out", pa.bool_(), nullable=False),  # the old one, in its own run
        pa.field("corpus", pa.int32(), nullable=False),  # its number among `against`, from 0
    ]
)
"""`PAIRS` that are alike."""

LOST_TO_EARLIER = schemas.VERDICTS.append(pa.field("corpus", pa.int32(), nullable=False))
"""Verdicts on new documents that lost to one of an earlier corpus; `duplicate_of` is an id of that corpus."""


def proposed(new: pa.Table, old: pa.Table) -> pa.Table:
    """`PAIRS` that share a bucket; `new` and `old` are `buckets.BAND_ROWS` of one partition, in any order."""
    old_high, old_low = document_id.words(column(old, "id"))
    old_keys = column(old, "key").to_numpy()
    order = np.lexsort((old_low, old_high, old_keys))
    old_keys, new_keys = old_keys[order], column(new, "key").to_numpy()
    starts = np.searchsorted(old_keys, new_keys, side="left")
    numbers = np.minimum(np.searchsorted(old_keys, new_keys, side="right") - starts, OLD_OF_BUCKET)
    within = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    new_rows, old_rows = np.repeat(np.arange(len(new_keys)), numbers), order[np.repeat(starts, numbers) + within]
    ends = [column(new, "id").take(pa.array(new_rows)), column(old, "id").take(pa.array(old_rows))]
    return merge_pairs([pa.Table.from_arrays(ends, schema=PAIRS)])


def merge_pairs(tables: list[pa.Table]) -> pa.Table:
    """The `PAIRS` that stand in any of the tables."""
    rows = pa.concat_tables([PAIRS.empty_table(), *tables])
    ids, new = distinct_ids(column(rows, "id"))
    old_ids, old = distinct_ids(column(rows, "old"))
    pairs = np.unique((new.astype(np.uint64) << np.uint64(32)) | old.astype(np.uint64))
    new, old = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return pa.Table.from_arrays([ids.take(pa.array(new)), old_ids.take(pa.array(old))], schema=PAIRS)


def are_exact(pairs: pa.Table, new_facts: pa.Table, old_facts: pa.Table) -> np.ndarray:
    """bool[pairs]: whether both have one content hash; the facts hold `id` and `content_hash` of every document."""
    sides = []
    for end, facts in (("id", new_facts), ("old", old_facts)):
        rows = rows_of(column(pairs, end), column(facts, "id"), "content hash")
        sides.append(document_id.words(column(facts, "content_hash").take(pa.array(rows))))
    return (sides[0][0] == sides[1][0]) & (sides[0][1] == sides[1][1])


def likeness(pairs: pa.Table, new_texts: pa.Table, old_texts: pa.Table, ngram_words: int) -> np.ndarray:
    """float64[pairs]: the share of word n-grams of each pair; the texts hold `id` and surviving `text` of all."""
    rows = [
        rows_of(column(pairs, end), column(texts, "id"), "text")
        for end, texts in (("id", new_texts), ("old", old_texts))
    ]
    new_sets, old_sets = (shingle_sets_of(column(texts, "text"), ngram_words) for texts in (new_texts, old_texts))
    return jaccard(new_sets, rows[0], old_sets, rows[1])


def lost_to_earlier(alike: pa.Table, facts: pa.Table, is_held_out: np.ndarray, min_jaccard: float) -> pa.Table:
    """`LOST_TO_EARLIER`, ascending by id: one row for each new document in `alike` (`LIKE_EARLIER`).

    `facts` are the `id`, ascending, and `num_bytes` of new documents, `is_held_out` tells of each what the new run's
    split says. Of several old ones a held-out one is named, then one of the corpus that is listed first, then the most
    alike, then the smaller id. The reason is `keeper`'s.
    """
    facts_rows = rows_of(column(alike, "id"), column(facts, "id"), "size")
    old_high, old_low = document_id.words(column(alike, "old"))
    old_out = column(alike, "is_held_out").to_numpy(zero_copy_only=False)
    similarity, corpus = column(alike, "similarity").to_numpy(), column(alike, "corpus").to_numpy()
    order = np.lexsort((old_low, old_high, -similarity, corpus, ~old_out, facts_rows))
    of_new = facts_rows[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = of_new[1:] != of_new[:-1]
    chosen = order[is_first]
    exact = column(alike, "is_exact").to_numpy(zero_copy_only=False)[chosen]
    held_out_only_there = old_out[chosen] & ~is_held_out[facts_rows[chosen]]
    reason = np.where(held_out_only_there, NEAR_HELD_OUT, np.where(exact, EXACT, NEAR))
    columns = [
        column(alike, "id").take(pa.array(chosen)),
        column(facts, "num_bytes").take(pa.array(facts_rows[chosen])).cast(pa.int64()),
        pa.array(reason, pa.string()),
        pa.array(similarity[chosen]),
        pa.array(np.full(len(chosen), min_jaccard)),
        column(alike, "old").take(pa.array(chosen)),
        pa.array(corpus[chosen], pa.int32()),
    ]
    return pa.Table.from_arrays(columns, schema=LOST_TO_EARLIER)
