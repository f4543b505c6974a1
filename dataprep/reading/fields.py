"""What the fields of a row (JSON Lines, CSV, Parquet) make of a record."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from dataprep.reading.record import Problem, Record


@dataclass(frozen=True)
class FieldNames:
    """Which fields hold what. A name with dots leads into nested ones, unless a field has that very name."""

    text: str = "text"
    url: str = "url"
    date: str = "date"


@dataclass(frozen=True)
class RowPlace:
    """Where a row stands and how large it is."""

    number: int
    offset: int
    num_bytes: int


def broken_row(place: RowPlace, problem: Problem, url: Any = None) -> Record:
    """A row that gives no document."""
    known = whole_unicode(url) if isinstance(url, str) else None
    return Record(place.number, place.offset, known, num_payload_bytes=place.num_bytes, problem=problem)


def row_record(place: RowPlace, row: Any, names: FieldNames) -> Record:
    """The document of a row, or what it lacks."""
    url, text = lookup(row, names.url), lookup(row, names.text)
    if not isinstance(text, str):
        return broken_row(place, Problem("no_text_field", detail=f"no string under {names.text!r}"), url)
    return Record(
        place.number,
        place.offset,
        url=whole_unicode(url) if isinstance(url, str) else None,
        date=as_date(lookup(row, names.date)),
        num_payload_bytes=place.num_bytes,
        text=whole_unicode(text),
    )


def lookup(row: Any, name: str) -> Any:
    """The value under `name`, None where there is none."""
    if not isinstance(row, dict):
        return None
    if name in row or "." not in name:
        return row.get(name)
    first, _, rest = name.partition(".")
    return lookup(row.get(first), rest)


def whole_unicode(text: str) -> str:
    """JSON can spell half a surrogate pair, which UTF-8 cannot: it becomes U+FFFD."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_date(value: Any) -> datetime | None:
    """A moment in UTC, whole seconds; without a time zone it is UTC. None beyond Python's years, too."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is UTC and value.microsecond == 0:  # as crawls write it
        return value
    try:
        return value.replace(tzinfo=value.tzinfo or UTC, microsecond=0).astimezone(UTC)
    except OverflowError:  # the first hours of the year 1, or the last of 9999, in another time zone
        return None
