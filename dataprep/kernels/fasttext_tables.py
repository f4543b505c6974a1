"""A fastText model, laid out for the kernel in `dataprep.kernels.fasttext`."""

from dataclasses import dataclass

import numpy as np

from dataprep.fasttext_model import END_OF_LINE, FasttextModel
from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_5, avalanche
from dataprep.kernels.row_sums import LANES

KEPT_BITS = np.uint32(48)
"""Buckets in one integer of `PredictorTables.kept`."""


@dataclass(frozen=True)
class PredictorTables:
    """A `FasttextModel` laid out for the kernel; every array is read-only but `word_bytes`.

    `word_bytes` uint8[] and `word_offsets` int64[words + 1]: the vocabulary; `word_slots` int32[]: an open table over
    it, by the token's hash, -1 where empty. `kept` uint64[]: the low `KEPT_BITS` bits say of as many buckets whether
    their n-grams were kept, the high ones how many were kept in all the buckets before. `rows` float32[words + kept
    buckets, LANES] and `output` float32[LANES, inner nodes]: with zeros up to LANES.
    """

    word_bytes: np.ndarray
    word_offsets: np.ndarray
    word_slots: np.ndarray
    ngrams: tuple[int, int, int]  # their least and their most characters, the number of buckets
    kept: np.ndarray
    rows: np.ndarray
    left: np.ndarray
    right: np.ndarray
    output: np.ndarray


def predictor_tables(model: FasttextModel) -> PredictorTables:
    """The model, laid out. Raises ValueError where the kernel has no place for it: see each message."""
    if model.words[0] != END_OF_LINE:
        raise ValueError(f"a vocabulary that starts with {model.words[0]!r}; the kernel wants the end of a line there")
    dim = model.rows.shape[1]
    if dim > LANES:
        raise ValueError(f"a model of {dim} dimensions; the kernel takes at most {LANES}")
    if not 2 <= model.min_ngram <= model.max_ngram:
        raise ValueError(f"n-grams of {model.min_ngram} to {model.max_ngram} characters; the kernel wants two or more")
    padding = ((0, 0), (0, LANES - dim))
    ngram_rows = model.row_of_bucket[model.row_of_bucket >= 0]
    order = np.concatenate([np.arange(len(model.words)), ngram_rows])  # words, then n-grams by their bucket
    # Writable, as the memo is, so that the two are compared with a token by one and the same compiled function.
    word_bytes = np.frombuffer(b"".join(model.words), np.uint8).copy()
    word_offsets = _read_only(np.cumsum([0, *map(len, model.words)], dtype=np.int64))
    word_slots = np.full(2 << len(model.words).bit_length(), -1, np.int32)  # at most half full
    _fill_word_slots(word_bytes, word_offsets, word_slots)
    return PredictorTables(
        word_bytes=word_bytes,
        word_offsets=word_offsets,
        word_slots=_read_only(word_slots),
        ngrams=(model.min_ngram, model.max_ngram, len(model.row_of_bucket)),
        kept=_read_only(_kept_blocks(model.row_of_bucket >= 0)),
        rows=_read_only(np.pad(model.rows[order], padding)),
        left=_read_only(model.left),
        right=_read_only(model.right),
        output=_read_only(np.ascontiguousarray(np.pad(model.output, padding).T)),
    )


def _kept_blocks(is_kept: np.ndarray) -> np.ndarray:
    """`PredictorTables.kept` of bool[buckets]. Raises ValueError where more were kept than can be counted."""
    if np.count_nonzero(is_kept) >= 1 << (64 - int(KEPT_BITS)):
        raise ValueError(f"a model that keeps {np.count_nonzero(is_kept)} buckets; the kernel takes fewer than 65536")
    num_blocks = -(-len(is_kept) // int(KEPT_BITS))
    bits = np.zeros((num_blocks, 64), np.bool_)
    bits[:, :KEPT_BITS] = np.pad(is_kept, (0, num_blocks * int(KEPT_BITS) - len(is_kept))).reshape(num_blocks, -1)
    counts = np.count_nonzero(bits, axis=1)
    before = np.cumsum(counts) - counts
    low = np.packbits(bits, axis=1, bitorder="little").view("<u8").ravel()
    return low | before.astype(np.uint64) << np.uint64(KEPT_BITS)


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@kernel
def _fill_word_slots(word_bytes, word_offsets, word_slots):
    last_slot = np.uint64(len(word_slots) - 1)
    for word in range(len(word_offsets) - 1):
        state = PRIME_5
        for position in range(word_offsets[word], word_offsets[word + 1]):
            state = (state ^ np.uint64(word_bytes[position])) * PRIME_1
        slot = avalanche(state) & last_slot
        while word_slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & last_slot
        word_slots[slot] = word
