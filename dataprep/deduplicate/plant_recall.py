"""How many plants were found, and whether what was found is right: held against similarities that are counted anew.

The similarity that judges is counted here with Python's sets of tuples of words: beside the definition of a word it
shares nothing with MinHash and verification, no hash, no shingle and no kernel that compares them.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dataprep.deduplicate.edges import EDGES
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.plants import MEETINGS, PLANTS
from dataprep.deduplicate.verify import verify
from dataprep.kernels.text_buffers import column
from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.word_spans import word_spans
from dataprep.schemas import ID

PLANT_RESULTS = pa.schema(
    [
        pa.field("original", ID, nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),  # to its original, counted here
        pa.field("is_compared", pa.bool_(), nullable=False),  # with its original
        pa.field("is_found", pa.bool_(), nullable=False),  # verified as a copy of its original
        pa.field("num_verified", pa.int64(), nullable=False),  # its pairs, with any document, that were held for copies
        pa.field("num_checked", pa.int64(), nullable=False),  # of these, those whose similarity was counted here
        pa.field("num_right", pa.int64(), nullable=False),  # of those checked, those at the threshold or above
    ]
)
"""What became of each plant, ascending by original."""

VERIFIED_MEETINGS = MEETINGS.append(pa.field("counted_similarity", pa.float64()))
"""Pairs of a plant and a document that verification holds for copies; the similarity is null where it was not counted
here."""

MAX_CHECKED = 16
"""Pairs of one plant whose similarity is counted, those with the smallest ids: a page of a template may have hundreds,
which Python's sets would take minutes for."""

BIN_WIDTH = 0.05
MAX_MISSED = 10
"""Plants that were not found, to be named."""


@dataclass(frozen=True)
class Bin:
    """Plants from `least` to below `most` of similarity (1.0 is in the last bin): how many were compared with
    their originals, how many the curve of the bands expects, and how far chance takes that (standard deviation), both
    in plants."""

    least: float
    most: float
    plants: int
    compared: int
    expected: float
    spread: float


def ngrams(text: str, ngram_words: int) -> set[tuple[str, ...]]:
    """The word n-grams in lower case; of a text with fewer words, all of them as one."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    lowered = unicode_classes().lower[codes].tobytes().decode("utf-32-le")
    spans = word_spans(pa.array([lowered], pa.large_string()))
    data = spans.data.tobytes()
    words = [data[start:end].decode() for start, end in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)]
    size = min(ngram_words, len(words))
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)} if words else set()


def counted_similarity(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    """The Jaccard similarity of two sets; 0.0 of two empty ones."""
    return len(one & other) / len(one | other) if one or other else 0.0


def verified_meetings(
    meetings: pa.Table, plants: pa.Table, facts: pa.Table, texts: pa.Table, ngram_words: int, min_jaccard: float
) -> pa.Table:
    """`VERIFIED_MEETINGS` of a slice of `plants.MEETINGS`, verified as candidates are; then counted.

    `facts` hold `id` and `content_hash`, `texts` `id` and surviving `text` of every document in them.
    """
    edges = pa.Table.from_arrays([column(meetings, "id"), column(meetings, "document")], schema=EDGES)
    hashes, all_texts = _with_plants(facts, plants, "content_hash"), _with_plants(texts, plants, "text")
    found = verify(edges, hashes, all_texts, ngram_words, min_jaccard).edges
    plant, document = column(found, "low"), column(found, "high")
    of_plant, seen = {}, dict[bytes, int]()
    rows = rows_of(document, column(texts, "id"), "text")
    text_of_plant = dict(zip(plants["id"].to_pylist(), plants["text"].to_pylist(), strict=True))
    counted: list[float | None] = []
    for one, row in zip(plant.to_pylist(), rows.tolist(), strict=True):
        seen[one] = seen.get(one, 0) + 1
        if seen[one] > MAX_CHECKED:
            counted.append(None)
            continue
        if one not in of_plant:
            of_plant[one] = ngrams(text_of_plant[one], ngram_words)
        counted.append(counted_similarity(of_plant[one], ngrams(texts["text"][row].as_py(), ngram_words)))
    columns = [plant, document, pa.array(counted, pa.float64())]
    return pa.Table.from_arrays(columns, schema=VERIFIED_MEETINGS)


def _with_plants(documents: pa.Table, plants: pa.Table, name: str) -> pa.Table:
    """`id` and the column `name` of both."""
    schema = pa.schema([PLANTS.field("id"), PLANTS.field(name)])
    return pa.concat_tables([table.select(schema.names).cast(schema) for table in (documents, plants)])


def plant_results(
    plants: pa.Table, originals: pa.Table, meetings: pa.Table, verified: pa.Table, ngram_words: int, min_jaccard: float
) -> pa.Table:
    """`PLANT_RESULTS` of `plants.PLANTS`; `originals` hold `id` and surviving `text`, `meetings` are all pairs
    that were proposed, `verified` those of them that were held for copies."""
    text_of = dict(zip(originals["id"].to_pylist(), originals["text"].to_pylist(), strict=True))
    compared, held = (
        set(zip(t["id"].to_pylist(), t["document"].to_pylist(), strict=True)) for t in (meetings, verified)
    )
    of_plant: dict[bytes, list[float | None]] = {}
    for one, similarity in zip(verified["id"].to_pylist(), verified["counted_similarity"].to_pylist(), strict=True):
        of_plant.setdefault(one, []).append(similarity)
    rows = []
    for row in plants.to_pylist():
        pair, pairs = (row["id"], row["original"]), of_plant.get(row["id"], [])
        checked = [similarity for similarity in pairs if similarity is not None]
        own = (ngrams(text, ngram_words) for text in (row["text"], text_of[row["original"]]))
        rows.append(
            {
                "original": row["original"],
                "similarity": counted_similarity(*own),
                "is_compared": pair in compared,
                "is_found": pair in held,
                "num_verified": len(pairs),
                "num_checked": len(checked),
                "num_right": sum(similarity >= min_jaccard for similarity in checked),
            }
        )
    return pa.Table.from_pylist(rows, PLANT_RESULTS)


def expected_share(similarity: np.ndarray, num_bands: int, rows_per_band: int) -> np.ndarray:
    """float64: how likely pairs of such similarity are to share a band (Leskovec et al. 2014, section 3.4.2)."""
    return np.asarray(1 - (1 - similarity**rows_per_band) ** num_bands)


def measured(results: pa.Table, min_jaccard: float, num_bands: int, rows_per_band: int) -> dict[str, Any]:
    """What `PLANT_RESULTS` say, for the manifest.

    `planted`; `at_or_above` the threshold, how many of these were `found`, `recall` and, by the curve of the bands,
    `expected_recall` with its `spread` (one standard deviation); of the pairs that were verified, `checked_pairs` and
    `right_pairs`, and `precision`; `bins`; ids (hex) and similarities of some that were `missed`. Null where there is
    nothing to take a share of.
    """
    similarity = column(results, "similarity").to_numpy()
    is_found = column(results, "is_found").to_numpy(zero_copy_only=False)
    likely = expected_share(similarity, num_bands, rows_per_band)
    above = similarity >= min_jaccard
    number, found = int(above.sum()), int((above & is_found).sum())
    checked, right = (sum(results[name].to_pylist()) for name in ("num_checked", "num_right"))
    missed = results.filter(pa.array(above & ~is_found)).sort_by(
        [("similarity", "descending"), ("original", "ascending")]
    )
    return {
        "planted": results.num_rows,
        "min_jaccard": min_jaccard,
        "at_or_above": number,
        "found": found,
        "recall": found / number if number else None,
        "expected_recall": float(likely[above].mean()) if number else None,
        "spread": _spread(likely[above]) / number if number else None,
        "verified_pairs": sum(results["num_verified"].to_pylist()),
        "checked_pairs": checked,
        "right_pairs": right,
        "precision": right / checked if checked else None,
        "bins": [asdict(one) for one in _bins(results, similarity, likely)],
        "missed": [
            {"original": row["original"].hex(), "similarity": row["similarity"], "is_compared": row["is_compared"]}
            for row in missed.slice(0, MAX_MISSED).to_pylist()
        ],
    }


def _spread(likely: np.ndarray) -> float:
    """How far chance takes the number of those that meet, each with its likelihood (standard deviation)."""
    return math.sqrt(float((likely * (1 - likely)).sum()))


def _bins(results: pa.Table, similarity: np.ndarray, likely: np.ndarray) -> list[Bin]:
    numbers = np.minimum(((similarity + 1e-9) / BIN_WIDTH).astype(np.int64), round(1 / BIN_WIDTH) - 1)  # 1.0: the last
    is_compared = column(results, "is_compared").to_numpy(zero_copy_only=False)
    bins = []
    for number in np.unique(numbers).tolist():
        inside = numbers == number
        compared, expected = int(is_compared[inside].sum()), float(likely[inside].sum())
        least, most = (round(end * BIN_WIDTH, 2) for end in (number, number + 1))
        bins.append(Bin(least, most, int(inside.sum()), compared, expected, _spread(likely[inside])))
    return bins


def too_few_found(told: dict[str, Any], min_recall: float) -> str | None:
    """What is wrong where fewer plants were found than `min_recall` of them, by more than two standard deviations."""
    number, found = told["at_or_above"], told["found"]
    by_chance = 2 * math.sqrt(number * min_recall * (1 - min_recall))
    if found >= number * min_recall - by_chance:
        return None
    return (
        f"deduplicate: of {number:,} planted copies at {told['min_jaccard']:g} and above, {found:,} were found, "
        f"{found / number:.1%}; data.deduplicate.plants.min_recall asks for {min_recall:.1%}, and the bands of "
        f"data.annotate.minhash should find {told['expected_recall']:.1%}: more bands of fewer rows find more; with "
        "min_recall 0 the run goes on, and its manifest shows some that were missed"
    )
