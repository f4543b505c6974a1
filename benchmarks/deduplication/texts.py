"""What all contenders read: the main text of every page of a crawl, and labelled articles."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataprep.extraction.page import ExtractConfig, check_answer, extract_page
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import find_words
from dataprep.reading.formats import ReaderConfig, read_records

BATCH_BYTES = 4 << 20


def write_texts(corpus: Path, path: Path) -> None:
    """The main text of each page in the WARC files of `corpus`, as Seedbed extracts it, as a Parquet file with the
    column `text`, unless it is there. Pages without a word are left out."""
    if path.exists():
        return
    warcs = sorted(corpus.glob("*.warc.gz"))
    if not warcs:
        raise SystemExit(f"no *.warc.gz in {corpus}")
    limits = ExtractConfig()
    texts: list[str] = []
    for warc in warcs:
        with warc.open("rb") as stream:
            for record in read_records(stream, warc.name, ReaderConfig(), limits.max_record_bytes):
                if record.problem or check_answer(record.http_status, record.content_type, record.payload):
                    continue
                text = extract_page(record.payload, record.content_type, record.charset, limits).text
                if text:
                    texts.append(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    column = with_words(pa.array(texts, pa.large_string()))
    pq.write_table(pa.table({"text": column}), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


def with_words(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """The texts that have a word: `select` drops the others before they are compared."""
    kept = []
    for start, stop in batches(texts, BATCH_BYTES):
        part = texts.slice(start, stop - start)
        words = find_words(part)
        kept.append(part.filter(pa.array(words.offsets[1:] > words.offsets[:-1])))
    return pa.concat_arrays(kept)


def read_texts(path: Path) -> pa.LargeStringArray:
    return pq.read_table(path, columns=["text"])["text"].combine_chunks()


def read_labelled(folder: Path) -> list[tuple[str, list[str], pa.LargeStringArray, set[tuple[str, str]]]]:
    """Of each labelled set its name, the articles' names, their texts, and the pairs that are near-duplicates.

    A set is NAME.train.gz, a line an article: a name, a blank, the text; and NAME.truth, a line a pair of names."""
    sets = []
    for file in sorted(folder.glob("*.train.gz")):
        name = file.name.removesuffix(".train.gz")
        lines = [line.partition(" ") for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
        pairs = [line.split() for line in (folder / f"{name}.truth").read_text().splitlines()]
        texts = pa.array([text for _, _, text in lines], pa.large_string())
        sets.append((name, [key for key, _, _ in lines], texts, {(min(pair), max(pair)) for pair in pairs}))
    return sets
