"""`python -m benchmarks.decontamination CORPORA`: see README.md beside this."""

import argparse
import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.decontamination.edits import EDITS
from benchmarks.filters.corpus import texts as extracted
from dataprep.decontaminate.commonness import common_ngrams, document_counts, without_common
from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
from dataprep.decontaminate.decide import matched
from dataprep.decontaminate.evaluation import ItemText, read_items
from dataprep.decontaminate.index import EvaluationIndex, build_index
from dataprep.decontaminate.scan import scan
from dataprep.document_id import file_prefix, pack
from dataprep.kernels.text_buffers import text_buffers
from dataprep.schemas import ID

ROOT = Path(__file__).parents[2]
FIELDS = {
    "humaneval": ("HumanEval.jsonl.gz", ("prompt", "canonical_solution", "test")),
    "gsm8k": ("gsm8k-test.jsonl.gz", ("question", "answer")),
    "lambada": ("lambada_test.jsonl.gz", ("text",)),
    "piqa": ("piqa.jsonl.gz", ("query", "choices")),
    "blimp": ("blimp/*.jsonl.gz", ("sentence_good", "sentence_bad")),
}
PLANTED_IN = 400  # characters of a page on either side of a planted text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decontamination", description=__doc__)
    parser.add_argument("corpora", type=Path, help="a folder with web/*.warc.gz and eval/")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "filters", help="where pages' text is kept")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain-every", type=int, default=10, help="pages for plain Python: one in so many")
    given = parser.parse_args()
    pages, _ = extracted(given.corpora / "web", given.cache)
    sets = {name: evaluation_set(given.corpora / "eval", *files) for name, files in FIELDS.items()}
    configs = {name: EvaluationSetConfig(path="-", fields=fields) for name, (_, fields) in FIELDS.items()}
    config = DecontaminateConfig(sets=configs)
    index, texts = build_index(sorted(sets.items()), config)
    print(
        f"{len(pages):,} pages, {megabytes(pages):.1f} MB; {index.num_ngrams:,} n-grams of {texts.num_rows:,} texts\n"
    )
    rates(pages, index, config, sets, given)
    found_in(pages, index, texts, config)
    all_of_them = config.model_copy(update={"min_different_share": 0.0})
    found_in(pages, *build_index(sorted(sets.items()), all_of_them), all_of_them)
    plants(pages, index, texts, config, sets)


def evaluation_set(folder: Path, pattern: str, fields: tuple[str, ...]) -> list[ItemText]:
    config = EvaluationSetConfig(path="-", fields=fields)
    files = sorted(folder.glob(pattern))
    return [text for file in files for text in read_items(file.read_bytes(), file.name, config)]


def megabytes(text: pa.LargeStringArray) -> float:
    _, offsets = text_buffers(text)
    return int(offsets[-1] - offsets[0]) / 1e6


def ids_of(text: pa.LargeStringArray) -> pa.Array:
    prefix = file_prefix("pages", "all")
    return pa.array([pack(prefix, number) for number in range(len(text))], ID)


def rates(
    pages: pa.LargeStringArray,
    index: EvaluationIndex,
    config: DecontaminateConfig,
    sets: dict[str, list[ItemText]],
    given: argparse.Namespace,
) -> None:
    """MB of text in a second of CPU time, medians; the contenders take turns."""
    ids, some = ids_of(pages), pages.take(pa.array(range(0, len(pages), given.plain_every)))
    exact = config.model_copy(update={"max_changed_words": 0})
    exact_index, _ = build_index(sorted(sets.items()), exact)
    grams = plain_ngrams([text.text for one in sets.values() for text in one])
    works: dict[str, tuple[float, Callable[[], Any]]] = {
        "seedbed, with up to two words changed": (megabytes(pages), lambda: scan(ids, pages, index, config)),
        "seedbed, word for word": (megabytes(pages), lambda: scan(ids, pages, exact_index, exact)),
        "plain Python: sets of tuples, word for word": (megabytes(some), lambda: plain_hits(some.to_pylist(), grams)),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    scan(ids.slice(0, 100), pages.slice(0, 100), index, config)  # loads the kernels
    for _ in range(given.rounds):
        for name, (size, work) in works.items():
            started = time.process_time()
            work()
            taken[name].append(size / (time.process_time() - started))
    for name, values in taken.items():
        print(f"{name:45} {statistics.median(values):8.1f} MB/s [{min(values):.1f}-{max(values):.1f}]")
    print()


_WORDS = re.compile(r"[^\W_]+")


def plain_ngrams(texts: list[str], n: int = 13) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = _WORDS.findall(text.lower())
        found.update(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    return found


def plain_hits(documents: list[str], ngrams: set[tuple[str, ...]], n: int = 13) -> list[int]:
    """How many n-grams of evaluation texts stand in each document."""
    hits = []
    for document in documents:
        words = _WORDS.findall(document.lower())
        hits.append(sum(tuple(words[i : i + n]) in ngrams for i in range(len(words) - n + 1)))
    return hits


def matches_of(
    documents: pa.LargeStringArray, index: EvaluationIndex, texts: pa.Table, config: DecontaminateConfig
) -> tuple[list[dict[str, Any]], int]:
    """What the step would say of these documents, and how many n-grams were common."""
    hits = scan(ids_of(documents), documents, index, config).hits
    common = common_ngrams([document_counts(hits)], index.num_ngrams, config.max_documents)
    return matched(without_common(hits, common), texts, index, config).matches.to_pylist(), common.num_rows


def found_in(pages: pa.LargeStringArray, index: EvaluationIndex, texts: pa.Table, config: DecontaminateConfig) -> None:
    """What is found in pages that have nothing to do with the sets: each one shown."""
    matches, common = matches_of(pages, index, texts, config)
    documents = len({row["document"] for row in matches})
    print(f"least share of different words {config.min_different_share}: {documents} of {len(pages):,} unrelated pages")
    print(f"have a match; {common} common n-grams")
    for (name, field, phrase), number in Counter(
        (f"{row['set']} {row['item']}", row["field"], row["phrase"]) for row in matches
    ).most_common():
        print(f"  {number} x {name} {field}: {json.dumps(phrase)}")
    print()


def plants(
    pages: pa.LargeStringArray,
    index: EvaluationIndex,
    texts: pa.Table,
    config: DecontaminateConfig,
    sets: dict[str, list[ItemText]],
) -> None:
    """Each text of 13 words or more, put into a page: how many are found, by what was done to it."""
    chosen = long_texts(texts, sets, config.ngram_words)
    unchecked = Counter(row["set"] for row, _ in chosen if not row["num_ngrams"])
    print(f"texts of {config.ngram_words} words or more: {dict(Counter(row['set'] for row, _ in chosen))}")
    print(f"of those little but numbers, and not checked: {dict(unchecked)}\n")
    names, around = sorted(sets), pages.to_pylist()
    print(f"| done to the text | {' | '.join(names)} | all |\n|---|{'---|' * (len(names) + 1)}")
    for edit in EDITS:
        hit, total = recall(chosen, edit, around, index, texts, config)
        shares = [f"{hit[one] / total[one]:.4f}" if total[one] else "-" for one in names]
        print(f"| {edit} | {' | '.join(shares)} | {hit.total() / total.total():.4f} |")


Chosen = list[tuple[dict[str, Any], ItemText]]
"""A row of the index's texts, and the text."""


def long_texts(texts: pa.Table, sets: dict[str, list[ItemText]], ngram_words: int) -> Chosen:
    """Those with as many words as an n-gram or more."""
    every = [one for _, of_set in sorted(sets.items()) for one in of_set]
    return [pair for pair in zip(texts.to_pylist(), every, strict=True) if pair[0]["num_words"] >= ngram_words]


def recall(
    chosen: Chosen,
    edit: str,
    pages: list[str],
    index: EvaluationIndex,
    texts: pa.Table,
    config: DecontaminateConfig,
) -> tuple[Counter[str], Counter[str]]:
    """By set: texts that are found as themselves, and those that are checked, each edited and put into a page."""
    config = config.model_copy(update={"max_documents": None})  # a hundred of these documents hold items of one set
    draw, words = random.Random(0), [word for _, one in chosen for word in one.text.split()]
    documents = []
    for number, (_, one) in enumerate(chosen):
        page = pages[number % len(pages)]
        before, after = page[:PLANTED_IN], page[PLANTED_IN:][:PLANTED_IN]
        documents.append(f"{before}\n{EDITS[edit](one.text, draw, words)}\n{after}")
    matches, _ = matches_of(pa.array(documents, pa.large_string()), index, texts, config)
    found = {(row["document"], row["set"], row["item"], row["field"]) for row in matches}
    hit: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for document, (row, _) in zip(ids_of(documents).to_pylist(), chosen, strict=True):
        if row["num_ngrams"]:
            total[row["set"]] += 1
            hit[row["set"]] += (document, row["set"], row["item"], row["field"]) in found
    return hit, total


if __name__ == "__main__":
    main()
