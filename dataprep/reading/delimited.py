"""CSV and TSV: a header, then one document a row; fields in quotes may hold line ends."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.fields import FieldNames, RowPlace, broken_row, row_record
from dataprep.reading.lines import Line, lines
from dataprep.reading.record import Problem, Record

_MAX_AGAIN = 8  # times the limit of a record, beside what the file holds: so much is read again behind rows that failed


class _RowTooLongError(Exception):
    """The row holds more than the limit, or goes on where no more is looked at: a quote is not closed, most likely."""


def read_delimited(
    stream: BinaryIO, by_name: Compression | None, max_record_bytes: int, names: FieldNames, delimiter: str
) -> Iterator[Record]:
    """A record for every row behind the header, numbered from 0, in UTF-8. Blank lines are no rows.

    A row of other fields than the header's, or with a quote that is not closed within the limit, is `invalid_csv`; it
    costs its first line alone, and reading goes on with the next line. In a file of many such rows, one that does not
    end with its line is given up without a look at those behind that were read before.
    """
    compression = compression_of(stream, by_name)
    source = lines(pieces(stream, compression), compression is not None, max_record_bytes)
    rows = _Rows(source, delimiter, max_record_bytes)
    number = 0
    for offset, num_bytes, found in rows:
        place = RowPlace(number, offset, num_bytes)
        if isinstance(found, Problem):
            yield broken_row(place, found)
        else:
            yield row_record(place, dict(zip(rows.header, found, strict=True)), names)
        number += 1
    if number == 0:
        detail = "nothing but a header" if rows.header else None
        yield Record(0, 0, problem=Problem("empty_file", 0, detail=detail))


class _Rows:
    """(offset, bytes, fields or a problem) of each row behind the header."""

    def __init__(self, source: Iterator[Line], delimiter: str, max_bytes: int) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), max_bytes))  # of the process; our own limit is on the row
        self.header: list[str] = []
        self._source = source
        self._again: deque[Line] = deque()  # lines behind a row that failed
        self._taken: list[Line] = []  # of the row under way
        self._delimiter = delimiter
        self._max_bytes = max_bytes
        self._num_again = _MAX_AGAIN * max_bytes  # bytes that may still be read again

    def __iter__(self) -> Iterator[tuple[int, int, list[str] | Problem]]:
        while (line := self._next()) is not None:
            if line.damage is not None:
                yield line.offset, line.length, line.damage
            elif line.data is None:
                yield line.offset, line.length, Problem("record_too_large", line.length, self._max_bytes)
            elif line.data.strip():
                found = self._row(line)
                if self.header or isinstance(found, Problem):
                    yield line.offset, sum(taken.length for taken in self._taken), found
                else:
                    self.header = [name.strip().removeprefix("\ufeff") for name in found]

    def _next(self) -> Line | None:
        if self._again:
            return self._again.popleft()
        line = next(self._source, None)
        self._num_again += line.length if line is not None else 0
        return line

    def _row(self, first: Line) -> list[str] | Problem:
        """The fields of the row that begins with this line; `_taken` are the lines that it cost."""
        self._taken = []
        try:
            fields = next(csv.reader(self._lines_from(first), delimiter=self._delimiter, strict=True))
        except UnicodeDecodeError as error:
            problem = Problem("invalid_csv", detail=f"not UTF-8: {error.reason}")
        except _RowTooLongError as error:
            problem = Problem("invalid_csv", detail=f"a quote is not closed {error}")
        except csv.Error as error:
            problem = Problem("invalid_csv", detail=str(error)[:200])
        else:
            if not self.header or len(fields) == len(self.header):
                return fields
            detail = f"{len(fields)} fields, and the header has {len(self.header)}"
            problem = Problem("invalid_csv", len(fields), len(self.header), detail)
        self._num_again -= sum(line.length for line in self._taken[1:])
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        return problem

    def _lines_from(self, first: Line) -> Iterator[str]:
        line: Line | None = first
        num_bytes = 0
        while line is not None:
            self._taken.append(line)
            num_bytes += line.length
            if line.data is None or num_bytes > self._max_bytes:
                raise _RowTooLongError(f"within {self._max_bytes:,} bytes")
            yield line.data.decode() + "\n"
            if self._num_again <= 0 and self._again:
                raise _RowTooLongError("on its line, and many before were not")
            line = self._next()
