"""`python -m benchmarks.language CORPORA`: language identification of ours and of fastText's C++, in turns on one core,
and how often it is right, by language.

CORPORA is a folder with `text/udhr.jsonl.gz` (a declaration in 464 languages) and `web/` (pages and their manifest).
"""

import argparse
import gzip
import json
import statistics
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import fasttext
import pyarrow as pa
from fastwarc.warc import ArchiveIterator
from resiliparse.extract.html2text import extract_plain_text

from dataprep.language import identify, known_languages, model_file

NUM_CHARACTERS = 2000
# Name of a declaration (ISO 639-3 and a variant) -> the model's code, for the languages that the model knows.
CODES = Path(__file__).with_name("codes.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.language", description=__doc__)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--every", type=int, default=10, help="one page in so many, %(default)s by default")
    parser.add_argument("--times", type=int, default=7, help="rounds, %(default)s by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "latest.json")
    arguments = parser.parse_args()
    declarations = read_lines(arguments.corpora / "text" / "udhr.jsonl.gz")
    pages = web_pages(arguments.corpora / "web", arguments.every)
    codes = json.loads(CODES.read_text())
    assert set(codes.values()) <= known_languages()
    texts = {"pages": [text for _, text in pages], "udhr": [row["text"] for row in declarations]}
    result: dict[str, Any] = {"speed": {name: speed(them, arguments.times) for name, them in texts.items()}}
    known = [(codes[row["id"]], row["text"]) for row in declarations if row["id"] in codes]
    unknown = [("unknown", row["text"]) for row in declarations if row["id"] not in codes]
    result["accuracy"] = {"udhr": accuracy(known), "pages": accuracy(pages), "udhr_unknown": accuracy(unknown)}
    for name, found in result["speed"].items():
        print(name, json.dumps(found))
    for name, by_language in result["accuracy"].items():
        right, num = (sum(row[key] for row in by_language.values()) for key in ("right", "documents"))
        print(f"{name}: {right} of {num}")
        for language, row in sorted(by_language.items()):
            print(f"  {language:<8} {row['right']:>5} of {row['documents']:<5} {row['taken_for']}")
    arguments.out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def web_pages(folder: Path, every: int) -> list[tuple[str, str]]:
    """The detected language and the main content of one page in `every`."""
    rows = read_lines(folder / "manifest.jsonl.gz")
    rows = [row for row in rows if row["kind"] == "doc" and row.get("detected_language")][::every]
    pages = []
    for row in rows:
        with (folder / row["file"]).open("rb") as stream:
            stream.seek(row["offset"])
            record = next(iter(ArchiveIterator(stream, parse_http=True)))
            html = record.reader.read().decode(row["charset"] or "utf-8", "replace")
        if text := extract_plain_text(html, main_content=True).strip():
            pages.append((row["detected_language"], text))
    return pages


def speed(texts: list[str], num_rounds: int) -> dict[str, float]:
    """Pages/s and MB/s of ours and of the C++ in turns, medians; the largest difference of a score, and labels that
    differ."""
    column = pa.array(texts, pa.large_string())
    lines = [text[:NUM_CHARACTERS].replace("\n", " ") for text in texts]
    megabytes = sum(len(line.encode()) for line in lines) / 1e6
    predict = fasttext.load_model(str(model_file())).predict
    languages, scores = identify(column, NUM_CHARACTERS)  # compiles
    seconds: dict[str, list[float]] = defaultdict(list)
    theirs = []
    for _ in range(num_rounds):
        started = time.perf_counter()
        identify(column, NUM_CHARACTERS)
        seconds["ours"].append(time.perf_counter() - started)
        started = time.perf_counter()
        theirs = [predict(line) for line in lines]
        seconds["c++"].append(time.perf_counter() - started)
    ratios = [theirs_s / ours_s for theirs_s, ours_s in zip(seconds["c++"], seconds["ours"], strict=True)]
    rates = {f"{who} pages/s": round(len(texts) / statistics.median(them)) for who, them in seconds.items()}
    rates |= {f"{who} MB/s": round(megabytes / statistics.median(them), 2) for who, them in seconds.items()}
    others = sum(
        f"__label__{language}" != label for language, ((label,), _) in zip(languages.to_pylist(), theirs, strict=True)
    )
    gaps = (abs(score / 1e4 - min(their, 1.0)) for score, (_, (their,)) in zip(scores.tolist(), theirs, strict=True))
    return rates | {
        "times faster": round(statistics.median(ratios), 1),
        "labels that differ": others,
        "largest difference of a rounded score": round(max(gaps), 6),
    }


def accuracy(documents: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """By language: documents, those taken for it, and what the others were taken for."""
    languages, _ = identify(pa.array([text for _, text in documents], pa.large_string()), NUM_CHARACTERS)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (language, _), taken_for in zip(documents, languages.to_pylist(), strict=True):
        found[language][taken_for] += 1
    return {
        language: {
            "documents": sum(counts.values()),
            "right": counts[language],
            "taken_for": {other: count for other, count in counts.most_common(8) if other != language},
        }
        for language, counts in found.items()
    }


if __name__ == "__main__":
    main()
