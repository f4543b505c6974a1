"""Every compression, one member or many, whole and damaged, gives the bytes that went in, or says what it lacks."""

import bz2
import gzip
import io
import lzma
import random
import struct
import zlib

import pytest
import zstandard

from dataprep.reading.compression import compression_of, pieces

TEXT = b"".join(b"line %d of a file\n" % number for number in range(40_000))  # 860 KB
PACK = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
CUT = len(TEXT) // 3


def plain(data: bytes, compression: str | None) -> bytes:
    return b"".join(piece.data for piece in pieces(io.BytesIO(data), compression))


@pytest.mark.parametrize("compression", PACK)
def test_one_member_and_several_give_what_went_in(compression):
    pack = PACK[compression]
    assert plain(pack(TEXT), compression) == TEXT
    several = b"".join(pack(TEXT[start : start + 50_000]) for start in range(0, len(TEXT), 50_000))
    found = list(pieces(io.BytesIO(several), compression))
    assert b"".join(piece.data for piece in found) == TEXT
    assert sum(piece.begins for piece in found) == sum(piece.ends for piece in found) == -(-len(TEXT) // 50_000)


@pytest.mark.parametrize("compression", PACK)
def test_a_member_that_is_damaged_costs_itself_alone(compression):
    first, second, third = (PACK[compression](part) for part in (TEXT[:CUT], TEXT[CUT : 2 * CUT], TEXT[2 * CUT :]))
    half = len(second) // 2
    broken = second[:half] + bytes(40) + second[half + 40 :]
    found = list(pieces(io.BytesIO(first + broken + third), compression))
    (damage,) = [piece for piece in found if piece.damage]
    assert (damage.offset, damage.num_lost) == (len(first), len(second))
    whole = [piece.data for piece in found if piece.offset != len(first)]
    assert b"".join(whole) == TEXT[:CUT] + TEXT[2 * CUT :]


@pytest.mark.parametrize("compression", PACK)
def test_a_file_that_is_cut_gives_what_stands_before_and_says_so(compression):
    data = PACK[compression](TEXT[:CUT]) + PACK[compression](TEXT[CUT:])
    found = list(pieces(io.BytesIO(data[:-50]), compression))
    assert found[-1].damage is not None and found[-1].ends_early
    assert TEXT.startswith(b"".join(piece.data for piece in found[:-1]))
    assert len(b"".join(piece.data for piece in found)) >= CUT


@pytest.mark.parametrize("compression", PACK)
def test_the_bytes_tell_the_compression_whatever_the_name_says(compression):
    assert compression_of(io.BytesIO(PACK[compression](TEXT)), None) == compression
    assert compression_of(io.BytesIO(TEXT), compression) is None
    assert compression_of(io.BytesIO(b"\xff\0" + PACK[compression](TEXT)[2:]), compression) == compression


def test_every_header_that_gzip_knows_is_passed():
    head = b"\x1f\x8b\x08\x1f" + bytes(6) + b"\x05\x00extra" + b"a name\0" + b"a comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    assert plain(head + gzip.compress(TEXT)[10:], "gzip") == TEXT


def test_zeros_between_members_are_padding_and_other_bytes_come_raw():
    data = gzip.compress(b"one ") + bytes(512) + gzip.compress(b"two ") + b"junk" + gzip.compress(b"three")
    found = [(piece.data, piece.is_raw) for piece in pieces(io.BytesIO(data), "gzip")]
    assert found == [(b"one ", False), (b"two ", False), (b"junk", True), (b"three", False)]


def frame_of_single_bytes(data: bytes, is_whole: bool) -> bytes:
    """A Zstandard frame of one raw block a byte (RFC 8878, 3.1.1), with a window of 1 KiB and no checksum."""
    blocks = b"".join(struct.pack("<I", 1 << 3)[:3] + bytes([byte]) for byte in data)
    return b"\x28\xb5\x2f\xfd\0\0" + blocks + (b"\x01\0\0" if is_whole else b"")


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_small_blocks_of_a_zstandard_frame_come_together(is_whole):
    found = list(pieces(io.BytesIO(frame_of_single_bytes(TEXT[:100_000], is_whole)), "zstd"))
    assert b"".join(piece.data for piece in found) == TEXT[:100_000]
    assert [len(piece.data) for piece in found] == ([65_536, 34_464] if is_whole else [65_536, 34_464, 0])
    assert [piece.begins for piece in found[:2]] == [True, False]
    assert found[-1].ends == is_whole and (found[-1].damage is None) == is_whole


def dictionary() -> zstandard.ZstdCompressionDict:
    pick = random.Random(0)
    words = [bytes(pick.choices(b"abcdefghij", k=8)) for _ in range(200)]
    return zstandard.train_dictionary(4096, [b" ".join(pick.choices(words, k=60)) for _ in range(500)])


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_dictionary_that_a_zstandard_file_begins_with_is_used(is_packed):
    learnt = dictionary()
    stored = PACK["zstd"](learnt.as_bytes()) if is_packed else learnt.as_bytes()
    compressor = zstandard.ZstdCompressor(dict_data=learnt)
    frames = b"".join(map(compressor.compress, (b"one ", b"two ", b"three")))
    head = b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(stored)) + stored
    assert compression_of(io.BytesIO(head + frames), None) == "zstd"
    assert plain(head + frames, "zstd") == b"one two three"
    first = next(pieces(io.BytesIO(frames), "zstd"))
    assert first.damage == f"compressed with the dictionary {learnt.dict_id()}, which the file does not begin with"
