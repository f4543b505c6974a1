"""Hosts of URLs, and whether one is a domain of a list or lies below one: a hash for each of its endings, no regular
expression and no Python for a row."""

import numpy as np

from dataprep.kernels.ascii_classes import ASCII_CLASSES, UPPER
from dataprep.kernels.deferred import kernel
from dataprep.kernels.ip_addresses import read_ipv4
from dataprep.kernels.mixing import PRIME_5, avalanche, mix_in

_DOT, _COLON, _SLASH, _AT, _OPEN, _CLOSE = 0x2E, 0x3A, 0x2F, 0x40, 0x5B, 0x5D
_ENDS_AUTHORITY = np.zeros(256, np.bool_)
_ENDS_AUTHORITY[np.frombuffer(b"/?#\\", np.uint8)] = True  # the last as browsers read it
_LONGEST_SCHEME = 12  # bytes that `://` is looked for in


@kernel
def find_hosts(data, offsets, starts, ends, is_ip, is_ascii):
    """Fills in where the host of each URL lies (int64; empty where it has none), without user, port and trailing dot;
    whether it is an IP address, and whether it is ASCII."""
    for row in range(len(offsets) - 1):
        position, stop = offsets[row], offsets[row + 1]
        starts[row] = ends[row] = position
        is_ip[row] = False
        is_ascii[row] = True
        latest = min(stop - 2, position + _LONGEST_SCHEME)
        while position < latest and not (
            data[position] == _COLON and data[position + 1] == _SLASH and data[position + 2] == _SLASH
        ):
            position += 1
        if position >= latest:
            continue
        start = position + 3
        end = start
        while end < stop and not _ENDS_AUTHORITY[data[end]]:
            end += 1
        for i in range(end - 1, start - 1, -1):
            if data[i] == _AT:
                start = i + 1
                break
        if start < end and data[start] == _OPEN:
            is_ip[row] = True
        else:
            for i in range(start, end):
                if data[i] == _COLON:
                    end = i
                    break
            while end > start and data[end - 1] == _DOT:
                end -= 1
            _, _, ip_end = read_ipv4(data, start, end)
            is_ip[row] = ip_end == end and end > start
        for i in range(start, end):
            if data[i] >= 0x80:
                is_ascii[row] = False
        starts[row], ends[row] = start, end


@kernel
def match_domains(data, starts, ends, domains, matched):
    """Fills in whether each host is one of `domains` (ascending hashes of `hash_domains`) or lies below one."""
    for row in range(len(starts)):
        matched[row] = False
        state = PRIME_5
        for position in range(ends[row] - 1, starts[row] - 1, -1):
            state = _mix_byte(state, data[position])
            is_label = position == starts[row] or data[position - 1] == _DOT
            if is_label and _is_in(avalanche(state), domains):
                matched[row] = True
                break


@kernel
def hash_domains(data, offsets, hashes):
    """Fills in the hash of each domain: of its bytes from the last to the first, capitals as small letters."""
    for row in range(len(offsets) - 1):
        state = PRIME_5
        for position in range(offsets[row + 1] - 1, offsets[row] - 1, -1):
            state = _mix_byte(state, data[position])
        hashes[row] = avalanche(state)


@kernel
def _mix_byte(state, byte):
    return mix_in(state, np.uint64(byte | 0x20 if ASCII_CLASSES[byte] & UPPER != 0 else byte))


@kernel
def _is_in(hash_, ascending):
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < hash_:
            low = middle + 1
        else:
            high = middle
    return low < len(ascending) and ascending[low] == hash_
