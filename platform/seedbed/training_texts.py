"""Texts to train a small model on: files of any format that a run reads, as batches of documents."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from dataprep.document_id import file_prefix
from dataprep.extract import extract
from dataprep.extraction.page import ExtractConfig
from dataprep.kernels.text_buffers import column
from dataprep.reading.formats import ReaderConfig, read_records
from seedbed.errors import SourceError
from seedbed.runfile.data import DataConfig, SourceConfig
from seedbed.source_stream import open_source
from seedbed.sources import list_sources


def read_texts(paths: Iterable[str], reader: ReaderConfig) -> Iterator[pa.LargeStringArray]:
    """The texts of the documents in files, folders and globs, local or any fsspec URL: a batch a file, in the order of
    `paths` and then of names. Pages are extracted as in a run; what holds no document is passed over.

    Raises SourceError where a path leads to no file that a reader takes, or no file holds a document.
    """
    num_documents = 0
    for path in paths:
        listing = list_sources(DataConfig(sources={"texts": SourceConfig(path=path, reader=reader)}))
        for file in listing.files:
            with open_source(file.url, file.version) as stream:
                config = ExtractConfig()
                records = read_records(stream, file.path, reader, config.max_record_bytes)
                documents, _ = extract(records, file_prefix(file.source, file.path), config)
            num_documents += documents.num_rows
            yield column(documents, "text")
    if num_documents == 0:
        raise SourceError(f"no document in {', '.join(paths)}: expected files with text")


def write_model(data: bytes, out: Path) -> None:
    """The file at `out`, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.partial")
    beside.write_bytes(data)
    beside.replace(out)
