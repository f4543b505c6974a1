"""What all contenders read: the main text of every page of a crawl, and labelled articles."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contest.pages import main_texts
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import find_words

BATCH_BYTES = 4 << 20


def write_texts(warcs: list[Path], path: Path) -> None:
    """The main text of each page of `warcs` as a Parquet file with the column `text`, unless it is there. Pages without
    a word are left out."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    column = with_words(pa.array(main_texts(warcs), pa.large_string()))
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
