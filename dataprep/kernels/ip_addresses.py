"""IP addresses in text: where one stands, if one stands there.

**IPv4**: four numbers up to 255 without leading zeros, with full stops between. What is often a version is none: after
a letter, `_`, `.` or `-`; before a letter, digit, `_`, `.5`, `-beta`; after a word such as `version`; and where no
number has three digits: sections and versions have small ones (4.12.10.2), of addresses 2.3% do, (100/256)^4; private
ones, where they are wanted, may. **IPv6**: RFC 4291, 2.2, all three forms; in eight groups without `::` one must have
more than two digits, or it is a fingerprint. Public addresses are those that the registries of special addresses do
not name (iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry), and no multicast.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.ascii_classes import ALNUM, ASCII_CLASSES, DIGIT, HEX, JOINED
from dataprep.kernels.deferred import kernel
from dataprep.kernels.marked_words import ADDRESS_NUMBER, mark_before

_DOT, _HYPHEN, _COLON, _AT = 0x2E, 0x2D, 0x3A, 0x40

# First and last address of each range that is not public, from the registry.
_SPECIAL_IPV4 = np.array(
    [
        (0x00000000, 0x00FFFFFF),  # 0.0.0.0/8, this network
        (0x0A000000, 0x0AFFFFFF),  # 10.0.0.0/8, private
        (0x64400000, 0x647FFFFF),  # 100.64.0.0/10, shared by carriers
        (0x7F000000, 0x7FFFFFFF),  # 127.0.0.0/8, loopback
        (0xA9FE0000, 0xA9FEFFFF),  # 169.254.0.0/16, link local
        (0xAC100000, 0xAC1FFFFF),  # 172.16.0.0/12, private
        (0xC0000000, 0xC00000FF),  # 192.0.0.0/24, protocols
        (0xC0000200, 0xC00002FF),  # 192.0.2.0/24, documentation
        (0xC0586300, 0xC05863FF),  # 192.88.99.0/24, relays of 6to4
        (0xC0A80000, 0xC0A8FFFF),  # 192.168.0.0/16, private
        (0xC6120000, 0xC613FFFF),  # 198.18.0.0/15, benchmarks
        (0xC6336400, 0xC63364FF),  # 198.51.100.0/24, documentation
        (0xCB007100, 0xCB0071FF),  # 203.0.113.0/24, documentation
        (0xE0000000, 0xFFFFFFFF),  # 224.0.0.0/4, multicast; 240.0.0.0/4, reserved; broadcast
    ],
    np.int64,
)


@kernel
def ipv4_at(data, start, floor, end, public_only, marks):
    """Where the address ends that starts at `start`, -1 if none does. `floor` is the first byte of the text."""
    if start > floor and (ASCII_CLASSES[data[start - 1]] & JOINED != 0 or _is_dot_or_hyphen(data[start - 1])):
        return -1
    address, longest, position = read_ipv4(data, start, end)
    if position < 0 or not _ends_there(data, position, end):
        return -1
    if public_only if _is_special_ipv4(address) else longest < 3:
        return -1
    if mark_before(data, start, floor, marks) == ADDRESS_NUMBER:
        return -1
    return position


@kernel
def _is_special_ipv4(address):
    for i in range(len(_SPECIAL_IPV4)):  # noqa: SIM110 -- numba knows no `any`
        if _SPECIAL_IPV4[i, 0] <= address <= _SPECIAL_IPV4[i, 1]:
            return True
    return False


@kernel
def read_ipv4(data, start, end):
    """The address as a number, the digits of its longest part, and where it ends (-1: it is none)."""
    address = np.int64(0)
    longest = 0
    position = start
    for part in range(4):
        if part > 0:
            if position >= end or data[position] != _DOT:
                return 0, 0, -1
            position += 1
        first = position
        value = np.int64(0)
        while position < end and position - first < 4 and ASCII_CLASSES[data[position]] & DIGIT != 0:
            value = value * 10 + np.int64(data[position]) - 0x30
            position += 1
        length = position - first
        if length == 0 or value > 255 or (length > 1 and data[first] == 0x30):
            return 0, 0, -1
        longest = max(longest, length)
        address = address * 256 + value
    return address, longest, position


@kernel
def _is_dot_or_hyphen(byte):
    return byte in (_DOT, _HYPHEN)


@kernel
def _ends_there(data, position, end):
    """Whether a number with dots in it may end before `position`."""
    if position >= end:
        return True
    byte = data[position]
    if ASCII_CLASSES[byte] & JOINED != 0 or byte == _AT:
        return False
    goes_on = _is_dot_or_hyphen(byte) and position + 1 < end and ASCII_CLASSES[data[position + 1]] & ALNUM != 0
    return not goes_on


@kernel
def ipv6_at(data, colon, floor, end, public_only):
    """Where the address starts and ends whose first colon is at `colon`, (-1, -1) if there is none."""
    start = colon
    while start > floor and colon - start < 5 and ASCII_CLASSES[data[start - 1]] & HEX != 0:
        start -= 1
    if colon - start > 4:
        return -1, -1
    if start > floor:
        before = data[start - 1]
        if ASCII_CLASSES[before] & JOINED != 0 or before in (_COLON, _DOT):
            return -1, -1
    groups, gap, has_long, has_digit, first, second, stop = _read_groups(data, start, end)
    if stop < 0 or not _ends_there(data, stop, end):
        return -1, -1
    if gap < 0 and (groups != 8 or not has_long):
        return -1, -1
    if gap >= 0 and (groups < 1 + public_only or groups > 7):  # `2000::` alone is a prefix
        return -1, -1
    if gap == 0:
        first = second = 0
    elif gap == 1:
        second = 0
    if public_only:
        return (start, stop) if _is_public_ipv6(first, second) else (-1, -1)
    return (start, stop) if has_digit else (-1, -1)


@kernel
def _is_public_ipv6(first, second):
    """By its first two groups: 2000::/3 is what is given out, and of that some is set apart."""
    if first < 0x2000 or first > 0x3FFF:
        return False
    if first == 0x2001 and (second < 0x0200 or second == 0x0DB8):  # 2001::/23 protocols, 2001:db8::/32 documentation
        return False
    if first == 0x2002:  # 2002::/16, 6to4
        return False
    return not (first == 0x3FFF and second < 0x1000)  # 3fff::/20, documentation


@kernel
def _read_groups(data, start, end):
    """Groups, which of them follows `::` (-1: none), whether one has more than two digits, whether there is a decimal
    digit, the first two groups, where they end (-1: it is no address)."""
    groups, gap, first, second = 0, -1, np.int64(0), np.int64(0)
    has_long, has_digit = False, False
    position = start
    while True:
        group_start = position
        value = np.int64(0)
        while position < end and position - group_start < 5 and ASCII_CLASSES[data[position]] & HEX != 0:
            byte = np.int64(data[position])
            value = value * 16 + (byte - 0x30 if byte < 0x3A else (byte & 0x0F) + 9)
            has_digit |= bool(byte < 0x3A)
            position += 1
        length = position - group_start
        if length > 4 or groups > 8:
            return 0, -1, False, False, 0, 0, -1
        if length > 0:
            if position < end and data[position] == _DOT and groups > 0:
                _, _, tail_end = read_ipv4(data, group_start, end)
                if tail_end >= 0:  # the last two groups written as IPv4
                    return groups + 2, gap, True, True, first, second, tail_end
            if groups == 0:
                first = value
            elif groups == 1:
                second = value
            groups += 1
            has_long |= length > 2
        if position >= end or data[position] != _COLON:
            break
        if position + 1 < end and data[position + 1] == _COLON:
            if gap >= 0:
                return 0, -1, False, False, 0, 0, -1
            gap = groups
            position += 2
            if position >= end or ASCII_CLASSES[data[position]] & HEX == 0:
                if position < end and data[position] == _COLON:
                    return 0, -1, False, False, 0, 0, -1
                break
        elif length > 0 and position + 1 < end and ASCII_CLASSES[data[position + 1]] & HEX != 0:
            position += 1
        else:
            break  # a colon that belongs to the sentence
    return groups, gap, has_long, has_digit, first, second, position
