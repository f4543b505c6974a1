"""Edits of texts: spans that are cut, each with what stands in its place, and how one list follows another.

text --first--> text --second--> text        is        text --then(first, second)--> text
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.text_buffers import column, list_buffers, text_buffers, text_from_buffers


@dataclass(frozen=True)
class Edits:
    """The edits of a batch of texts.

    Those of text i are [offsets[i], offsets[i + 1]) of the other arrays, ascending and disjoint: `starts` and `ends`
    int64, a half-open range of the text's bytes; `rules` int8, index into `edit_rules.RULES`. In the place of edit j
    stand the bytes [added_offsets[j], added_offsets[j + 1]) of `added`, mostly none.
    """

    offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    rules: np.ndarray
    added_offsets: np.ndarray
    added: np.ndarray

    @property
    def is_empty(self) -> bool:
        return len(self.starts) == 0

    def num_added_bytes(self) -> np.ndarray:
        """int64[texts]."""
        return np.diff(self.added_offsets[self.offsets])

    def num_cut_bytes(self) -> np.ndarray:
        """int64[texts]."""
        cut_before = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.ends - self.starts)))
        return np.diff(cut_before[self.offsets])

    def arrays(self) -> tuple[np.ndarray, ...]:
        """As kernels take them."""
        parts = (self.offsets, self.starts, self.ends, self.rules, self.added_offsets, self.added)
        return tuple(read_only(part) for part in parts)


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written: numba takes writable arrays for another type and would compile twice."""
    view = array.view()
    view.flags.writeable = False
    return view


def cuts(offsets: np.ndarray, starts: np.ndarray, ends: np.ndarray, rules: np.ndarray) -> Edits:
    """Edits that put nothing in the place of what they cut."""
    return Edits(offsets, starts, ends, rules, np.zeros(len(starts) + 1, np.int64), np.empty(0, np.uint8))


def joined(parts: list[Edits]) -> Edits:
    """The edits of batches of texts that follow each other, as those of one batch."""
    if len(parts) == 1:
        return parts[0]
    return Edits(
        _joined_offsets([part.offsets for part in parts]),
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.rules for part in parts]),
        _joined_offsets([part.added_offsets for part in parts]),
        np.concatenate([part.added for part in parts]),
    )


def spread(edits: Edits, rows: np.ndarray, num_texts: int) -> Edits:
    """The edits of the texts `rows` (int64, ascending) of a batch, as those of the batch."""
    counts = np.zeros(num_texts, np.int64)
    counts[rows] = np.diff(edits.offsets)
    return replace(edits, offsets=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))))


def _joined_offsets(parts: list[np.ndarray]) -> np.ndarray:
    lengths = np.concatenate([np.diff(part) for part in parts])
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))


def to_columns(edits: Edits) -> dict[str, pa.Array]:
    """The columns of `schemas.EDITS` that hold the spans and what stands in their place."""
    list_offsets = pa.array(edits.offsets).cast(pa.int32())  # raises where a shard has 2^31 edits or more
    values = {
        "cut_starts": edits.starts,
        "cut_ends": edits.ends,
        "cut_rules": edits.rules,
        "added_lengths": np.diff(edits.added_offsets).astype(np.int32),
    }
    lists = {name: pa.ListArray.from_arrays(list_offsets, pa.array(value)) for name, value in values.items()}
    added_text = text_from_buffers(edits.added, edits.added_offsets[edits.offsets])
    sums = {"num_cut_bytes": pa.array(edits.num_cut_bytes()), "num_added_bytes": pa.array(edits.num_added_bytes())}
    return {**sums, **lists, "added_text": added_text}


def from_table(table: pa.Table) -> Edits:
    """The edits in a table of `schemas.EDITS`, sliced or not. Takes the table for sound: `surviving_text` looks."""
    starts, list_offsets = list_buffers(column(table, "cut_starts"))
    first, last = int(list_offsets[0]), int(list_offsets[-1])
    offsets = list_offsets.astype(np.int64) - first
    values = [starts[first:last]]
    for name in ("cut_ends", "cut_rules", "added_lengths"):
        value, own_offsets = list_buffers(column(table, name))
        values.append(value[own_offsets[0] : own_offsets[-1]])
    starts, ends, rules, lengths = values
    added, text_offsets = text_buffers(column(table, "added_text"))
    added_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))
    return Edits(offsets, starts, ends, rules, added_offsets, added[text_offsets[0] : text_offsets[-1]])


class Room:
    """Memory for one batch of texts after another: new memory costs more than what is written into it."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def take(self, size: int) -> np.ndarray:
        """uint8[size]; what was taken before is written over."""
        if len(self._bytes) < size:
            self._bytes = np.empty(size, np.uint8)
        return self._bytes[:size]


def apply(text: pa.LargeStringArray, edits: Edits, room: Room | None = None) -> pa.LargeStringArray:
    """The texts after their edits, which must fit them; the same array where there are none. They stand in `room`, if
    there is one: not the one that `text` stands in."""
    if edits.is_empty:
        return text
    data, offsets = text_buffers(text)
    lengths = np.diff(offsets) - edits.num_cut_bytes() + edits.num_added_bytes()
    out_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    size = int(out_offsets[-1])
    out = np.empty(size, np.uint8) if room is None else room.take(size)
    _apply(data, offsets, edits.arrays(), out)
    return text_from_buffers(out, out_offsets)


@kernel
def _apply(data, offsets, edits, out):
    """Writes the texts after their edits one after another. What is added is short: copying a slice would cost more."""
    edit_offsets, starts, ends, _, added_offsets, added = edits
    written = 0
    for document in range(len(offsets) - 1):
        first = offsets[document]
        position = first
        for i in range(edit_offsets[document], edit_offsets[document + 1]):
            size = first + starts[i] - position
            out[written : written + size] = data[position : position + size]
            written += size
            for j in range(added_offsets[i], added_offsets[i + 1]):
                out[written] = added[j]
                written += 1
            position = first + ends[i]
        size = offsets[document + 1] - position
        out[written : written + size] = data[position : position + size]
        written += size


def then(first: Edits, second: Edits) -> Edits:
    """The edits that do at once what `first` does and then `second` to what `first` leaves.

    An edit of `second` that reaches into the place of one of `first`, or around it, makes one of both, under its own
    rule; those that only touch stay apart.
    """
    if first.is_empty or second.is_empty:
        return second if first.is_empty else first
    most = len(first.starts) + len(second.starts)
    offsets = np.empty_like(first.offsets)
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    rules = np.empty(most, np.int8)
    added_offsets = np.empty(most + 1, np.int64)
    added = np.empty(len(first.added) + len(second.added), np.uint8)
    _then(first.arrays(), second.arrays(), offsets, starts, ends, rules, added_offsets, added)
    n = offsets[-1]
    return Edits(offsets, starts[:n], ends[:n], rules[:n], added_offsets[: n + 1], added[: added_offsets[n]])


@kernel
def _then(first, second, offsets, starts, ends, rules, added_offsets, added):
    """Places with a 1 count bytes of the text between the two; `shift` is by how much they are beyond the text's own
    before edit i."""
    offsets_1, starts_1, ends_1, rules_1, added_offsets_1, added_1 = first
    offsets_2, starts_2, ends_2, rules_2, added_offsets_2, added_2 = second
    count, written = 0, np.int64(0)
    offsets[0] = 0
    added_offsets[0] = 0
    for document in range(len(offsets) - 1):
        i, stop_i = offsets_1[document], offsets_1[document + 1]
        k, stop_k = offsets_2[document], offsets_2[document + 1]
        shift = np.int64(0)
        while i < stop_i or k < stop_k:
            place = starts_1[i] + shift if i < stop_i else 0
            length = added_offsets_1[i + 1] - added_offsets_1[i] if i < stop_i else 0
            if i < stop_i and (k == stop_k or place + length <= starts_2[k]):
                starts[count], ends[count], rules[count] = starts_1[i], ends_1[i], rules_1[i]
                written = _append(added_1, added_offsets_1[i], added_offsets_1[i + 1], added, written)
                shift += length - (ends_1[i] - starts_1[i])
                i += 1
            elif i == stop_i or ends_2[k] <= place:
                starts[count], ends[count], rules[count] = starts_2[k] - shift, ends_2[k] - shift, rules_2[k]
                written = _append(added_2, added_offsets_2[k], added_offsets_2[k + 1], added, written)
                k += 1
            else:
                starts[count], rules[count] = min(starts_1[i], starts_2[k] - shift), rules_2[k]
                i, k, shift, ends[count], written = _merge(first, second, i, stop_i, k, stop_k, shift, added, written)
            count += 1
            added_offsets[count] = written
        offsets[document + 1] = count


@kernel
def _merge(first, second, i, stop_i, k, stop_k, shift, added, written):
    """Edit k of `second` overlaps the place of edit i of `first`: takes all that hangs together.

    Returns the next i, k and shift, where the merged edit ends in the text itself, and the bytes written.
    """
    _, starts_1, ends_1, _, added_offsets_1, added_1 = first
    _, starts_2, ends_2, _, added_offsets_2, added_2 = second
    place = starts_1[i] + shift
    if place < starts_2[k]:
        written = _append(added_1, added_offsets_1[i], added_offsets_1[i] + starts_2[k] - place, added, written)
    written = _append(added_2, added_offsets_2[k], added_offsets_2[k + 1], added, written)
    reach = ends_2[k]
    k += 1
    while i < stop_i and starts_1[i] + shift < reach:
        place = starts_1[i] + shift
        length = added_offsets_1[i + 1] - added_offsets_1[i]
        if place + length > reach:
            rest = added_offsets_1[i] + reach - place
            if k < stop_k and starts_2[k] < place + length:  # the next edit reaches into this place as well
                written = _append(added_1, rest, rest + starts_2[k] - reach, added, written)
                written = _append(added_2, added_offsets_2[k], added_offsets_2[k + 1], added, written)
                reach = ends_2[k]
                k += 1
                continue
            written = _append(added_1, rest, added_offsets_1[i + 1], added, written)
            reach = place + length
        shift += length - (ends_1[i] - starts_1[i])
        i += 1
    return i, k, shift, reach - shift, written


@kernel
def _append(source, start, stop, target, written):
    for j in range(start, stop):
        target[written] = source[j]
        written += 1
    return written
