"""rensa's RMinHash (Rust), its index in memory: bands|kept FILE"""

from collections.abc import Iterable

from rensa import RMinHash, RMinHashLSH

from benchmarks.deduplication.peers import in_memory
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, shingles

SEED = 42
THRESHOLD = 0.72  # of 14 bands of 8: (1 / 14) ** (1 / 8)


def sketch(text: str) -> RMinHash:
    found = RMinHash(num_perm=NUM_PERMUTATIONS, seed=SEED)
    found.update(shingles(text))
    return found


def new_index() -> in_memory.Index:
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERMUTATIONS, num_bands=NUM_BANDS)

    def take_in(number: int, found: RMinHash) -> Iterable[int]:
        others = index.query(found)
        index.insert(number, found)
        return others

    return take_in


if __name__ == "__main__":
    in_memory.main(sketch, new_index)
