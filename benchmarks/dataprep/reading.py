"""The records of WARC files, each with its body as the server meant it: Seedbed's reader, or fastwarc alone.

python -m benchmarks.dataprep.reading seedbed|fastwarc FILE...
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecordType

from benchmarks.contest.meter import Meter, report
from dataprep.reading.http_body import decode_body
from dataprep.reading.warc import read_warc

MAX_BYTES = 16 << 20


def seedbed(stream: BinaryIO) -> int:
    """Records with a page; damage, charset, dates and headers about rights are seen to on the way."""
    return sum(record.problem is None for record in read_warc(stream, MAX_BYTES))


def fastwarc(stream: BinaryIO) -> int:
    """Records with a page."""
    pages = 0
    for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
        answer = record.http_headers
        if answer is None:
            continue
        decode_body(
            record.reader.read(), answer.get("Transfer-Encoding", ""), answer.get("Content-Encoding", ""), MAX_BYTES
        )
        pages += 1
    return pages


READERS: dict[str, Callable[[BinaryIO], int]] = {"seedbed": seedbed, "fastwarc": fastwarc}


def main(reader: str, files: list[str]) -> None:
    pages = 0
    with Meter() as meter:
        for file in files:
            with Path(file).open("rb") as stream:
                pages += READERS[reader](stream)
    report(meter, pages=pages, num_bytes=sum(Path(file).stat().st_size for file in files))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
