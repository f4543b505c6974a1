"""Which reader takes a file: by the end of its name, or as its source says."""

from collections.abc import Iterator
from typing import BinaryIO, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from dataprep.reading.arc import read_arc
from dataprep.reading.compression import COMPRESSIONS, Compression
from dataprep.reading.delimited import read_delimited
from dataprep.reading.fields import FieldNames
from dataprep.reading.jsonl import read_jsonl
from dataprep.reading.parquet import read_parquet
from dataprep.reading.record import Record
from dataprep.reading.text_files import DocumentUnit, read_text_parts, read_whole
from dataprep.reading.warc import read_warc

Format = Literal["warc", "arc", "jsonl", "parquet", "csv", "text", "html"]

_ENDINGS: dict[str, Format] = {
    ".warc": "warc",
    ".wet": "warc",  # Common Crawl's `.warc.wet.gz`: conversions to text
    ".arc": "arc",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
SUFFIXES: dict[str, tuple[Format, Compression | None]] = {
    ending + packed: (kind, compression)
    for ending, kind in _ENDINGS.items()
    for packed, compression in {"": None, **COMPRESSIONS}.items()
} | {".parquet": ("parquet", None)}
"""File name ending -> format and compression."""

ONLY_WHEN_SAID: tuple[Format, ...] = ("text", "html")
"""Formats that files beside a crawl also have (README.txt, index.html): a folder or glob gives them only to a source
whose `reader.format` says so."""


class ReaderConfig(BaseModel):
    """How the files of a source are read. What is compressed, and how, is seen by the bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["auto", "warc", "arc", "jsonl", "parquet", "csv", "text", "html"] = Field(
        default="auto",
        description="auto: by the end of the name; `text` and `html` files of a folder or glob only where it is said",
    )
    text_field: str = Field(
        default="text", description="JSONL, CSV, Parquet: the key or column of the text; `a.b` for b within a"
    )
    url_field: str = Field(default="url", description="JSONL, CSV, Parquet: the key or column of the address")
    date_field: str = Field(default="date", description="JSONL, CSV, Parquet: the key or column of the date, ISO 8601")
    document: DocumentUnit = Field(
        default="file", description="text: what is one document; a paragraph ends at a blank line"
    )
    base_url: str | None = Field(
        default=None, description="text, html: a file's address is this with its path behind it; none: its path alone"
    )


def format_of(path: str) -> tuple[Format, Compression | None] | None:
    """(format, compression) of a file by its name; None when no reader takes it."""
    name, compression = path.lower(), None
    for packed, found in COMPRESSIONS.items():
        if name.endswith(packed):
            name, compression = name.removesuffix(packed), found
    known = SUFFIXES.get("." + name.rpartition(".")[2]) if "." in name else None
    if known is None or (known[0] == "parquet" and compression is not None):
        return None
    return known[0], compression


def read_records(stream: BinaryIO, path: str, config: ReaderConfig, max_record_bytes: int) -> Iterator[Record]:
    """Every record of the file, in order. `stream` must be seekable; `path` is relative to the source's root."""
    by_name = format_of(path)
    compression = by_name[1] if by_name else COMPRESSIONS.get("." + path.lower().rpartition(".")[2])
    kind = config.format if config.format != "auto" else (by_name or ("warc", None))[0]
    names = FieldNames(config.text_field, config.url_field, config.date_field)
    if kind == "warc":
        return read_warc(stream, max_record_bytes, compression)
    if kind == "arc":
        return read_arc(stream, max_record_bytes, compression)
    if kind == "jsonl":
        return read_jsonl(stream, compression, max_record_bytes, names)
    if kind == "parquet":
        return read_parquet(stream, max_record_bytes, names)
    if kind == "csv":
        delimiter = "\t" if ".tsv" in path.lower()[-8:] else ","
        return read_delimited(stream, compression, max_record_bytes, names, delimiter)
    url = _address(path, config.base_url)
    if kind == "html":
        return read_whole(stream, compression, max_record_bytes, "text/html", url)
    if config.document == "file":
        return read_whole(stream, compression, max_record_bytes, "text/plain", url)
    return read_text_parts(stream, compression, max_record_bytes, config.document, url)


def _address(path: str, base_url: str | None) -> str:
    return path if base_url is None else f"{base_url.rstrip('/')}/{quote(path, safe='/~')}"
