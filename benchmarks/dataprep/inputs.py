"""The files that all contenders read: WARC files cut into parts, and the texts that filters are measured on."""

import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contest.pages import main_texts
from dataprep import language

NUM_PARTS = 8
"""Parts of each WARC file: growth is measured from one of eight to all."""

_CHUNK = 1 << 20


def cut_warcs(warcs: list[Path], folder: Path) -> list[list[Path]]:
    """For each file, its parts of about equal size, made anew unless they are there. Parts hold whole gzip
    members, so whole records; together they are the file."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for file in warcs:
        names = [folder / f"{file.name.removesuffix('.warc.gz')}-{n}.warc.gz" for n in range(NUM_PARTS)]
        if not all(name.exists() for name in names):
            _cut(file.read_bytes(), names)
        parts.append(names)
    return parts


def _cut(data: bytes, names: list[Path]) -> None:
    ends = _member_ends(data)
    start = 0
    for number, name in enumerate(names, start=1):
        wanted = len(data) * number // len(names)
        end = next(e for e in ends if e >= wanted)
        name.write_bytes(data[start:end])
        start = end


def _member_ends(data: bytes) -> list[int]:
    ends, position = [], 0
    view = memoryview(data)
    while position < len(data):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        at = position
        while not member.eof:
            member.decompress(view[at : at + _CHUNK])
            at += _CHUNK
        position = min(at, len(data)) - len(member.unused_data)
        ends.append(position)
    return ends


def head_of(warc: Path, max_bytes: int) -> bytes:
    """The first records of a file, whole."""
    data = warc.read_bytes()
    return data[: max(end for end in _member_ends(data) if end <= max_bytes)]


def write_texts(warcs: list[Path], path: Path, max_bytes: int) -> None:
    """The main text of the English pages of `warcs`, up to `max_bytes` of UTF-8, as a Parquet file with the column
    `text`, unless it is there. The four families know English best, so peers are measured on what they are made for."""
    if path.exists():
        return
    texts: list[str] = []
    num_bytes = 0
    for text in main_texts(warcs):
        if language.identify(pa.array([text], pa.large_string()))[0][0].as_py() != "en":
            continue
        num_bytes += len(text.encode())
        if num_bytes > max_bytes:
            break
        texts.append(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": pa.array(texts, pa.large_string())}), path)
