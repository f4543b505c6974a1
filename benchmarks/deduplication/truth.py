"""How right Seedbed's deduplication is, held against the exact similarity of all pairs.

recall      share of the pairs at or above the threshold that are compared, and that end with one copy at most
precision   share of dropped documents that are as similar to their keeper as the threshold asks
S-curve     share of the pairs of each 0.05 of similarity that share a band, against 1 - (1 - s^rows)^bands. Pairs of
            one template stand or fall together: how far a share may be off is measured over independent permutations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.deduplication.exact_pairs import Pairs, exact_pairs, sets_of
from benchmarks.deduplication.in_memory import Deduplicated, deduplicate, row_numbers
from benchmarks.deduplication.texts import BATCH_BYTES
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.jaccard import jaccard
from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import find_words

WIDTH = 0.05
LEAST = 0.5  # of similarity that pairs are looked for from


@dataclass(frozen=True)
class Scores:
    """`recall_*` over pairs, `precision` over dropped documents; counts of what they are shares of."""

    true_pairs: int
    recall_compared: float
    recall_one_copy: float
    dropped: int
    precision: float
    candidates: int


@dataclass(frozen=True)
class Bin:
    """Pairs of one step of similarity: the share that shares a band, on average over permutations, what theory says,
    and how far one set of permutations lies from the average (standard deviation; at least that of single pairs)."""

    least: float
    pairs: int
    measured: float
    expected: float
    spread: float

    @property
    def deviations(self) -> float:
        return abs(self.measured - self.expected) / self.spread


def scores(text: pa.LargeStringArray, truth: Pairs, minhash: MinHashConfig, config: DeduplicateConfig) -> Scores:
    found = deduplicate(text, minhash, config)
    true = truth.similarity >= config.min_jaccard
    low, high = truth.low[true], truth.high[true]
    compared = np.isin(_numbers(low, high, len(text)), _numbers(*_ends(found), len(text)))
    dropped = row_numbers(found.losers["id"])
    keepers = row_numbers(found.losers["duplicate_of"])
    is_kept = np.ones(len(text), np.bool_)
    is_kept[dropped] = False
    sets = sets_of(text, minhash.ngram_words)
    similar = jaccard(sets, dropped, sets, keepers) >= config.min_jaccard
    return Scores(
        true_pairs=len(low),
        recall_compared=float(compared.mean()),
        recall_one_copy=float((~(is_kept[low] & is_kept[high])).mean()),
        dropped=len(dropped),
        precision=float(similar.mean()),
        candidates=found.candidates.num_rows,
    )


def s_curve(text: pa.LargeStringArray, truth: Pairs, minhash: MinHashConfig, seeds: Sequence[int]) -> list[Bin]:
    """The bins from LEAST on. Equal documents are left out: no permutation tells them apart."""
    unequal = truth.similarity < 1
    low, high, similarity = truth.low[unequal], truth.high[unequal], truth.similarity[unequal]
    rows, ends = np.unique(np.concatenate([low, high]), return_inverse=True)
    low, high = ends[: len(low)], ends[len(low) :]
    text = text.take(pa.array(rows))
    # 1e-9: 0.85 / 0.05 is 16.999...
    bins = ((similarity + 1e-9) / WIDTH).astype(np.int64)
    numbers = np.unique(bins)
    shares = np.empty((len(seeds), len(numbers)))
    for row, seed in enumerate(seeds):
        bands = _bands(text, minhash.model_copy(update={"seed": seed}))
        meets = np.zeros(len(low), np.bool_)
        for band in range(minhash.num_bands):
            meets |= bands[low, band] == bands[high, band]
        shares[row] = [meets[bins == number].mean() for number in numbers]
    expected = 1 - (1 - similarity**minhash.rows_per_band) ** minhash.num_bands
    spread = shares.std(axis=0, ddof=1)

    def one(i: int, number: int) -> Bin:
        inside = bins == number
        share = float(expected[inside].mean())
        of_pairs = np.sqrt((expected[inside] * (1 - expected[inside])).sum()) / inside.sum()
        least = round(float(number) * WIDTH, 2)
        return Bin(least, int(inside.sum()), float(shares[:, i].mean()), share, max(float(spread[i]), float(of_pairs)))

    return [one(i, number) for i, number in enumerate(numbers)]


def labelled_f1(
    names: Sequence[str],
    text: pa.LargeStringArray,
    labelled: set[tuple[str, str]],
    minhash: MinHashConfig,
    min_jaccard: float,
) -> tuple[float, list[tuple[str, str]], list[tuple[str, str]]]:
    """F1 of the verified pairs against the labelled ones; those missed, and those found that have no label."""
    verified = deduplicate(text, minhash, DeduplicateConfig(min_jaccard=min_jaccard)).verified
    ends = [[names[row] for row in row_numbers(verified[end])] for end in ("low", "high")]
    found = {(min(pair), max(pair)) for pair in zip(*ends, strict=True)}
    right = len(found & labelled)
    return 2 * right / (len(found) + len(labelled)), sorted(labelled - found), sorted(found - labelled)


def all_pairs(text: pa.LargeStringArray, minhash: MinHashConfig) -> Pairs:
    return exact_pairs(sets_of(text, minhash.ngram_words), LEAST)


def _bands(text: pa.LargeStringArray, config: MinHashConfig) -> np.ndarray:
    parts = []
    for start, stop in batches(text, BATCH_BYTES):
        words = find_words(text.slice(start, stop - start))
        parts.append(band_hashes(minhash_signatures(words, config), config))
    return np.concatenate(parts)


def _ends(found: Deduplicated) -> tuple[np.ndarray, np.ndarray]:
    return row_numbers(found.candidates["low"]), row_numbers(found.candidates["high"])


def _numbers(low: np.ndarray, high: np.ndarray, num_rows: int) -> np.ndarray:
    return low * num_rows + high
