"""Lists that people keep in text files: one entry a line, `#` starts a comment, blank lines are nothing."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dataprep.errors import DataError


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


ListFiles = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False), BeforeValidator(_one_or_more)
]
"""A file of one entry a line or several, local or any fsspec URL."""


def text_of(data: bytes, name: str) -> str:
    """The text of a list. Raises DataError where it is not UTF-8; `name` is what messages call the file."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}, line {line}: not UTF-8 ({error.reason}): save the list as UTF-8") from error


def entries(data: bytes, name: str) -> Iterator[tuple[int, str]]:
    """Line number (from 1) and entry, without blanks at its ends. `name` is what messages call the file.

    A `#` within a line belongs to the entry, unless a blank stands before it: ids of documents have one.
    Raises DataError where the file is not UTF-8.
    """
    for number, line in enumerate(text_of(data, name).splitlines(), 1):
        if line.startswith("#"):
            continue
        entry = line.split(" #", 1)[0].split("\t#", 1)[0].strip() if "#" in line else line.strip()
        if entry and not entry.startswith("#"):
            yield number, entry
