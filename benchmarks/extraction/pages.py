"""The pages that engines are measured on: 400 labelled ones, and those of a crawl."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from resiliparse.extract.html2text import extract_plain_text

from dataprep.extraction.charset import decode
from dataprep.extraction.page import check_answer
from dataprep.reading.warc import read_warc

MAX_RECORD_BYTES = 16 << 20
PHRASES = "phrases that must / must not be extracted"
ARTICLE_HTML = "expected article html"


@dataclass(frozen=True)
class CrawledPage:
    """What a server sent."""

    url: str
    payload: bytes
    content_type: str | None
    charset: str | None

    @property
    def html(self) -> str:
        return decode(self.payload, self.charset)[0]


@dataclass(frozen=True)
class LabelledPage:
    """A page and what is known about its text: phrases, or else the article."""

    page: CrawledPage
    source: str  # the set that it was labelled for
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    article: str | None = None

    @property
    def is_held_out(self) -> bool:
        """Whether nothing may be tuned on it: half of the sites, by a hash of their names."""
        return zlib.crc32(site(self.page.url).encode()) % 2 == 1


def site(url: str) -> str:
    """The host that a page stands on."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


def crawled_pages(files: list[Path]) -> Iterator[CrawledPage]:
    """Every page that `extract` would look at."""
    for path in files:
        with path.open("rb") as stream:
            for record in read_warc(stream, MAX_RECORD_BYTES):
                if record.problem is None and not check_answer(record.http_status, record.content_type, record.payload):
                    yield CrawledPage(record.url or "", record.payload, record.content_type, record.charset)


def labelled_pages(folder: Path) -> list[LabelledPage]:
    """The pages of `folder`: pages.warc.gz, and a line of truth.jsonl.gz for each, in the same order."""
    with gzip.open(folder / "truth.jsonl.gz", "rt") as lines:
        truths = [json.loads(line) for line in lines]
    pages = crawled_pages([folder / "pages.warc.gz"])
    return [_labelled(page, truth) for page, truth in zip(pages, truths, strict=True)]


def _labelled(page: CrawledPage, truth: dict) -> LabelledPage:
    if page.url.strip() != truth["url"].strip():
        raise ValueError(f"the truth about {truth['url']} stands beside the page {page.url}")
    if truth["truth_kind"] == PHRASES:
        said = truth["truth"]
        return LabelledPage(page, truth["set"], tuple(said["with"]), tuple(said["without"]))
    article = truth["truth"]
    if truth["truth_kind"] == ARTICLE_HTML:  # its markup holds the article and nothing else
        article = extract_plain_text(article, main_content=False, alt_texts=False, preserve_formatting=True)
    return LabelledPage(page, truth["set"], article=article)
