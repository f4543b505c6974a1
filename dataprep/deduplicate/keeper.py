"""Which copy stays.

Of each component one document is kept, by this order:

    1. held out for validation (`dataprep.split`): no copy of it is left in training
    2. the higher `source_priority`
    3. more words
    4. the smaller id

The others lose to it. Their reason is `near_duplicate_of_heldout` where the keeper is held out and they are not, exact
copies among them too (their value is 1.0): it says why training has no copy at all. Else it is `exact_duplicate` where
the content hashes are equal, and `near_duplicate`.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id, schemas
from dataprep.deduplicate.config import DeduplicateConfig, source_number
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column
from dataprep.split import SplitConfig, held_out

EXACT = "exact_duplicate"
NEAR = "near_duplicate"
NEAR_HELD_OUT = "near_duplicate_of_heldout"


def losers(
    components: pa.Table, edges: pa.Table, attributes: pa.Table, split: SplitConfig, config: DeduplicateConfig
) -> pa.Table:
    """`schemas.VERDICTS` of every document of `components` (`components.COMPONENTS`) that is not kept, ascending by id.

    `edges` are the verified ones (`edges.VERIFIED_EDGES`); `attributes` holds `id`, `num_bytes`, `content_hash` and
    `num_words` of at least the documents of `components`. The value is the loser's Jaccard similarity to its keeper:
    1.0 for equal content, the edge's where one joins the two, and null where they hang together through others only.
    Raises CorruptDataError for a document without attributes.
    """
    components = components.sort_by("id")
    ids = column(components, "id")
    facts = attributes.take(rows_of(ids, column(attributes, "id"), "attributes"))
    out = held_out(ids, split)
    keeper = _keepers(components, facts, out, config)
    loses = np.flatnonzero(keeper != np.arange(len(ids)))
    content = column(facts, "content_hash")
    same = pc.equal(content, content.take(keeper)).to_numpy(zero_copy_only=False)
    similarity = np.where(same, 1.0, _similarities(ids, keeper, edges))
    reason = np.where(out[keeper] & ~out, NEAR_HELD_OUT, np.where(same, EXACT, NEAR))
    columns = [
        ids.take(loses),
        column(facts, "num_bytes").take(loses),
        pa.array(reason[loses], pa.string()),
        pa.array(similarity[loses], mask=np.isnan(similarity[loses])),
        pa.array(np.full(len(loses), config.min_jaccard)),
        ids.take(keeper[loses]),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.VERDICTS)


def verdicts(survivors: pa.Table, losers: pa.Table) -> pa.Table:
    """`schemas.VERDICTS` for each row of `survivors` (`id`, `num_bytes`), in its order; `losers` may hold more rows."""
    ids = column(survivors, "id")
    rows = pc.index_in(ids, value_set=column(losers, "id"))
    decided = [column(losers, name).take(rows) for name in ("reason", "value", "threshold", "duplicate_of")]
    return pa.Table.from_arrays([ids, column(survivors, "num_bytes"), *decided], schema=schemas.VERDICTS)


def _keepers(components: pa.Table, facts: pa.Table, out: np.ndarray, config: DeduplicateConfig) -> np.ndarray:
    """int64[rows]: the row of each row's keeper. The rows ascend by id."""
    group = rows_of(column(components, "component"), column(components, "id"), "component")
    priority = _priorities(column(components, "id"), config)
    num_words = column(facts, "num_words").to_numpy()
    order = np.lexsort((np.arange(len(group)), -num_words, -priority, ~out, group))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = group[order[1:]] != group[order[:-1]]
    first = order[is_first]
    keeper_of_group = np.empty(len(group), np.int64)
    keeper_of_group[group[first]] = first
    return keeper_of_group[group]


def _priorities(ids: pa.Array, config: DeduplicateConfig) -> np.ndarray:
    """int64[rows]: the priority of each document's source."""
    high, _ = document_id.words(ids)
    source = high >> np.uint64(40)  # the 24 bits that lead an id
    priority = np.zeros(len(source), np.int64)
    for name, value in config.source_priority.items():
        priority[source == source_number(name)] = value
    return priority


def _similarities(ids: pa.Array, keeper: np.ndarray, edges: pa.Table) -> np.ndarray:
    """float64[rows]: the similarity on the edge between each row and its keeper, NaN where there is none."""
    rows = np.arange(len(ids))
    wanted = _pair_numbers(np.minimum(rows, keeper), np.maximum(rows, keeper), len(ids))
    low, high = (rows_of(column(edges, end), ids, "component") for end in ("low", "high"))
    known = _pair_numbers(low, high, len(ids))
    order = np.argsort(known)
    known, similarity = known[order], column(edges, "similarity").to_numpy()[order]
    if not known.size:
        return np.full(len(ids), np.nan)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, similarity[place], np.nan)


def _pair_numbers(low: np.ndarray, high: np.ndarray, num_ids: int) -> np.ndarray:
    """uint64: one number for each pair of rows; distinct for up to 2**32 rows."""
    return low.astype(np.uint64) * np.uint64(num_ids) + high.astype(np.uint64)
