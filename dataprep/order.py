"""The order of samples, as arithmetic: sample k of the run -> which sample of the stream.

    k --divide--> epoch, place in it --which window--> place in the window --shuffle--> block, place in the block

Two levels of seeded bijection. The blocks of neighbouring samples are shuffled over the whole epoch; then the samples
of `window_blocks` blocks that follow one another in that order are shuffled among themselves. So a stretch of the run
reads from few blocks, each read is large, and nothing is stored: the whole state of a reader is k. How many ranks
share the work is not known here.

A bijection is a Feistel network (Luby and Rackoff 1988) on the next power of two, walked until it falls inside the
range (cycle walking: Black and Rogaway 2002).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]

_ROUNDS = 6  # Feistel rounds; Luby and Rackoff need 4 for a strong permutation, and the round function is a weak one
# splitmix64 (Steele, Lea and Flood 2014): the increment and the two multipliers of its finalizer.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class SampleOrder:
    """A permutation of `num_samples` samples for each epoch, different in each.

    `block_size` is in samples, `window_blocks` in blocks: together the stretch that is shuffled finely.
    """

    num_samples: int
    seed: int
    block_size: int = 64  # samples; at 2,049 uint16 tokens a block is a read of 256 KiB
    window_blocks: int = 64  # blocks; 4,096 samples at the default block size

    def __post_init__(self) -> None:
        if min(self.num_samples, self.block_size, self.window_blocks) < 1:
            raise ValueError(f"{self}: every size must be at least 1")

    def indices(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """Samples `start` to `start + count` of the run, as int64[count] of sample numbers below `num_samples`."""
        parts, end = [], start + count
        while start < end:
            epoch, place = divmod(start, self.num_samples)
            taken = min(end - start, self.num_samples - place)
            parts.append(self._epoch_indices(epoch, np.arange(place, place + taken, dtype=np.uint64)))
            start += taken
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)

    def _epoch_indices(self, epoch: int, places: U64) -> U64:
        """Where each place of one epoch reads from. All blocks are full but the last of the stream, which may stand
        anywhere in the shuffled order; `missing` samples of it are skipped over in the arithmetic."""
        block_size, window_blocks = self.block_size, self.window_blocks
        num_blocks = -(-self.num_samples // block_size)
        missing = num_blocks * block_size - self.num_samples
        epoch_key = _mix(_mix(np.array([self.seed % 2**64], np.uint64)) + np.uint64(epoch))
        short_at = int(_permute(np.array([num_blocks - 1], np.uint64), num_blocks, epoch_key, inverse=True)[0])
        short_window = short_at // window_blocks
        short_window_end = min((short_window + 1) * window_blocks, num_blocks) * block_size - missing

        padded = places + np.uint64(missing) * (places >= np.uint64(short_window_end))
        window, offset = np.divmod(padded, np.uint64(window_blocks * block_size))
        blocks_in_window = np.minimum(num_blocks - window * np.uint64(window_blocks), np.uint64(window_blocks))
        is_short = window == np.uint64(short_window)
        sizes = blocks_in_window * np.uint64(block_size) - np.uint64(missing) * is_short
        # The window's key must differ from the epoch's, or window 0 would repeat the shuffle of the blocks.
        offset = _permute_each(offset, sizes, _mix(epoch_key + window + np.uint64(1)))

        short_end = (short_at - short_window * window_blocks + 1) * block_size - missing
        offset = offset + np.uint64(missing) * (is_short & (offset >= np.uint64(short_end)))
        local_block, within = np.divmod(offset, np.uint64(block_size))
        place_of_block = window * np.uint64(window_blocks) + local_block
        block = _permute(place_of_block, num_blocks, np.broadcast_to(epoch_key, place_of_block.shape))
        return block * np.uint64(block_size) + within


def shuffled(size: int, seed: int, number: int) -> npt.NDArray[np.int64]:
    """int64[size]: the numbers below `size` in an order of its own for each seed and number."""
    key = _mix(_mix(np.array([seed % 2**64], np.uint64)) + np.uint64(number))
    places = np.arange(size, dtype=np.uint64)
    return _permute(places, size, np.broadcast_to(key, places.shape)).astype(np.int64)


def _mix(values: U64) -> U64:
    """splitmix64 of each value: every bit of the result depends on every bit of the value. Wraps, as it must."""
    values = values + _INCREMENT
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIER_1
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIER_2
    return values ^ (values >> np.uint64(31))


def _permute_each(values: U64, sizes: U64, keys: U64) -> U64:
    """Each value permuted below its own size; there are at most three sizes of window."""
    result = np.empty_like(values)
    for size in np.unique(sizes):
        chosen = sizes == size
        result[chosen] = _permute(values[chosen], int(size), keys[chosen])
    return result


def _permute(values: U64, size: int, keys: U64, inverse: bool = False) -> U64:
    """A bijection of [0, size), one for each key, at each value (same shape as `keys`)."""
    num_bits = (size - 1).bit_length()
    result = _feistel(values, num_bits, keys, inverse)
    outside = np.flatnonzero(result >= np.uint64(size))
    while outside.size:  # under two tries each, as the power of two is under twice the size
        result[outside] = _feistel(result[outside], num_bits, keys[outside], inverse)
        outside = outside[result[outside] >= np.uint64(size)]
    return result


def _feistel(values: U64, num_bits: int, keys: U64, inverse: bool) -> U64:
    """A bijection of [0, 2^num_bits): each round changes one half by a function of the other, which can be undone."""
    low_bits = np.uint64(num_bits // 2)
    low_mask = np.uint64((1 << int(low_bits)) - 1)
    high_mask = np.uint64((1 << (num_bits - int(low_bits))) - 1)
    high, low = values >> low_bits, values & low_mask
    rounds = range(_ROUNDS)
    for number in reversed(rounds) if inverse else rounds:
        round_keys = keys + np.uint64(number << 32)
        if number % 2:
            low = low ^ (_mix(high ^ round_keys) & low_mask)
        else:
            high = high ^ (_mix(low ^ round_keys) & high_mask)
    return (high << low_bits) | low
