"""Parquet: one document a row, of the columns that are asked for, a stretch of a row group at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dataprep.reading.fields import FieldNames, RowPlace, broken_row, row_record
from dataprep.reading.record import Problem, Record

_ROWS = 1024  # read at once
_BUFFER_BYTES = 1 << 20  # of a column chunk that are held at once, compressed
_ERRORS = (pa.ArrowException, OSError, ValueError, UnicodeDecodeError)


def read_parquet(stream: BinaryIO, max_record_bytes: int, names: FieldNames) -> Iterator[Record]:
    """A record for every row, numbered from 0. `stream` must be seekable; nothing but the wanted columns is read.

    Rows that cannot be read become one record `unreadable_bytes` that bears the number of the first; the next row group
    begins with its own numbers.
    """
    size = stream.seek(0, 2)
    if size == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0))
        return
    try:
        stream.seek(0)
        # Buffered reading, so that memory does not grow with the size of a row group.
        file = pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except _ERRORS as error:
        problem = Problem("unreadable_bytes", size, detail=f"no Parquet file: {_first_line(error)}")
        yield Record(0, 0, num_payload_bytes=size, problem=problem)
        return
    columns = [name for name in dict.fromkeys((names.text, names.url, names.date)) if _has(file.schema_arrow, name)]
    number = 0
    for group in range(file.metadata.num_row_groups):
        num_rows = file.metadata.row_group(group).num_rows
        yield from _group(file, group, number, columns, names, max_record_bytes)
        number += num_rows
    if number == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0, detail="no rows"))


def _has(schema: pa.Schema, name: str) -> bool:
    return name in schema.names or name.partition(".")[0] in schema.names


def _group(
    file: pq.ParquetFile, group: int, number: int, columns: list[str], names: FieldNames, max_record_bytes: int
) -> Iterator[Record]:
    facts = file.metadata.row_group(group)
    offset, end = _offset(facts), number + facts.num_rows
    if not columns:
        detail = f"no column {names.text!r}; there are {', '.join(file.schema_arrow.names)[:150]}"
        for row in range(number, end):
            yield broken_row(RowPlace(row, offset, 0), Problem("no_text_field", detail=detail))
        return
    try:
        for batch in file.iter_batches(_ROWS, row_groups=[group], columns=columns):
            for values in _rows(batch):
                yield _record(values, RowPlace(number, offset, 0), names, max_record_bytes)
                number += 1
    except _ERRORS as error:
        detail = f"rows {number:,} to {end - 1:,} cannot be read: {_first_line(error)}"
        num_bytes = facts.total_byte_size
        problem = Problem("unreadable_bytes", num_bytes, detail=detail)
        yield Record(number, offset, num_payload_bytes=num_bytes, problem=problem)


def _offset(facts: Any) -> int:
    """Where the row group's first column stands in the file."""
    column = facts.column(0)
    starts = (column.dictionary_page_offset, column.data_page_offset)
    return min(start for start in starts if start)


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """The batch's rows. One whose text is no UTF-8 is {"": the error}: Arrow does not look when it reads."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):
        rows = None  # one row has it, or some: they are found one by one
    if rows is not None:
        yield from rows
        return
    for index in range(batch.num_rows):
        try:
            yield {name: _value(column[index]) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
        except UnicodeDecodeError as error:
            yield {"": error}


def _value(scalar: pa.Scalar) -> Any:
    """What Python has for it; None for a moment that it has no form for, such as one of the year 12,000."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):
        if isinstance(scalar, pa.StructScalar) and scalar.is_valid:
            return {name: _value(part) for name, part in scalar.items()}
        return None


def _record(row: dict[str, Any], place: RowPlace, names: FieldNames, max_record_bytes: int) -> Record:
    if isinstance(row.get(""), UnicodeDecodeError):
        return broken_row(place, Problem("no_text_field", detail=f"not UTF-8: {row[''].reason}"))
    record = row_record(place, row, names)
    if record.text is None:
        return record
    num_bytes = len(record.text.encode())
    place = RowPlace(place.number, place.offset, num_bytes)
    if num_bytes > max_record_bytes:
        return broken_row(place, Problem("record_too_large", num_bytes, max_record_bytes), record.url)
    return row_record(place, row, names)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
