"""A split's token shards read as one long stream, cut into samples.

Shape suffixes: N samples, S sequence length; `_NS1` is [N, S + 1].
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dataprep.errors import CorruptDataError
from dataprep.indexed_dataset import IndexedDataset


class TokenStream:
    """The shards' tokens, one shard after the other, memory-mapped; documents are not kept apart."""

    def __init__(self, prefixes: Sequence[Path]) -> None:
        """Opens local shards by their paths without suffix. Raises CorruptDataError, also when they hold no token."""
        self._shards = [IndexedDataset(prefix).tokens for prefix in prefixes]
        self._starts = np.cumsum([0, *(shard.size for shard in self._shards)], dtype=np.int64)
        self.num_tokens = int(self._starts[-1])
        if not self.num_tokens:
            raise CorruptDataError(f"{len(prefixes)} token shards hold no token: {[str(path) for path in prefixes]}")

    def num_samples(self, sequence_length: int) -> int:
        """How many samples there are: each needs the token after its last one as a target."""
        return (self.num_tokens - 1) // sequence_length

    def read(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """Tokens `start` to `start + count` of the stream, across shards; int64[count]."""
        if not 0 <= start <= start + count <= self.num_tokens:
            raise IndexError(f"tokens {start} to {start + count} of a stream of {self.num_tokens}")
        result = np.empty(count, np.int64)
        shard = int(np.searchsorted(self._starts, start, side="right")) - 1
        filled = 0
        while filled < count:
            offset = start + filled - int(self._starts[shard])
            part = self._shards[shard][offset : offset + count - filled]
            result[filled : filled + part.size] = part
            filled += part.size
            shard += 1
        return result

    def samples(self, indices: npt.NDArray[np.integer], sequence_length: int) -> npt.NDArray[np.int64]:
        """Sample i is tokens [i S, i S + S + 1): inputs are all but its last token, targets all but its first.

        int64[N, S + 1]. Neighbours share one token, the one's last target and the other's first input.
        """
        rows_NS1 = np.empty((len(indices), sequence_length + 1), np.int64)
        for row, index in enumerate(indices):
            rows_NS1[row] = self.read(int(index) * sequence_length, sequence_length + 1)
        return rows_NS1
