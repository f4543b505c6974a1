"""MinHash signatures and the band hashes that near-duplicates are looked up by.

Broder 1997; the permutations are datasketch 2's `affine32`: the 32-bit shingle hash h goes once through MurmurHash3's
finalizer, then permutation k is a[k] * h + b[k] modulo 2^32 with a[k] odd, and the signature keeps its minimum.
"""

import functools
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.kernels.bands import optimal_bands
from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_5, avalanche, finalize_32, mix_in
from dataprep.kernels.shingles import write_shingles
from dataprep.kernels.words import Words

EMPTY = np.uint32(0xFFFFFFFF)
"""Every value in the signature of a document without words: what datasketch starts from, too."""

_LANES = 16
"""Permutations that a vector holds (AVX-512); their number is rounded up to it, or those left over go one by one."""

_UNROLL = 8  # shingles taken together, so that a, b and the minima are read from memory once for all of them; measured


class BandsConfig(BaseModel):
    """Bands and rows chosen for a threshold, with the least weighted error (datasketch's rule)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    threshold: float = Field(gt=0, le=1, description="similarity from which documents should be candidates")
    num_permutations: int = Field(default=112, ge=1, le=512, description="at most so many minima for all bands")
    false_negative_weight: float = Field(
        default=0.9, gt=0, lt=1, description="what a missed pair counts; a pair compared in vain counts the rest to 1"
    )


class MinHashConfig(BaseModel):
    """How near-duplicates are sketched: word 5-grams as in FineWeb (Penedo et al. 2024), but 18 bands x 6 rows, of
    which 0.996 of the pairs of similarity 0.8 share one (of its 14 x 8: 0.924)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bands_for: BandsConfig | None = Field(
        default=None, description="chooses `num_bands` and `rows_per_band`, which are then left out"
    )
    num_bands: int = Field(default=18, ge=1, le=1000, description="bands; two documents that share one are candidates")
    rows_per_band: int = Field(default=6, ge=1, le=100, description="minima that must all agree in a band")
    ngram_words: int = Field(default=5, ge=1, le=100, description="words in a shingle")
    seed: int = Field(default=1, ge=0, lt=2**32, description="of the random permutations, as datasketch takes it")

    @model_validator(mode="before")
    @classmethod
    def _choose_bands(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("bands_for") is None:
            return given
        chosen = BandsConfig.model_validate(given["bands_for"])
        names = ("num_bands", "rows_per_band")
        values = optimal_bands(chosen.threshold, chosen.num_permutations, chosen.false_negative_weight)
        # A config that was filled in holds both.
        for name, value in zip(names, values, strict=True):
            if given.get(name, value) != value:
                raise ValueError(
                    f"{name}: {given[name]} is given, but bands_for chooses {value}: leave one of them out"
                )
        return given | dict(zip(names, values, strict=True))

    @property
    def num_permutations(self) -> int:
        return self.num_bands * self.rows_per_band


def minhash_signatures(words: Words, config: MinHashConfig) -> np.ndarray:
    """The signature of each document: uint32[documents, permutations].

    Equal to datasketch's `affine32` for the low 32 bits of the hashes of `find_shingles`, which are written here a
    document at a time, to memory that stays in the processor's cache. A document without words has
    the signature of all `EMPTY`.
    """
    longest = int(np.diff(words.offsets).max(initial=0))
    missing = -config.num_permutations % _LANES
    multipliers, addends = (
        np.pad(array, (0, missing)) for array in _permutations(config.num_permutations, config.seed)
    )
    signatures = np.full((words.num_documents, len(multipliers)), EMPTY, np.uint32)
    hashes = np.empty(longest, np.uint64)
    _take_minima(words.offsets, words.hashes, config.ngram_words, multipliers, addends, hashes, signatures)
    return np.ascontiguousarray(signatures[:, : config.num_permutations])


def band_hashes(signatures: np.ndarray, config: MinHashConfig) -> np.ndarray:
    """One hash of the minima in each band: uint64[documents, bands]. Equal rows in two bands hash differently.

    Documents without words all have the same ones: callers leave those out, or each would be a candidate of every
    other.
    """
    expected = (len(signatures), config.num_permutations)
    if signatures.shape != expected:
        raise ValueError(
            f"signatures have shape {signatures.shape}; {config.num_bands} bands x {config.rows_per_band} rows "
            f"want {expected}"
        )
    bands = np.empty((len(signatures), config.num_bands), np.uint64)
    _hash_bands(signatures, config.rows_per_band, bands)
    return bands


@functools.cache
def _permutations(num_permutations: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers (odd) and addends, drawn as `datasketch.MinHash._init_permutations` draws them."""
    generator = np.random.RandomState(seed)  # frozen by NumPy (NEP 19): the same numbers in every release
    halves = generator.randint(0, 1 << 31, num_permutations, dtype=np.uint32)
    addends = generator.randint(0, 1 << 32, num_permutations, dtype=np.uint32)
    return halves * np.uint32(2) + np.uint32(1), addends


@kernel
def _take_minima(word_offsets, words, ngram_words, multipliers, addends, hashes, signatures):
    num_permutations = len(multipliers)
    block = np.empty(_UNROLL, np.uint32)
    for document in range(len(word_offsets) - 1):
        minima = signatures[document]
        stop = write_shingles(words, word_offsets[document], word_offsets[document + 1], ngram_words, hashes, 0)
        for start in range(0, stop, _UNROLL):
            for j in range(_UNROLL):
                # The last block is filled up with its last shingle: a minimum does not mind seeing it again.
                block[j] = finalize_32(np.uint32(hashes[min(start + j, stop - 1)] & np.uint64(0xFFFFFFFF)))
            h0, h1, h2, h3 = block[0], block[1], block[2], block[3]
            h4, h5, h6, h7 = block[4], block[5], block[6], block[7]
            for k in range(num_permutations):
                a = multipliers[k]
                b = addends[k]
                low = min(np.uint32(a * h0 + b), np.uint32(a * h1 + b))
                low = min(low, min(np.uint32(a * h2 + b), np.uint32(a * h3 + b)))
                low = min(low, min(np.uint32(a * h4 + b), np.uint32(a * h5 + b)))
                low = min(low, min(np.uint32(a * h6 + b), np.uint32(a * h7 + b)))
                minima[k] = min(minima[k], low)


@kernel
def _hash_bands(signatures, rows_per_band, bands):
    for document in range(bands.shape[0]):
        for band in range(bands.shape[1]):
            state = mix_in(PRIME_5, np.uint64(band))
            for row in range(band * rows_per_band, (band + 1) * rows_per_band):
                state = mix_in(state, np.uint64(signatures[document, row]))
            bands[document, band] = avalanche(state)
