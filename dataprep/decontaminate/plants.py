"""Plants: passages of evaluation items in copies of some documents, that tell how many of them a scan finds.

    survivors, evaluation texts --planted--> copies with a passage, as it is or with words changed
        --scan, commonness and `matched`, as of documents--> `counts_of`

The copies are scanned beside the documents and never counted with them: what is common is decided without them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from dataprep import document_id
from dataprep.decontaminate.config import PassagePlantsConfig
from dataprep.decontaminate.index import EvaluationIndex
from dataprep.kernels.text_buffers import column
from dataprep.kernels.word_spans import word_spans
from dataprep.schemas import ID

PLANTS = pa.schema(
    [
        pa.field("id", ID, nullable=False),  # of the document that was copied: the copy goes by its name
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("is_edited", pa.bool_(), nullable=False),
    ]
)
"""The plants of a shard, ascending by id."""

CHANGED_SHARE = 0.1
"""Of the words of an edited passage, at least one: the light edit of benchmarks/decontamination."""

AROUND_WORDS = 400
"""Of a document, how much of it stands around a passage, before and behind together; a scan sees no further."""

VERBATIM, EDITED = KINDS = ("verbatim", "edited")
PLANTED, FOUND = "planted_passages/", "found_passages/"

_CHOICE_STREAM, _EDIT_STREAM = 0x91B0, 0x91B1  # keep these apart from other uses of a seed


def is_host(ids: pa.Array, config: PassagePlantsConfig, num_documents: int) -> np.ndarray:
    """bool[rows]: whether a passage is planted in a copy of a document, by its id and the number of all documents."""
    if config.number == 0 or num_documents == 0:
        return np.zeros(len(ids), np.bool_)
    if config.number >= num_documents:
        return np.ones(len(ids), np.bool_)
    limit = np.uint64(config.number * 2**64 // num_documents)
    return np.asarray(document_id.mix(ids, _CHOICE_STREAM + config.seed) < limit)


def planted(hosts: pa.Table, texts: pa.Table, index: EvaluationIndex, ngram_words: int, seed: int) -> pa.Table:
    """`PLANTS` in these documents (`id`, ascending, and `text`); none where no evaluation text is long enough.

    `texts` are `index.TEXTS`; passages are whole texts of `ngram_words` words and more that are checked. Each set has
    its turn, however large it is.
    """
    is_long = (column(texts, "num_words").to_numpy() >= ngram_words) & (column(texts, "num_ngrams").to_numpy() > 0)
    set_of_text = column(texts, "set").to_numpy(zero_copy_only=False)
    of_sets = [np.flatnonzero(is_long & (set_of_text == name)) for name in np.unique(set_of_text)]
    rows_of_set = [rows for rows in of_sets if len(rows)]
    if not rows_of_set or not hosts.num_rows:
        return PLANTS.empty_table()
    names, planted_rows = {key: column(texts, key) for key in ("set", "item", "field")}, []
    ids = column(hosts, "id")
    drawn = document_id.mix(ids, _EDIT_STREAM + seed).tolist()
    for one, text, number in zip(ids.to_pylist(), hosts["text"].to_pylist(), drawn, strict=True):
        draw = np.random.RandomState(number >> 32)  # frozen by NumPy (NEP 19)
        rows = rows_of_set[draw.randint(len(rows_of_set))]
        row = int(rows[draw.randint(len(rows))])
        is_edited = bool(draw.randint(2))
        passage = _passage(index, row)
        whole = _set_into(text, _changed(passage, draw) if is_edited else passage, draw)
        told = {key: values[row].as_py() for key, values in names.items()}
        planted_rows.append({"id": one, "text": whole, "is_edited": is_edited, **told})
    return pa.Table.from_pylist(planted_rows, PLANTS)


def _passage(index: EvaluationIndex, row: int) -> str:
    """An evaluation text from its first word to its last, with all that stands between."""
    first, stop = index.text_offsets[row], index.text_offsets[row + 1]
    return bytes(index.data[index.starts[first] : index.ends[stop - 1]]).decode()


def _changed(passage: str, draw: np.random.RandomState) -> str:
    """The passage with `CHANGED_SHARE` of its words replaced by others, between blanks: in scripts without spaces they
    would run together."""
    spans = word_spans(pa.array([passage], pa.large_string()))
    num_words = len(spans.starts)
    places = draw.choice(num_words, max(round(num_words * CHANGED_SHARE), 1), replace=False)
    data, pieces, done = spans.data.tobytes(), list[bytes](), 0
    for place in sorted(places.tolist()):
        pieces += [data[done : spans.starts[place]], b" zq%08x " % int(draw.randint(0, 1 << 32, dtype=np.uint32))]
        done = int(spans.ends[place])
    return (b"".join(pieces) + data[done:]).decode()


def _set_into(text: str, passage: str, draw: np.random.RandomState) -> str:
    """A passage between two words of a text, on lines of its own, with as much of the text as a scan can see."""
    spans = word_spans(pa.array([text], pa.large_string()))
    num_words = len(spans.starts)
    if num_words == 0:
        return passage
    place = int(draw.randint(num_words))
    first, last = max(place - AROUND_WORDS // 2, 0), min(place + AROUND_WORDS // 2, num_words) - 1
    data = spans.data.tobytes()
    before = data[spans.starts[first] : spans.starts[place]].decode()
    return f"{before}\n{passage}\n{data[spans.starts[place] : spans.ends[last]].decode()}"


def counts_of(plants: pa.Table, matches: pa.Table) -> dict[str, int]:
    """By `PLANTED` or `FOUND`, set and kind: how many were planted, and of how many this very text was found in the
    copy (`matches` are `decide.MATCHES`). Counts that can be added up."""
    keys = ("set", "item", "field")
    found = {(row["document"], *(row[key] for key in keys)) for row in matches.to_pylist()}
    counts: Counter[str] = Counter()
    for row in plants.to_pylist():
        of = f"{row['set']}/{EDITED if row['is_edited'] else VERBATIM}"
        counts[PLANTED + of] += 1
        counts[FOUND + of] += (row["id"], *(row[key] for key in keys)) in found
    return dict(counts)


def measured(counts: Mapping[str, int]) -> dict[str, Any]:
    """`counts_of` of all shards for the manifest: of `all` sets and of each, how many were `planted` and `found`,
    `verbatim` and `edited`."""
    sets = sorted({name.split("/")[1] for name in counts if name.startswith(PLANTED)})
    of_sets = {name: {kind: _of(counts, [name], kind) for kind in KINDS} for name in sets}
    return {"all": {kind: _of(counts, sets, kind) for kind in KINDS}, "sets": of_sets}


def _of(counts: Mapping[str, int], sets: list[str], kind: str) -> dict[str, int]:
    said = {"planted": PLANTED, "found": FOUND}
    return {key: sum(counts.get(f"{lead}{name}/{kind}", 0) for name in sets) for key, lead in said.items()}
