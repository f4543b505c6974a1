"""MinHash signatures and the band hashes that near-duplicates are looked up by.

Broder 1997; the permutations are datasketch 2's `affine32`: the 32-bit shingle hash h goes once through MurmurHash3's
finalizer, then permutation k is a[k] * h + b[k] modulo 2^32 with a[k] odd, and the signature keeps its minimum.
"""

import functools

import numpy as np
from numba import njit
from pydantic import BaseModel, ConfigDict, Field

from dataprep.kernels.mixing import PRIME_5, avalanche, finalize_32, mix_in
from dataprep.kernels.shingles import find_shingles
from dataprep.kernels.words import Words

EMPTY = np.uint32(0xFFFFFFFF)
"""Every value in the signature of a document without words: what datasketch starts from, too."""

_UNROLL = 8  # shingles taken together, so that a, b and the minima are read from memory once for all of them; measured


class MinHashConfig(BaseModel):
    """How near-duplicates are sketched. FineWeb's values (Penedo et al. 2024): 14 bands x 8 rows over word 5-grams."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    num_bands: int = Field(default=14, ge=1, le=1000, description="bands; two documents that share one are candidates")
    rows_per_band: int = Field(default=8, ge=1, le=100, description="minima that must all agree in a band")
    ngram_words: int = Field(default=5, ge=1, le=100, description="words in a shingle")
    seed: int = Field(default=1, ge=0, lt=2**32, description="of the random permutations, as datasketch takes it")

    @property
    def num_permutations(self) -> int:
        return self.num_bands * self.rows_per_band


def minhash_signatures(words: Words, config: MinHashConfig) -> np.ndarray:
    """The signature of each document: uint32[documents, permutations].

    Equal to datasketch's `affine32` for the low 32 bits of the hashes of `find_shingles`. A document without words has
    the signature of all `EMPTY`.
    """
    shingles = find_shingles(words, config.ngram_words)
    multipliers, addends = _permutations(config.num_permutations, config.seed)
    signatures = np.full((words.num_documents, config.num_permutations), EMPTY, np.uint32)
    _take_minima(shingles.offsets, shingles.hashes, multipliers, addends, signatures)
    return signatures


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


@njit(cache=True, nogil=True)
def _take_minima(offsets, hashes, multipliers, addends, signatures):
    num_permutations = len(multipliers)
    block = np.empty(_UNROLL, np.uint32)
    for document in range(len(offsets) - 1):
        minima = signatures[document]
        stop = offsets[document + 1]
        for start in range(offsets[document], stop, _UNROLL):
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


@njit(cache=True, nogil=True)
def _hash_bands(signatures, rows_per_band, bands):
    for document in range(bands.shape[0]):
        for band in range(bands.shape[1]):
            state = mix_in(PRIME_5, np.uint64(band))
            for row in range(band * rows_per_band, (band + 1) * rows_per_band):
                state = mix_in(state, np.uint64(signatures[document, row]))
            bands[document, band] = avalanche(state)
