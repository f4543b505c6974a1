"""Mixing integers into a 64-bit hash, with the published functions of xxHash and MurmurHash3.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.deferred import kernel

# xxHash specification 0.1.1, "XXH64 algorithm description": PRIME64_1 to PRIME64_5.
PRIME_1 = np.uint64(0x9E3779B185EBCA87)
PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
PRIME_3 = np.uint64(0x165667B19E3779F9)
PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
PRIME_5 = np.uint64(0x27D4EB2F165667C5)


@kernel
def mix_in(state: np.uint64, value: np.uint64) -> np.uint64:
    """One XXH64 round: the state after `value`; order counts."""
    state = state + value * PRIME_2
    state = (state << np.uint64(31)) | (state >> np.uint64(33))  # rotate left by 31
    return state * PRIME_1


@kernel
def avalanche(state: np.uint64) -> np.uint64:
    """XXH64's last step: a bijection after which every bit depends on every bit."""
    state = (state ^ (state >> np.uint64(33))) * PRIME_2
    state = (state ^ (state >> np.uint64(29))) * PRIME_3
    return state ^ (state >> np.uint64(32))


@kernel
def finalize_32(value: np.uint32) -> np.uint32:
    """MurmurHash3's 32-bit finalizer `fmix32` (Appleby), the pre-mix of datasketch's `affine32`."""
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))
