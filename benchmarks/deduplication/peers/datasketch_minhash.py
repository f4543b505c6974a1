"""datasketch's MinHash over xxhash's 32 bits, its index in memory: bands|kept FILE

With its default, SHA-1, it takes half as long again: it is given the hash that suits it best.
"""

import sys

import xxhash
from datasketch import MinHash, MinHashLSH

from benchmarks.dataprep.meter import Meter, report
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, ROWS, Groups, shingles, texts

BASE = MinHash(num_perm=NUM_PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)


def sketch(text: str) -> MinHash:
    found = BASE.copy()  # without drawing the permutations again
    found.update_batch([shingle.encode() for shingle in shingles(text)])
    return found


def signatures(file: str) -> None:
    read = texts(file)
    with Meter() as meter:
        for text in read:
            sketch(text).digest()
    report(meter, pages=len(read), num_bytes=sum(len(text.encode()) for text in read))


def kept(file: str) -> None:
    with Meter() as meter:
        read = texts(file)
        index = MinHashLSH(num_perm=NUM_PERMUTATIONS, params=(NUM_BANDS, ROWS))
        groups = Groups(len(read))
        for number, text in enumerate(read):
            found = sketch(text)
            for other in index.query(found):
                groups.join(number, other)
            index.insert(number, found, check_duplication=False)
        removed = groups.num_removed()
    report(meter, pages=len(read), num_bytes=sum(len(text.encode()) for text in read), removed=removed)


if __name__ == "__main__":
    {"bands": signatures, "kept": kept}[sys.argv[1]](sys.argv[2])
