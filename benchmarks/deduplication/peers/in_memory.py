"""What tools with an index in memory are measured by: bands|kept FILE"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.peers.shingles import Groups, num_bytes, texts

Sketch = Any
Index = Callable[[int, Sketch], Iterable[int]]
"""Takes in a document and its sketch, and says which earlier ones share a band with it."""


def main(sketch: Callable[[str], Sketch], new_index: Callable[[], Index]) -> None:
    what, file = sys.argv[1:]
    if what == "bands":
        _bands(file, sketch)
    else:
        _kept(file, sketch, new_index)


def _bands(file: str, sketch: Callable[[str], Sketch]) -> None:
    """To the digest: its bands are slices of it, which nobody needs to copy."""
    read = texts(file)
    with Meter() as meter:
        for text in read:
            sketch(text).digest()
    report(meter, pages=len(read), num_bytes=num_bytes(read))


def _kept(file: str, sketch: Callable[[str], Sketch], new_index: Callable[[], Index]) -> None:
    with Meter() as meter:
        read = texts(file)
        index, groups = new_index(), Groups(len(read))
        for number, text in enumerate(read):
            for other in index(number, sketch(text)):
                groups.join(number, other)
        removed = groups.num_removed()
    report(meter, pages=len(read), num_bytes=num_bytes(read), removed=removed)
