"""rensa's RMinHash (Rust), its index in memory: bands|kept FILE"""

import sys

from rensa import RMinHash, RMinHashLSH

from benchmarks.dataprep.meter import Meter, report
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, Groups, shingles, texts

SEED = 42
THRESHOLD = 0.72  # of 14 bands of 8: (1 / 14) ** (1 / 8)


def sketch(text: str) -> RMinHash:
    found = RMinHash(num_perm=NUM_PERMUTATIONS, seed=SEED)
    found.update(shingles(text))
    return found


def signatures(file: str) -> None:
    """To the digest: its bands are slices of it, which nobody needs to copy."""
    read = texts(file)
    with Meter() as meter:
        for text in read:
            sketch(text).digest()
    report(meter, pages=len(read), num_bytes=sum(len(text.encode()) for text in read))


def kept(file: str) -> None:
    with Meter() as meter:
        read = texts(file)
        index = RMinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERMUTATIONS, num_bands=NUM_BANDS)
        groups = Groups(len(read))
        for number, text in enumerate(read):
            found = sketch(text)
            for other in index.query(found):
                groups.join(number, other)
            index.insert(number, found)
        removed = groups.num_removed()
    report(meter, pages=len(read), num_bytes=sum(len(text.encode()) for text in read), removed=removed)


if __name__ == "__main__":
    {"bands": signatures, "kept": kept}[sys.argv[1]](sys.argv[2])
