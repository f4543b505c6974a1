"""Plain text passed over 32 bytes at a time: which bytes of a block need a look, as the bits of one number.

Numba's loops over bytes are not turned into vector instructions here (measured: 1 to 2 GB/s, these 10 and more), so the
vectors are written out; LLVM makes of them what the machine has. The lowest bit is the first byte.
Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from dataprep.kernels.deferred import Intrinsic, kernel

BLOCK = 32  # bytes
LANE = 8  # bytes

_VECTOR = ir.VectorType(ir.IntType(8), BLOCK)
_TAB, _LINE_FEED, _CARRIAGE_RETURN, _SPACE, _LESS_THAN, _DELETE = 0x09, 0x0A, 0x0D, 0x20, 0x3C, 0x7F


def _all(value: int) -> ir.Constant:
    return ir.Constant(_VECTOR, [value] * BLOCK)


class _Block:
    """Writes instructions on the 32 bytes from a position on."""

    def __init__(self, builder: ir.IRBuilder, data: Any, position: Any) -> None:
        self._builder, self._data, self._position = builder, data, position

    def bytes_at(self, distance: int = 0) -> Any:
        place = self._builder.add(self._position, ir.Constant(ir.IntType(64), distance))
        pointer = self._builder.bitcast(self._builder.gep(self._data, [place]), _VECTOR.as_pointer())
        return self._builder.load(pointer, align=1)

    def lowered(self, vector: Any) -> Any:
        """Bit 0x20 makes an ASCII capital a small letter."""
        return self._builder.or_(vector, _all(0x20))

    def compare(self, vector: Any, operator: str, value: int) -> Any:
        return self._builder.icmp_unsigned(operator, vector, _all(value))

    def within(self, vector: Any, first: int, last: int) -> Any:
        return self.both(self.compare(vector, ">=", first), self.compare(vector, "<=", last))

    def both(self, *conditions: Any) -> Any:
        result = conditions[0]
        for condition in conditions[1:]:
            result = self._builder.and_(result, condition)
        return result

    def either(self, *conditions: Any) -> Any:
        result = conditions[0]
        for condition in conditions[1:]:
            result = self._builder.or_(result, condition)
        return result


def _mask(write: Callable[[_Block], Any]) -> Any:
    """The function (data, position) of kernels that gives the bits of what `write` writes; it reads BLOCK bytes from
    `position` on, and `write` may look one byte beyond at either side."""

    def mask(typing_context, data, position):
        from numba import types

        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            bits = write(_Block(builder, array.data, arguments[1]))
            return builder.zext(builder.bitcast(bits, ir.IntType(BLOCK)), ir.IntType(64))

        return types.uint64(data, types.int64), generate

    return Intrinsic(mask)


def _stops(block: _Block) -> Any:
    """All but printable ASCII, tabs, and line feeds behind a character that can be no blank."""
    here, before = block.bytes_at(), block.bytes_at(-1)
    may_be_blank = block.either(
        block.both(block.compare(before, "<=", _SPACE), block.compare(before, "!=", _LINE_FEED)),
        block.compare(before, ">=", _DELETE),
    )
    return block.either(
        block.compare(here, ">=", _DELETE),
        block.both(
            block.compare(here, "<", _SPACE), block.compare(here, "!=", _TAB), block.compare(here, "!=", _LINE_FEED)
        ),
        block.both(block.compare(here, "==", _LINE_FEED), may_be_blank),
    )


stops_of_block = _mask(_stops)
line_feeds_of_block = _mask(lambda block: block.compare(block.bytes_at(), "==", _LINE_FEED))
tag_starts_of_block = _mask(lambda block: block.compare(block.bytes_at(), "==", _LESS_THAN))
non_ascii_of_block = _mask(lambda block: block.compare(block.bytes_at(), ">=", 0x80))
character_starts_of_block = _mask(  # outside ASCII; the others of a character's bytes go on with it
    lambda block: block.compare(block.bytes_at(), ">=", 0xC0)
)
digits_of_block = _mask(lambda block: block.within(block.bytes_at(), 0x30, 0x39))
capitals_of_block = _mask(lambda block: block.within(block.bytes_at(), 0x41, 0x5A))
letters_of_block = _mask(lambda block: block.within(block.lowered(block.bytes_at()), 0x61, 0x7A))
word_characters_of_block = _mask(  # what Unicode has of letters, marks and digits in ASCII
    lambda block: block.either(
        block.within(block.lowered(block.bytes_at()), 0x61, 0x7A), block.within(block.bytes_at(), 0x30, 0x39)
    )
)
whitespace_of_block = _mask(  # what Unicode has of it in ASCII
    lambda block: block.either(
        block.compare(block.bytes_at(), "==", _SPACE), block.within(block.bytes_at(), _TAB, _CARRIAGE_RETURN)
    )
)


def pairs_of_block(pairs: tuple[bytes, ...]) -> Any:
    """The function (data, position) of kernels that gives where one of `pairs`, two small letters each, stands in any
    case; what else has the same bits but for 0x20 is given as well."""

    def write(block: _Block) -> Any:
        firsts, seconds = block.lowered(block.bytes_at()), block.lowered(block.bytes_at(1))
        return block.either(
            *(block.both(block.compare(firsts, "==", a), block.compare(seconds, "==", b)) for a, b in pairs)
        )

    return _mask(write)


def _lane_at(typing_context, data, position):
    """The LANE bytes from `position` on as one number, the first one lowest (little-endian machines)."""
    from numba import types

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(8 * LANE).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(data, types.int64), generate


lane_at: Any = Intrinsic(_lane_at)


def _lowest_bit(typing_context, mask):
    """The place of the lowest bit that is set; the mask must not be 0."""
    from numba import types

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


lowest_bit: Any = Intrinsic(_lowest_bit)


def _highest_bit(typing_context, mask):
    """The place of the highest bit that is set; the mask must not be 0."""
    from numba import types

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.uint64), generate


highest_bit: Any = Intrinsic(_highest_bit)


def _num_bits(typing_context, mask):
    """How many bits are set."""
    from numba import types

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


num_bits: Any = Intrinsic(_num_bits)


@kernel
def first_bits(count):
    """The lowest `count` bits, BLOCK of them at most."""
    return np.uint64(0xFFFFFFFF) if count >= BLOCK else (np.uint64(1) << np.uint64(count)) - np.uint64(1)


@kernel
def skip_ascii(data, position, end):
    """The first position from `position` on with a byte outside ASCII, or `end`."""
    while position + BLOCK <= end:
        mask = non_ascii_of_block(data, position)
        if mask != 0:
            return position + lowest_bit(mask)
        position += BLOCK
    while position < end and data[position] < 0x80:
        position += 1
    return position


@kernel
def skip_printable(data, origin, position, end):
    """The first position from `position` on that needs a look (`stops_of_block`), or `end`. `origin` is where the text
    starts: before it there is nothing to be looked at."""
    if position == origin and position < end:
        byte = data[position]
        if byte >= _DELETE or (byte < _SPACE and byte != _TAB and byte != _LINE_FEED):
            return position
        position += 1
    while position + BLOCK <= end:
        mask = stops_of_block(data, position)
        if mask != 0:
            return position + lowest_bit(mask)
        position += BLOCK
    while position < end:
        byte = data[position]
        if byte >= _DELETE or (byte < _SPACE and byte != _TAB and byte != _LINE_FEED):
            return position
        if byte == _LINE_FEED:
            before = data[position - 1]
            if before >= _DELETE or (before <= _SPACE and before != _LINE_FEED):
                return position
        position += 1
    return position


@kernel
def line_end(data, position, end):
    """Where the line that holds `position` ends, without its line feed."""
    while position + BLOCK <= end:
        mask = line_feeds_of_block(data, position)
        if mask != 0:
            return position + lowest_bit(mask)
        position += BLOCK
    while position < end and data[position] != _LINE_FEED:
        position += 1
    return position
