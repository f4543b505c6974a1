"""Real crawl files, damaged in every way that a seed finds: no crash, no hang, and every record whose stored bytes the
damage left alone is read as it was."""

import gzip
import io
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import xxhash
import zstandard

from dataprep.reading.formats import ReaderConfig, read_records
from dataprep.reading.record import Record

DEMO = Path(__file__).parents[3] / "configs/crawls/demo"
CORPORA = next(
    (p / "shared/corpora" for p in Path(__file__).parents if (p / "shared/corpora").is_dir()), Path("shared")
)
SAMPLES = CORPORA / "warc_samples"
LIMIT = 1 << 20
PATIENCE_S = 20.0  # for one file of less than 2 MB, on a busy machine


def stored(sample: str) -> bytes:
    folder, name = sample.split("/")
    path = {"demo": DEMO, "samples": SAMPLES}[folder] / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path.read_bytes()


def members_of(data: bytes) -> list[bytes]:
    found = []
    while data:
        reader = zlib.decompressobj(wbits=31)
        reader.decompress(data)
        found.append(data[: len(data) - len(reader.unused_data)])
        data = reader.unused_data
    return found


@cache
def plain_records(sample: str) -> tuple[bytes, ...]:
    """The first records of a file of one gzip member a record, as they are within."""
    return tuple(gzip.decompress(member) for member in members_of(stored(sample))[:60])


@dataclass(frozen=True)
class Mutant:
    data: bytes
    touched: frozenset[int]  # numbers of the records whose stored bytes are not what they were


def pack(records: list[bytes], form: str) -> list[bytes]:
    pack_one: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda plain: gzip.compress(plain, 6, mtime=0),
        "zst": lambda plain: zstandard.ZstdCompressor(write_checksum=True).compress(plain),
        "plain": lambda plain: plain,
    }
    return [pack_one[form](record) for record in records]


def overlapped(parts: list[bytes], start: int, end: int) -> frozenset[int]:
    """Which parts hold a byte of [start, end), or the place `start` within them where nothing is taken away."""
    found, position = set(), 0
    for number, part in enumerate(parts):
        if position < max(end, start + 1) and start < position + len(part) and (end > start or start > position):
            found.add(number)
        position += len(part)
    return frozenset(found)


def cut_off(parts: list[bytes], pick: random.Random) -> Mutant:
    data = b"".join(parts)
    at = pick.randrange(1, len(data))
    return Mutant(data[:at], overlapped(parts, at, len(data)))


def cut_out(parts: list[bytes], pick: random.Random) -> Mutant:
    data = b"".join(parts)
    at = pick.randrange(len(data))
    end = min(at + pick.choice((1, 3, 100, 5000, 40_000)), len(data))
    return Mutant(data[:at] + data[end:], overlapped(parts, at, end))


def flip_bits(parts: list[bytes], pick: random.Random) -> Mutant:
    data, touched = bytearray(b"".join(parts)), frozenset()
    for _ in range(pick.choice((1, 1, 2, 8))):
        at = pick.randrange(len(data))
        data[at] ^= 1 << pick.randrange(8)
        touched |= overlapped(parts, at, at + 1)
    return Mutant(bytes(data), touched)


def overwrite(parts: list[bytes], pick: random.Random) -> Mutant:
    data = b"".join(parts)
    at = pick.randrange(len(data))
    end = min(at + pick.choice((1, 16, 512, 4096, 30_000)), len(data))
    new = bytes(end - at) if pick.random() < 0.5 else pick.randbytes(end - at)
    return Mutant(data[:at] + new + data[end:], overlapped(parts, at, end))


def insert(parts: list[bytes], pick: random.Random) -> Mutant:
    data = b"".join(parts)
    at = pick.randrange(len(data))
    junk = pick.choice(
        (pick.randbytes(50), bytes(3000), b"junk\r\n\r\n" * 9, b"\x1f\x8b\x08\x00" * 7, b"WARC/1.0\r\n" * 3)
    )
    return Mutant(data[:at] + junk + data[at:], overlapped(parts, at, at))


def double(parts: list[bytes], pick: random.Random) -> Mutant:
    number = pick.randrange(len(parts))
    return Mutant(b"".join([*parts[: number + 1], *parts[number:]]), frozenset())


BYTE_MUTATIONS = (cut_off, cut_out, flip_bits, overwrite, insert, double)


def wrong_length(record: bytes, pick: random.Random) -> bytes:
    start = record.index(b"Content-Length: ") + len(b"Content-Length: ")
    end = record.index(b"\r\n", start)
    length = int(record[start:end])
    lies = (0, length - 1, length + 1, length + 7, length * 2 + 100, length + 5000, 10**7, 10**15, -5, length // 2)
    return record[:start] + str(pick.choice(lies)).encode() + record[end:]


def wrong_encoding(record: bytes, pick: random.Random) -> bytes:
    header = pick.choice((b"Content-Encoding: gzip", b"Content-Encoding: br", b"Transfer-Encoding: chunked"))
    header = header if pick.random() < 0.7 else b"Content-Type: text/html; charset=no-such\xff"
    return record.replace(b"\r\nContent-Type:", b"\r\n" + header + b"\r\nX-Was:", 2)


def nested(record: bytes, pick: random.Random) -> bytes:
    return gzip.compress(record) if pick.random() < 0.5 else gzip.compress(gzip.compress(record))


def no_separator(record: bytes, pick: random.Random) -> bytes:
    return record.replace(b"\r\n\r\n", pick.choice((b"\r\n", b"\n", b"")), 1)


RECORD_MUTATIONS = (wrong_length, wrong_encoding, nested, no_separator)


def mutant(sample: str, form: str, seed: int) -> tuple[list[bytes], Mutant]:
    pick = random.Random(f"{sample} {form} {seed}")
    records = list(plain_records(sample))
    if len(records) > 12:
        first = pick.randrange(len(records) - 11)
        records = records[first : first + 12]
    parts = pack(records, form)
    if pick.random() < 0.35:
        number, change = pick.randrange(len(records)), pick.choice(RECORD_MUTATIONS)
        changed = [*records[:number], change(records[number], pick), *records[number + 1 :]]
        return parts, Mutant(b"".join(pack(changed, form)), frozenset([number]))
    return parts, pick.choice(BYTE_MUTATIONS)(parts, pick)


def read(data: bytes, form: str) -> list[Record]:
    name = {"gz": "a.warc.gz", "zst": "a.warc.zst", "plain": "a.warc"}[form]
    begun = time.monotonic()
    found = list(read_records(io.BytesIO(data), name, ReaderConfig(), LIMIT))
    assert time.monotonic() - begun < PATIENCE_S
    assert [record.number for record in found] == list(range(len(found)))
    assert found
    return found


def print_of(record: Record) -> tuple:
    """What a record says, whatever its place."""
    text = record.payload if record.text is None else record.text.encode()
    reason = record.problem.reason if record.problem else None
    return record.url, record.http_status, record.content_type, reason, xxhash.xxh3_128_hexdigest(text)


def check(sample: str, form: str, seed: int) -> None:
    parts, changed = mutant(sample, form, seed)
    before = [read(part, form)[0] for part in parts]
    wanted = Counter(print_of(r) for number, r in enumerate(before) if number not in changed.touched)
    missing = wanted - Counter(map(print_of, read(changed.data, form)))
    assert not missing, (sample, form, seed, missing)


SAMPLES_OF_MEMBERS = (
    "demo/corpus-000.warc.gz",
    "demo/corpus-001.warc.gz",
    "demo/corpus-002.warc.gz",
    "samples/dolma-sample-0000.warc.gz",
    "samples/resiliparse-warcfile.warc.gz",
    "samples/warcio-example.warc.gz",
    "samples/warcio-post-test.warc.gz",
    "samples/whirlwind.warc.gz",
)


@pytest.mark.parametrize("form", ["gz", "plain", "zst"])
@pytest.mark.parametrize("sample", SAMPLES_OF_MEMBERS)
def test_what_damage_leaves_alone_is_read_as_it_was(sample, form):
    for seed in range(25):  # 8 files x 3 forms x 25: 600 mutations
        check(sample, form, seed)
