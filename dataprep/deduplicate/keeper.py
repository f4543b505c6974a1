"""Which copy stays.

Of each component one document is kept first, by this order:

    1. held out for validation (`dataprep.split`): no copy of it is left in training
    2. the higher `source_priority`
    3. more words
    4. the smaller id

A component hangs together by pairs that are alike, so that its ends may be unlike each other: chains. With `chains:
keep` the members are asked in the same order, and each that is like one that was kept before loses to the first such;
the others stay. Then no two that were found to be alike are kept, and whatever is dropped is like its keeper. With
`chains: drop` all members lose to the first. Documents of equal content stand and fall together.

The reason is `near_duplicate_of_heldout` where the keeper is held out and the loser is not, exact copies among them too
(their value is 1.0): it says why training has no copy at all. Else it is `exact_duplicate` where the content hashes are
equal, and `near_duplicate`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id, schemas
from dataprep.deduplicate.components import COMPONENTS
from dataprep.deduplicate.config import DeduplicateConfig, source_number
from dataprep.deduplicate.edges import edges_of
from dataprep.deduplicate.lookup import rows_of
from dataprep.errors import CorruptDataError
from dataprep.kernels.deferred import kernel
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID
from dataprep.split import SplitConfig, held_out

EXACT = "exact_duplicate"
NEAR = "near_duplicate"
NEAR_HELD_OUT = "near_duplicate_of_heldout"

MEMBERS = pa.schema(
    [
        *COMPONENTS,
        pa.field("num_bytes", pa.int64(), nullable=False),
        pa.field("num_words", pa.int64(), nullable=False),
        pa.field("content_hash", ID, nullable=False),
    ]
)
"""`components.COMPONENTS` with what is known of each document."""

CHAINS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("first", ID, nullable=False),  # the member of its component that was kept first
        pa.field("similarity", pa.float64(), nullable=False),  # to that one: below `min_jaccard`
        pa.field("duplicate_of", ID),  # the document that it lost to; null: kept
    ]
)
"""Members that are far from the first of their component, ascending by id."""


@dataclass(frozen=True)
class Lost:
    """`verdicts`: `schemas.VERDICTS` of every member that is not kept, ascending by id; `chains`: `CHAINS`."""

    verdicts: pa.Table
    chains: pa.Table


def members_of(components: pa.Table, attributes: pa.Table) -> pa.Table:
    """`MEMBERS`: the rows of `components` with their attributes. Raises CorruptDataError where one has none."""
    rows = rows_of(column(components, "id"), column(attributes, "id"), "attributes")
    facts = [column(attributes, name).take(rows).cast(MEMBERS.field(name).type) for name in MEMBERS.names[2:]]
    return pa.Table.from_arrays([*(column(components, name) for name in COMPONENTS.names), *facts], schema=MEMBERS)


def far_pairs(members: pa.Table, edges: pa.Table, split: SplitConfig, config: DeduplicateConfig) -> pa.Table:
    """`edges.EDGES` between each member and the first of its component where nobody compared the two.

    `members` (`MEMBERS`) and `edges` (`edges.VERIFIED_EDGES`) are those of whole components.
    """
    groups = _grouped(members, split, config)
    own = np.flatnonzero((groups.same == np.arange(len(groups.same))) & (groups.first != groups.same))
    unknown = own[np.isnan(_Similarities(groups, [edges]).between(own, groups.first[own]))]
    first = groups.first[unknown]
    return edges_of(groups.ids, np.minimum(unknown, first), np.maximum(unknown, first))


def losers(members: pa.Table, edges: pa.Table, far: pa.Table, split: SplitConfig, config: DeduplicateConfig) -> Lost:
    """Who is not kept of whole components, and which of their members are far from the first.

    `far` holds the pairs of `far_pairs` with their similarity, whatever it is. The value of a verdict is the similarity
    of the loser to its keeper. Raises CorruptDataError where one of those pairs is missing.
    """
    groups = _grouped(members, split, config)
    similarities = _Similarities(groups, [edges, far])
    to_first = similarities.between(groups.same, groups.first)
    if np.isnan(to_first).any():
        unknown = groups.ids[int(np.flatnonzero(np.isnan(to_first))[0])].as_py().hex()
        raise CorruptDataError(f"nobody compared document {unknown} with the first of its component")
    keeper = groups.first if config.chains == "drop" else _kept(groups, similarities, config.min_jaccard)
    loses = np.flatnonzero(keeper != np.arange(len(keeper)))
    value = similarities.between(groups.same, keeper)
    exact = groups.same == groups.same[keeper]
    reason = np.where(groups.out[keeper] & ~groups.out, NEAR_HELD_OUT, np.where(exact, EXACT, NEAR))
    columns = [
        groups.ids.take(loses),
        groups.num_bytes.take(loses),
        pa.array(reason[loses], pa.string()),
        pa.array(value[loses]),
        pa.array(np.full(len(loses), config.min_jaccard)),
        groups.ids.take(keeper[loses]),
    ]
    far_rows = np.flatnonzero(to_first < config.min_jaccard)
    lost_to = pa.array(keeper[far_rows], mask=keeper[far_rows] == far_rows)
    ends = [groups.ids.take(far_rows), groups.ids.take(groups.first[far_rows])]
    chains = pa.Table.from_arrays([*ends, pa.array(to_first[far_rows]), groups.ids.take(lost_to)], schema=CHAINS)
    return Lost(pa.Table.from_arrays(columns, schema=schemas.VERDICTS), chains)


def verdicts(survivors: pa.Table, losers: pa.Table) -> pa.Table:
    """`schemas.VERDICTS` for each row of `survivors` (`id`, `num_bytes`), in its order; `losers` may hold more rows."""
    ids = column(survivors, "id")
    rows = pc.index_in(ids, value_set=column(losers, "id"))
    decided = [column(losers, name).take(rows) for name in ("reason", "value", "threshold", "duplicate_of")]
    return pa.Table.from_arrays([ids, column(survivors, "num_bytes"), *decided], schema=schemas.VERDICTS)


@dataclass(frozen=True)
class _Groups:
    """Members, ascending by id; of each, `place` in the order above (components one after another), whether it is held
    `out`, and the rows of the `first` of its component and of the first with the `same` content in it."""

    ids: pa.Array
    num_bytes: pa.Array
    out: np.ndarray
    place: np.ndarray
    first: np.ndarray
    same: np.ndarray


def _grouped(members: pa.Table, split: SplitConfig, config: DeduplicateConfig) -> _Groups:
    members = members.sort_by("id")
    ids = column(members, "id")
    group = rows_of(column(members, "component"), ids, "component")
    order = keeper_order(ids, column(members, "num_words").to_numpy(), group, split, config)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    content_high, content_low = document_id.words(column(members, "content_hash"))
    by_content = np.lexsort((place, content_low, content_high, group))
    return _Groups(
        ids,
        column(members, "num_bytes"),
        held_out(ids, split),
        place,
        first=first_of(order, group),
        same=first_of(by_content, group, content_high, content_low),
    )


def keeper_order(
    ids: pa.Array, num_words: np.ndarray, group: np.ndarray, split: SplitConfig, config: DeduplicateConfig
) -> np.ndarray:
    """int64[rows]: the rows, which ascend by id, in the order in which they are kept, group by group."""
    out, priority = held_out(ids, split), _priorities(ids, config)
    return np.lexsort((np.arange(len(group)), -num_words, -priority, ~out, group))


def first_of(order: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """int64[rows]: for each row the first in `order`, which keeps equal keys together, with the same keys."""
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = np.logical_or.reduce([key[order[1:]] != key[order[:-1]] for key in keys])
    found = np.empty(len(order), np.int64)
    found[order] = order[is_first][np.cumsum(is_first) - 1]
    return found


def _priorities(ids: pa.Array, config: DeduplicateConfig) -> np.ndarray:
    """int64[rows]: the priority of each document's source."""
    high, _ = document_id.words(ids)
    source = high >> np.uint64(40)  # the 24 bits that lead an id
    priority = np.zeros(len(source), np.int64)
    for name, value in config.source_priority.items():
        priority[source == source_number(name)] = value
    return priority


class _Similarities:
    """What is known of pairs of members: every document stands for all with its content."""

    def __init__(self, groups: _Groups, edges: list[pa.Table]) -> None:
        ends = [
            [groups.same[rows_of(column(table, end), groups.ids, "component")] for table in edges]
            for end in ("low", "high")
        ]
        self.low, self.high = (np.concatenate(rows) for rows in ends)
        self.similarity = np.concatenate([column(table, "similarity").to_numpy() for table in edges])
        pairs = self._numbers(self.low, self.high)
        self._order = np.argsort(pairs, kind="stable")
        self._pairs = pairs[self._order]

    def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """float64[rows]: the similarity of the rows `a[i]` and `b[i]`, both the first of their content; NaN where
        nobody compared them."""
        wanted = self._numbers(a, b)
        found = np.where(a == b, 1.0, np.nan)
        if len(self._pairs):
            place = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
            known = (self._pairs[place] == wanted) & (a != b)
            found[known] = self.similarity[self._order[place[known]]]
        return found

    def _numbers(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """uint64: one number for each pair of rows, whichever comes first."""
        return (np.minimum(a, b).astype(np.uint64) << np.uint64(32)) | np.maximum(a, b).astype(np.uint64)


def _kept(groups: _Groups, similarities: _Similarities, min_jaccard: float) -> np.ndarray:
    """int64[rows]: the row that each row loses to, itself where it is kept."""
    alike = similarities.similarity >= min_jaccard
    places = groups.place[similarities.low[alike]], groups.place[similarities.high[alike]]
    earlier, later = np.minimum(*places), np.maximum(*places)
    order = np.lexsort((earlier, later))
    keeper = np.arange(len(groups.place))  # by place
    _ask_in_turn(earlier[order], later[order], keeper)
    row_at = np.argsort(groups.place)
    return row_at[keeper[groups.place[groups.same]]]


@kernel
def _ask_in_turn(earlier, later, keeper):
    """The pairs ascend by (later, earlier): when a place is asked, those before it have been."""
    for pair in range(len(later)):
        a, b = earlier[pair], later[pair]
        if a != b and keeper[a] == a and keeper[b] == b:
            keeper[b] = a
