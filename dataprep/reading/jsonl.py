"""JSON Lines: one document a line, plain or compressed."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.fields import FieldNames, RowPlace, broken_row, row_record
from dataprep.reading.lines import Line, lines
from dataprep.reading.record import Problem, Record


def read_jsonl(
    stream: BinaryIO, by_name: Compression | None, max_record_bytes: int, names: FieldNames
) -> Iterator[Record]:
    """A record for every line, numbered from 0. Blank lines count, so that a number is a line's place.

    A line that is no JSON object with a text comes with a problem; so do stretches of compressed data that are damaged
    (`unreadable_bytes`), behind which reading goes on.
    """
    compression = compression_of(stream, by_name)
    number = 0
    for line in lines(pieces(stream, compression), compression is not None, max_record_bytes):
        yield _record(line, number, max_record_bytes, names)
        number += 1
    if number == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0))


def _record(line: Line, number: int, max_record_bytes: int, names: FieldNames) -> Record:
    place = RowPlace(number, line.offset, line.length)
    if line.damage is not None:
        return broken_row(place, line.damage)
    if line.data is None:
        return broken_row(place, Problem("record_too_large", line.length, max_record_bytes))
    if not line.data.strip():
        return broken_row(place, Problem("blank_line"))
    try:
        row = json.loads(line.data)
    except (ValueError, RecursionError) as error:
        return broken_row(place, Problem("invalid_json", detail=str(error)[:200]))
    return row_record(place, row, names)
