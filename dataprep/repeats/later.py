"""Which passages go: all but the first of those that are the same.

The first is in the document that `deduplicate` would keep first (`deduplicate.keeper`: held out for validation, the
source of higher priority, more words, the smaller id), and in that where it stands first. So a held-out document loses
nothing to one of training, and none of its runs stays there. Each word that goes stands at an earlier place too, and if
it goes there as well then at one before that: the first of all stays (but for `keep: none`).
"""

import numpy as np
import pyarrow as pa

from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import distinct_ids
from dataprep.deduplicate.keeper import first_of, keeper_order
from dataprep.kernels.text_buffers import column
from dataprep.repeats.config import KINDS, SUBSTRING, RepeatsConfig
from dataprep.schemas import ID
from dataprep.split import SplitConfig

LATER = pa.schema(
    [
        pa.field("kind", pa.int8(), nullable=False),  # number in `config.KINDS`
        pa.field("document", ID, nullable=False),
        pa.field("place", pa.int64(), nullable=False),  # as in `places.PLACES`
        pa.field("first_in", ID, nullable=False),  # the document that holds the first of them, which may be this one
    ]
)
"""A row for each passage that goes."""


def later(rows: pa.Table, split: SplitConfig, order: DeduplicateConfig, config: RepeatsConfig) -> pa.Table:
    """`LATER` of `places.PLACES`: all of whole keys."""
    kind, high, low, place = (column(rows, name).to_numpy() for name in ("kind", "key_high", "key_low", "place"))
    ids, document = distinct_ids(column(rows, "document"))
    rank = _ranks(ids, _num_words(rows, document, len(ids)), split, order)[document]
    by_turn = rank * (place.max(initial=0) + 1) + place  # one number for both: a sort less over all rows
    in_turn = np.lexsort((by_turn, low, high))
    first = first_of(in_turn, low, high)
    is_first = first == np.arange(len(first))
    goes = np.zeros(len(first), np.bool_)
    for which in range(len(KINDS)):
        said = config.recurring(which)
        of_kind = kind == which
        if which == SUBSTRING or said is None:
            goes |= of_kind & ~is_first
        else:
            many = _num_documents(in_turn, first, document)[first] > said.max_documents
            goes |= of_kind & many & (~is_first | (said.keep == "none"))
    at = pa.array(np.flatnonzero(goes))
    columns = [column(rows, name).take(at) for name in ("kind", "document", "place")]
    return pa.Table.from_arrays([*columns, column(rows, "document").take(pa.array(first[goes]))], schema=LATER)


def _ranks(ids: pa.Array, num_words: np.ndarray, split: SplitConfig, order: DeduplicateConfig) -> np.ndarray:
    """int64: the place of each document (ids ascend) among all of them."""
    in_order = keeper_order(ids, num_words, np.zeros(len(ids), np.int64), split, order)
    ranks = np.empty(len(ids), np.int64)
    ranks[in_order] = np.arange(len(ids))
    return ranks


def _num_words(rows: pa.Table, document: np.ndarray, num_documents: int) -> np.ndarray:
    num_words = np.zeros(num_documents, np.int64)
    num_words[document] = column(rows, "num_words").to_numpy()
    return num_words


def _num_documents(in_turn: np.ndarray, first: np.ndarray, document: np.ndarray) -> np.ndarray:
    """int64[rows]: at the first of each key, in how many documents it stands. In `in_turn` the rows of a document that
    have one key stand together."""
    key, of = first[in_turn], document[in_turn]
    is_new = np.ones(len(key), np.bool_)
    is_new[1:] = (key[1:] != key[:-1]) | (of[1:] != of[:-1])
    return np.bincount(key[is_new], minlength=len(first))
