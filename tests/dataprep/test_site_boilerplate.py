import numpy as np
import pyarrow as pa
import pytest

from dataprep.kernels.text_buffers import column
from dataprep.site_boilerplate import (
    NO_SITE,
    SiteBoilerplateConfig,
    boilerplate,
    boilerplate_cuts,
    by_partition,
    page_counts,
    recurring,
    site_hashes,
)

CONFIG = SiteBoilerplateConfig(min_pages=3, min_share=0.5)
URL = "https://docs.example/{}"


def texts(*pages: str) -> pa.LargeStringArray:
    return pa.array(pages, pa.large_string())


def cut_from(pages: list[str], urls: list[str | None], num_shards: int = 1, num_partitions: int = 1) -> list[str]:
    """What is left of each page once the boilerplate of all is cut, by way of so many shards and partitions."""
    sites = site_hashes(pa.array(urls, pa.string()))
    shards = [slice(n, None, num_shards) for n in range(num_shards)]
    lines, of_sites = [], []
    for shard in shards:
        counted = page_counts(texts(*pages[shard]), sites[shard].copy())
        lines.append(groups(*by_partition(counted[0], "line", num_partitions)))
        of_sites.append(groups(*by_partition(counted[1], "site", num_partitions)))
    found = [
        groups(*by_partition(recurring([shard[n] for shard in lines], CONFIG), "site", num_partitions))
        for n in range(num_partitions)
    ]
    decided = [
        boilerplate([part[n] for part in found], [shard[n] for shard in of_sites], CONFIG)
        for n in range(num_partitions)
    ]
    keys = np.sort(column(pa.concat_tables(decided), "line").to_numpy())
    edits = boilerplate_cuts(texts(*pages), sites, keys)
    left = []
    for page, first, last in zip(pages, edits.offsets[:-1], edits.offsets[1:], strict=True):
        data = page.encode()
        for i in reversed(range(first, last)):
            data = data[: edits.starts[i]] + data[edits.ends[i] :]
        left.append(data.decode())
    return left


def groups(table: pa.Table, sizes: list[int]) -> list[pa.Table]:
    starts = np.cumsum([0, *sizes])
    return [table.slice(start, size) for start, size in zip(starts[:-1], sizes, strict=True)]


PAGES = [
    "Home | About\nfirst text\n\nHome | About\n(c) us",
    "  HOME |  about\nsecond text\n(c) us",
    "Home | About\nthird text, on three of six\non three",
    "fourth text\non three",
    "fifth text\nonly two",
    "sixth text\non three\nonly two",
]
URLS = [URL.format(n) for n in range(6)]
LEFT = [
    "first text\n\n(c) us",
    "second text\n(c) us",
    "third text, on three of six\n",
    "fourth text\n",
    "fifth text\nonly two",
    "sixth text\nonly two",
]


@pytest.mark.parametrize(("num_shards", "num_partitions"), [(1, 1), (2, 1), (3, 4), (6, 7)])
def test_lines_on_many_pages_of_a_site_go_whatever_the_shards(num_shards, num_partitions):
    # Three of six pages have the menu (twice on the first: it counts once) and "on three"; two have the others.
    assert cut_from(PAGES, URLS, num_shards, num_partitions) == LEFT


def test_a_small_share_of_a_large_site_is_no_boilerplate():
    more = [f"page {n}" for n in range(4)]
    assert cut_from([*PAGES, *more], [*URLS, *(URL.format(n) for n in more)]) == [*PAGES, *more]


def test_lines_of_several_sites_and_of_none_are_not_added_up():
    urls = [*URLS[:2], "https://other.example/", None, None, None]
    assert cut_from(PAGES, urls) == PAGES
    assert cut_from(["the same\nx"] * 5, [None] * 5) == ["the same\nx"] * 5


def test_a_page_of_nothing_but_boilerplate_is_left_to_deduplication():
    pages = ["menu\nfooter", "menu\nfooter\n", "menu\nfooter\n\ntext"]
    assert cut_from(pages, URLS[:3]) == ["menu\nfooter", "menu\nfooter\n", "\ntext"]


def test_a_site_is_a_host_without_www():
    urls = [
        "https://www.Docs.example:8080/a?b",
        "http://docs.example",
        "https://a.docs.example/",
        "https://[::1",
        "x",
        None,
    ]
    hashes = site_hashes(pa.array(urls, pa.string())).tolist()
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[3:] == [NO_SITE] * 3


def test_without_pages_there_is_nothing_to_cut():
    lines, sites = page_counts(texts(), np.empty(0, np.uint64))
    assert lines.num_rows == sites.num_rows == recurring([lines], CONFIG).num_rows == 0
    assert boilerplate([lines], [sites], CONFIG).num_rows == 0
    lines, sites = page_counts(texts("", "\n \n"), site_hashes(pa.array(URLS[:2])))
    assert lines.num_rows == sites.num_rows == 0
