"""Which reader takes a file: by the end of its name."""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

from dataprep.reading.jsonl import read_jsonl
from dataprep.reading.record import Record
from dataprep.reading.warc import read_warc

SUFFIXES: dict[str, tuple[str, str | None]] = {
    ".warc": ("warc", None),
    ".warc.gz": ("warc", "gzip"),
    ".jsonl": ("jsonl", None),
    ".jsonl.gz": ("jsonl", "gzip"),
    ".jsonl.zst": ("jsonl", "zstd"),
}
"""File name ending -> format and compression."""


class ReaderConfig(BaseModel):
    """How the files of a source are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["auto", "warc", "jsonl"] = Field(default="auto", description="auto: by the end of the name")
    text_field: str = Field(default="text", description="JSONL: the key of the text")
    url_field: str = Field(default="url", description="JSONL: the key of the address")


def format_of(path: str) -> tuple[str, str | None] | None:
    """(format, compression) of a file by its name; None when no reader takes it."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if path.lower().endswith(suffix):
            return SUFFIXES[suffix]
    return None


def read_records(stream: BinaryIO, path: str, config: ReaderConfig, max_record_bytes: int) -> Iterator[Record]:
    """Every record of the file, in order. `stream` must be seekable for WARC."""
    by_name = format_of(path)
    kind = config.format if config.format != "auto" else (by_name or ("warc", None))[0]
    if kind == "warc":
        return read_warc(stream, max_record_bytes)
    compression = by_name[1] if by_name else {"gz": "gzip", "zst": "zstd"}.get(path.rsplit(".", 1)[-1].lower())
    return read_jsonl(stream, compression, max_record_bytes, config.text_field, config.url_field)
