"""`python -m benchmarks.extraction --corpora FOLDER`: see README.md beside this."""

import argparse
import json
import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path

from benchmarks.extraction.pages import crawled_pages, labelled_pages
from benchmarks.extraction.rates import rates, summary
from benchmarks.extraction.scores import score
from benchmarks.extraction.survival import survival
from dataprep.extraction.engines.registry import ENGINES
from dataprep.extraction.page import ExtractConfig, extract_page

RESULTS = Path(__file__).with_name("results")
COLUMNS = (
    ("recall", "phrase_recall"),
    ("reject", "phrase_rejection"),
    ("phrase F1", "phrase_f1"),
    ("article F1", "article_f1"),
    ("(prec.", "article_precision"),
    ("recall)", "article_recall"),
    ("html F1", "html_f1"),
    ("(prec.", "html_precision"),
    ("recall)", "html_recall"),
)


def main(argv: list[str] | None = None) -> int:
    """Score, filter and time each engine; print the tables and write them as JSON."""
    options = _parse(argv)
    labelled = labelled_pages(options.corpora / "extraction")
    halves = {
        "all": labelled,
        "tuned on": [page for page in labelled if not page.is_held_out],
        "held out": [page for page in labelled if page.is_held_out],
    }
    crawled = list(crawled_pages(sorted((options.corpora / "web").glob("*.warc.gz"))))
    result: dict = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "scores": {}}
    result["versions"] = {name: ENGINES[name].software() for name in options.engines}
    texts = {name: {id(page): _text(page.page, name) for page in labelled} for name in options.engines}
    for half, pages in halves.items():
        print(f"\n{half}: {len(pages)} pages\n{'':<12} " + " ".join(f"{title:>10}" for title, _ in COLUMNS))
        for name in options.engines:
            row = score(pages, [texts[name][id(page)] for page in pages]).as_row()
            result["scores"].setdefault(half, {})[name] = row
            print(f"{name:<12} " + " ".join(f"{row[key]:>10.4f}" for _, key in COLUMNS), flush=True)
    if options.rounds:
        result["rates"] = _timed(crawled, [page.page for page in labelled], options)
    if options.survival_pages:
        sample = _spread(crawled, options.survival_pages)
        print(f"\nleft after language and Gopher quality, of {len(sample)} crawled pages")
        result["survival"] = {"pages": len(sample)}
        for name in options.engines:
            result["survival"][name] = left = survival([_text(page, name) for page in sample])
            print(f"{name:<12} " + ", ".join(f"{reason} {count:,}" for reason, count in left.items()), flush=True)
    result["numpy"] = version("numpy")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction", description=__doc__)
    corpora = os.environ.get("SEEDBED_CORPORA", "../shared/corpora")
    parser.add_argument("--corpora", type=Path, default=Path(corpora), help="holds extraction/ and web/; %(default)s")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES), metavar="ENGINE")
    parser.add_argument("--rounds", type=int, default=5, help="of timing, alternating between engines; %(default)s")
    parser.add_argument("--timed-pages", type=int, default=300, help="spread over the crawl; %(default)s")
    parser.add_argument("--survival-pages", type=int, default=3000, help="spread over the crawl; %(default)s")
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json", help="%(default)s")
    return parser.parse_args(argv)


def _spread(pages: list, count: int) -> list:
    return pages[:: max(1, len(pages) // count)]


def _text(page, engine: str) -> str:
    config = ExtractConfig(engine=engine)
    return extract_page(page.payload, page.content_type, page.charset, config).text


def _timed(crawled: list, labelled: list, options: argparse.Namespace) -> dict:
    found = {}
    for kind, pages in (("crawled", _spread(crawled, options.timed_pages)), ("labelled", labelled[::8])):
        found[kind] = measured = rates(pages, options.engines, options.rounds)
        print(f"\npages/s of {len(pages)} {kind} pages, one core, median of {options.rounds} [least-greatest]")
        print(f"{'':<12} {'engine alone':>28} {'whole extract_page':>28}")
        for name, row in measured.items():
            print(f"{name:<12} {summary(row['engine']):>28} {summary(row['page']):>28}", flush=True)
        for row in measured.values():
            row["median"] = {part: statistics.median(row[part]) for part in ("engine", "page")}
    return found


if __name__ == "__main__":
    raise SystemExit(main())
