"""datasketch's MinHash over xxhash's 32 bits, its index in memory: bands|kept FILE

With its default, SHA-1, it takes half as long again: it is given the hash that suits it best.
"""

from collections.abc import Iterable

import xxhash
from datasketch import MinHash, MinHashLSH

from benchmarks.deduplication.peers import in_memory
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, ROWS, shingles

BASE = MinHash(num_perm=NUM_PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)


def sketch(text: str) -> MinHash:
    found = BASE.copy()  # without drawing the permutations again
    found.update_batch([shingle.encode() for shingle in shingles(text)])
    return found


def new_index() -> in_memory.Index:
    index = MinHashLSH(num_perm=NUM_PERMUTATIONS, params=(NUM_BANDS, ROWS))

    def take_in(number: int, found: MinHash) -> Iterable[int]:
        others = index.query(found)
        index.insert(number, found, check_duplication=False)
        return others

    return take_in


if __name__ == "__main__":
    in_memory.main(sketch, new_index)
