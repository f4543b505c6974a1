"""Pages a second through each engine, on one core, in alternating rounds."""

import statistics
import time
from collections.abc import Sequence

from benchmarks.extraction.pages import CrawledPage
from dataprep.extraction.engines.registry import EngineName, load_engine
from dataprep.extraction.page import ExtractConfig, extract_page


def rates(pages: Sequence[CrawledPage], engines: Sequence[EngineName], num_rounds: int) -> dict[str, dict[str, list]]:
    """Pages a second of each round: `engine` of its function alone on decoded pages, `page` of `extract_page`."""
    htmls = [page.html for page in pages]
    found: dict[str, dict[str, list]] = {name: {"engine": [], "page": []} for name in engines}
    for _ in range(num_rounds):
        for name in engines:
            text_of, config = load_engine(name), ExtractConfig(engine=name)
            started = time.process_time()  # of this process, whatever else the machine does
            for html in htmls:
                text_of(html, True)
            between = time.process_time()
            for page in pages:
                extract_page(page.payload, page.content_type, page.charset, config)
            ended = time.process_time()
            found[name]["engine"].append(len(pages) / (between - started))
            found[name]["page"].append(len(pages) / (ended - between))
    return found


def summary(figures: Sequence[float]) -> str:
    """The median and how far the rounds lie apart."""
    return f"{statistics.median(figures):,.0f} [{min(figures):,.0f}-{max(figures):,.0f}]"
