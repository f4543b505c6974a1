"""`python -m benchmarks.learned_filters CORPORA`: trains on encyclopedia and novels, measures what web pages get."""

import argparse
import gzip
import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import language, ngram_model, quality_classifier
from dataprep.arpa import UNITS_PER_LOG10, plain
from dataprep.kernels.words import find_words
from dataprep.ngram_model import NgramConfig
from dataprep.quality_classifier import ClassifierConfig, area_under_curve
from dataprep.reading.formats import ReaderConfig
from seedbed.training_texts import read_texts

_ARTICLE = re.compile(r"\n (?== [^=])")  # WikiText's titles stand between single equals signs

_MARKS = ("<unk>", " @-@ ", " @,@ ", " @.@ ")  # of WikiText's own tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--times", type=int, default=5, help="of each measurement; the median is printed")
    given = parser.parse_args()
    text, web = given.corpora / "text", given.corpora / "web"
    articles = {name: _articles(text / f"wikitext2-{name}.txt.gz") for name in ("valid", "test")}
    novels = _column([n["text"] for n in _json_lines(text / "novels.jsonl.gz") if n["lang"] == "eng"])
    learnt, unseen = (_english_pages(web / f"corpus-00{number}.warc.gz") for number in (0, 5))
    print(f"pages in English: {len(learnt):,} to learn from, {len(unseen):,} of another file; novels {len(novels)}\n")
    _perplexities(articles, unseen, novels, given.times)
    _qualities(articles, novels, learnt, unseen, given.times)


def _perplexities(articles: dict[str, pa.Array], pages: pa.Array, novels: pa.Array, times: int) -> None:
    """Of articles, pages, and articles spoilt, by a model of other articles and novels."""
    training = pa.concat_arrays([articles["valid"], novels])
    data, seconds = _timed(lambda: ngram_model.train([training], NgramConfig()), 3)
    size = len(plain(data, "the model"))
    model, reading = _timed(lambda: ngram_model.read_model(data, "the model"), times)
    print(f"trained on {training.nbytes / 1e6:.1f} MB: {training.nbytes / 1e6 / seconds:.1f} MB/s; {model.metadata}")
    print(f"read: {size / 1e6 / reading:.0f} MB of ARPA a second; {model.table.num_bytes / 1e6:.0f} MB in memory")
    _, seconds = _timed(lambda: model.measure(pages), times)
    print(f"measured: {pages.nbytes / 1e6 / seconds:.0f} MB/s\n")
    print("| text | documents | 10% below | median | 90% below |\n|---|---|---|---|---|")
    draw = np.random.default_rng(0)
    shuffled = _column(
        ["\n".join(_shuffled(line, draw) for line in article.split("\n")) for article in articles["test"].to_pylist()]
    )
    rows = {"articles, unseen": articles["test"], "the same, words shuffled within lines": shuffled, "web pages": pages}
    for name, documents in rows.items():
        logarithms, num_words, _ = model.measure(documents)
        perplexities = 10 ** (-logarithms[num_words > 0] / UNITS_PER_LOG10 / num_words[num_words > 0])
        shares = " | ".join(f"{value:,.0f}" for value in np.percentile(perplexities, (10, 50, 90)))
        print(f"| {name} | {len(perplexities):,} | {shares} |")
    print()


def _qualities(articles: dict[str, pa.Array], novels: pa.Array, learnt: pa.Array, unseen: pa.Array, times: int) -> None:
    """Of texts that the classifier has not seen, from files that it has not seen."""
    print("| good | other | held out of these: AUC | of other files: AUC | by their first 20 words | MB/s trained |")
    print("|---|---|---|---|---|---|")
    for name, good, test in (("articles and novels", pa.concat_arrays([articles["valid"], novels]), articles["test"]),):
        data, seconds = _timed(lambda good=good: quality_classifier.train([good], [learnt], ClassifierConfig()), 3)
        classifier = quality_classifier.read_classifier(data, "the classifier")
        far, short = (
            area_under_curve(*(classifier.score_e4(find_words(_first_words(part, number))) for part in (test, unseen)))
            for number in (10**9, 20)
        )
        rate = (good.nbytes + learnt.nbytes) / 1e6 / seconds
        print(
            f"| {name} | web pages | {classifier.metadata['held_out_auc']:.4f} | {far:.4f} | {short:.4f} | {rate:.1f} |"
        )
    words = find_words(unseen)
    _, seconds = _timed(lambda: classifier.score_e4(words), times)
    _, with_words = _timed(lambda: classifier.score_e4(find_words(unseen)), times)
    rates = [unseen.nbytes / 1e6 / s for s in (seconds, with_words)]
    print(f"\nscored: {rates[0]:.0f} MB/s of words that were found before, {rates[1]:.0f} MB/s with finding them")


def _timed(work: Callable, times: int) -> tuple:
    """What it gives, and the median of its processor seconds; once before without a clock."""
    result, seconds = work(), []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return result, statistics.median(seconds)


def _shuffled(line: str, draw: np.random.Generator) -> str:
    return " ".join(draw.permutation(line.split()).tolist())


def _first_words(texts: pa.Array, number: int) -> pa.Array:
    return _column([" ".join(text.split()[:number]) for text in texts.to_pylist()])


def _articles(path: Path) -> pa.Array:
    text = gzip.decompress(path.read_bytes()).decode()
    for mark in _MARKS:  # or they would give an article away
        text = text.replace(mark, " ")
    return _column(_ARTICLE.split(text))


def _json_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def _english_pages(path: Path) -> pa.Array:
    pages = pa.concat_arrays(list(read_texts([str(path)], ReaderConfig())))
    return pages.filter(pc.equal(language.identify(pages)[0], "en"))


def _column(texts: list[str]) -> pa.Array:
    return pa.array([text for text in texts if text.strip()], pa.large_string())


if __name__ == "__main__":
    main()
