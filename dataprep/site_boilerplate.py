"""Lines that recur over the pages of a site: menus, footers, notices. It takes all shards to know them.

    texts of a shard --page_counts--> pages of each line --recurring--> lines on enough pages
    + pages of each site --boilerplate--> lines on a large enough share --boilerplate_cuts--> cuts in the shard's texts

A site is the host of the URL without a leading `www.`: hosts are what has one template, and no list of domains decides.
Documents without a URL belong to no site and lose nothing. Between two steps everything is sorted by a key, so nothing
depends on shards, partitions or order.
"""

import functools
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from dataprep.errors import CorruptDataError
from dataprep.kernels.edit_rules import SITE_BOILERPLATE
from dataprep.kernels.edits import Edits, cuts
from dataprep.kernels.line_keys import line_keys
from dataprep.kernels.text_buffers import batches, column

NO_SITE = 0
"""What stands for the site of a document without one."""

MAX_BATCH_BYTES = 64 << 20
"""Text whose lines are counted at a time: up to 32 bytes each."""

LINE_PAGES = pa.schema(
    [
        pa.field("line", pa.uint64(), nullable=False),  # `kernels.line_keys`: another on every site
        pa.field("site", pa.uint64(), nullable=False),
        pa.field("num_pages", pa.int64(), nullable=False),  # that have the line, once or more
    ]
)
SITE_PAGES = pa.schema(
    [
        pa.field("site", pa.uint64(), nullable=False),
        pa.field("num_pages", pa.int64(), nullable=False),  # that have a line
    ]
)
BOILERPLATE = pa.schema([pa.field("line", pa.uint64(), nullable=False)])


class SiteBoilerplateConfig(BaseModel):
    """Which lines recur too often on a site to be text. The numbers are Seedbed's own: a menu stands on every page, or
    on those of one section; a heading such as `Examples` on fewer."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_pages: int = Field(default=10, ge=2, description="pages of the site that have the line, at least")
    min_share: float = Field(default=0.5, gt=0, le=1, description="share of the site's pages that have it, at least")


def site_hashes(urls: pa.Array) -> np.ndarray:
    """uint64[rows]: the hash of each URL's site, `NO_SITE` where it has none."""
    return np.fromiter((_site_hash(url) for url in urls.to_pylist()), np.uint64, len(urls))


def _site_hash(url: str | None) -> int:
    try:
        host = urlsplit(url).hostname if url else None
    except ValueError:  # like https://[::1
        host = None
    return _host_hash(host) if host else NO_SITE


@functools.lru_cache(maxsize=65536)
def _host_hash(host: str) -> int:
    return xxhash.xxh3_64_intdigest(host.lower().removeprefix("www.").encode()) or 1


def partition_of(keys: np.ndarray, num_partitions: int) -> np.ndarray:
    """int64[rows], ascending with the keys: which of `num_partitions` equal ranges of 64-bit keys."""
    return ((keys >> np.uint64(32)) * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int64)


def page_counts(text: pa.LargeStringArray, sites: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """`LINE_PAGES`, ascending by line, and `SITE_PAGES`, ascending by site, of one shard's surviving texts."""
    lines, pages = [], []
    for start, stop in batches(text, MAX_BATCH_BYTES):
        found = line_keys(text.slice(start, stop - start), sites[start:stop])
        document = np.repeat(np.arange(start, stop), np.diff(found.offsets))
        has_site = sites[document] != NO_SITE
        keys, document = found.keys[has_site], document[has_site]
        order = np.lexsort((document, keys))
        keys, document = keys[order], document[order]
        is_first = np.ones(len(keys), np.bool_)  # of a line on its page
        is_first[1:] = (keys[1:] != keys[:-1]) | (document[1:] != document[:-1])
        keys, document = keys[is_first], document[is_first]
        lines.append(_once_each([keys, sites[document]], LINE_PAGES))
        pages.append(_once_each([sites[np.unique(document)]], SITE_PAGES))
    return _added_up(lines, LINE_PAGES), _added_up(pages, SITE_PAGES)


def _once_each(columns: list[np.ndarray], schema: pa.Schema) -> pa.Table:
    """Rows of one page each, added up."""
    ones = np.ones(len(columns[0]), np.int64)
    return _added_up([pa.Table.from_arrays([pa.array(c) for c in (*columns, ones)], schema=schema)], schema)


def _added_up(parts: list[pa.Table], schema: pa.Schema) -> pa.Table:
    """One row for each first column's value, ascending, with the pages of all rows of it."""
    table = pa.concat_tables([schema.empty_table(), *parts])
    keys = column(table, schema.names[0]).to_numpy()
    order = np.argsort(keys, kind="stable")
    keys, num_pages = keys[order], column(table, "num_pages").to_numpy()[order]
    firsts = np.flatnonzero(np.concatenate((np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1])))
    sums = np.add.reduceat(num_pages, firsts) if len(firsts) else num_pages
    columns = [pa.array(column(table, name).to_numpy()[order[firsts]]) for name in schema.names[:-1]]
    return pa.Table.from_arrays([*columns, pa.array(sums)], schema=schema)


def by_partition(table: pa.Table, key: str, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """The rows in the order of `key`, and how many each partition has: its piece."""
    keys = column(table, key).to_numpy()
    order = np.argsort(keys, kind="stable")
    num_rows = np.bincount(partition_of(keys, num_partitions), minlength=num_partitions).tolist()
    return table.take(pa.array(order)), num_rows


def recurring(parts: list[pa.Table], config: SiteBoilerplateConfig) -> pa.Table:
    """`LINE_PAGES` of one partition of lines, added up over all shards: those on `min_pages` and more."""
    table = _added_up(parts, LINE_PAGES)
    return table.filter(pa.array(column(table, "num_pages").to_numpy() >= config.min_pages))


def boilerplate(lines: list[pa.Table], pages: list[pa.Table], config: SiteBoilerplateConfig) -> pa.Table:
    """`BOILERPLATE` of one partition of sites, ascending: of the recurring lines (`LINE_PAGES`) those on `min_share` of
    their site's pages (`SITE_PAGES` of all shards)."""
    table = _added_up(lines, LINE_PAGES)
    sites = _added_up(pages, SITE_PAGES)
    of_line = np.searchsorted(column(sites, "site").to_numpy(), column(table, "site").to_numpy())
    if not is_in(column(table, "site").to_numpy(), column(sites, "site").to_numpy()).all():
        raise CorruptDataError("lines recur on a site of which no shard has counted the pages: run `clean` again")
    site_pages = column(sites, "num_pages").to_numpy()[of_line]
    is_boilerplate = column(table, "num_pages").to_numpy() >= config.min_share * site_pages
    return table.select(["line"]).filter(pa.array(is_boilerplate))


def boilerplate_cuts(text: pa.LargeStringArray, sites: np.ndarray, lines: np.ndarray) -> Edits:
    """The cuts of `lines` (uint64[], ascending: keys of boilerplate) in the texts.

    A page of nothing but such lines is a copy of others, and what becomes of copies is for `deduplicate` to say: it
    loses none.
    """
    found = line_keys(text, sites)
    document = np.repeat(np.arange(len(text)), np.diff(found.offsets))
    is_cut = sites[document] != NO_SITE
    is_cut &= is_in(found.keys, lines)
    is_whole = np.bincount(document[is_cut], minlength=len(text)) == np.diff(found.offsets)
    is_cut &= ~is_whole[document]
    num_cuts = np.bincount(document[is_cut], minlength=len(text))
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(num_cuts)))
    rules = np.full(int(offsets[-1]), SITE_BOILERPLATE, np.int8)
    return cuts(offsets, found.starts[is_cut], found.ends[is_cut], rules)


def is_in(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """bool[values]: which of them are among `ascending`."""
    if len(ascending) == 0:
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    found: np.ndarray = ascending[at] == values
    return found
