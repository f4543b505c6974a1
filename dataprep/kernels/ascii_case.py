"""Letters of ASCII in any case.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

from dataprep.kernels.deferred import kernel


@kernel
def stands_at(data, position, small, start, stop):
    """Whether `small[start:stop]`, which holds no capitals, stands in `data` at `position`, A to Z in any case.

    `data` is known to reach that far.
    """
    for i in range(stop - start):
        byte = data[position + i]
        if 0x41 <= byte <= 0x5A:  # A to Z
            byte |= 0x20
        if byte != small[start + i]:
            return False
    return True
