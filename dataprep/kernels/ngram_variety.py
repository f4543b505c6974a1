"""How much an n-gram says: `1 2 3 4 5 6 7 8 9 10 11 12 13` stands in many documents that have nothing to do with it."""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.words import Words


def different_words(words: Words, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """int64[n-grams]: how many different words with a letter stand among the `lengths` words from each of `starts` (the
    number of a word among those of all documents) on."""
    counts = np.empty(len(starts), np.int64)
    places = (read_only(starts.astype(np.int64)), read_only(lengths.astype(np.int64)))
    _different_words(read_only(words.hashes), read_only(words.has_letter), places, counts)
    return counts


@kernel
def _different_words(hashes, has_letter, places, counts):
    starts, lengths = places
    for i in range(len(starts)):
        count = 0
        for j in range(starts[i], starts[i] + lengths[i]):
            is_new = has_letter[j]
            for k in range(starts[i], j):
                if hashes[k] == hashes[j]:
                    is_new = False
                    break
            count += is_new
        counts[i] = count
