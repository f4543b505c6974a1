"""What lists say of URLs: blocked domains, words. Filters decide on the numbers that come of it.

urls --find_hosts--> hosts --match_domains--> blocked or not        urls --find_words--> words --> how many are listed
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.errors import DataError
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.url_hosts import find_hosts, hash_domains, match_domains
from dataprep.kernels.words import find_words
from dataprep.lists import entries, text_of
from dataprep.urls import canonical_host

SHIPPED = Path(__file__).parent / "filters" / "lists"

DOMAIN = r"^(\*\.)?[^\s/:@?#\\]+(\.[^\s/:@?#\\]+)*\.?$"
"""What a line of a list of domains may be: labels and dots. RE2's, which Arrow runs."""

URL_COLUMNS = ("url_is_blocked", "url_is_ip_address", "num_hard_url_words", "num_soft_url_words")
"""What `url_facts` says, int64[rows] each."""


@dataclass(frozen=True)
class Hosts:
    """The hosts of URLs: bytes and ranges (`find_hosts`)."""

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    is_ip: np.ndarray
    is_ascii: np.ndarray

    @classmethod
    def of(cls, urls: pa.LargeStringArray) -> "Hosts":
        data, offsets = text_buffers(urls)
        starts, ends = np.empty(len(urls), np.int64), np.empty(len(urls), np.int64)
        is_ip, is_ascii = np.empty(len(urls), np.bool_), np.empty(len(urls), np.bool_)
        find_hosts(data, offsets, starts, ends, is_ip, is_ascii)
        return cls(data, starts, ends, is_ip, is_ascii)


@dataclass(frozen=True)
class Domains:
    """A set of domains, by 64-bit hashes: a million take 8 MB; a host that is none of them is taken for one once in
    10^13 endings at that size."""

    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))  # ascending

    @classmethod
    def of(cls, domains: pa.LargeStringArray) -> "Domains":
        """`domains` in ASCII (`canonical_host`); capitals are as small letters."""
        hashes = np.empty(len(domains), np.uint64)
        hash_domains(*text_buffers(domains), hashes)
        return cls(np.unique(hashes))

    def hold(self, hosts: Hosts) -> np.ndarray:
        """bool[rows]: whether each host is one of them, or lies below one."""
        matched = np.empty(len(hosts.starts), np.bool_)
        match_domains(hosts.data, hosts.starts, hosts.ends, self.hashes, matched)
        for row in np.flatnonzero(~hosts.is_ascii).tolist():  # few: crawlers store ASCII names
            host = bytes(hosts.data[hosts.starts[row] : hosts.ends[row]]).decode("utf-8", "replace")
            written = pa.array([f"http://{canonical_host(host)}/"], pa.large_string())
            name = Hosts.of(written)
            match_domains(name.data, name.starts, name.ends, self.hashes, matched[row : row + 1])
        return matched


@dataclass(frozen=True)
class UrlLists:
    """Blocked domains, and hashes of words, ascending."""

    domains: Domains
    hard_words: np.ndarray
    soft_words: np.ndarray


def parse_domains(data: bytes, name: str) -> pa.LargeStringArray:
    """The domains of a list, in ASCII; by columns, as lists of millions are usual. Raises DataError with the line of
    what is none."""
    lines = pa.array(text_of(data, name).split("\n"), pa.large_string())
    found = pc.utf8_trim_whitespace(pc.replace_substring_regex(lines, r"(^|\s)#.*$", ""))
    is_wrong = pc.and_(pc.not_equal(found, ""), pc.invert(pc.match_substring_regex(found, DOMAIN)))
    wrong = np.flatnonzero(is_wrong.to_numpy(zero_copy_only=False))
    if wrong.size:
        row = int(wrong[0])
        raise DataError(f"{name}, line {row + 1}: {found[row].as_py()!r} is no domain such as x.example")
    found = pc.replace_substring_regex(found.filter(pc.not_equal(found, "")), r"^\*\.|\.$", "")
    is_ascii = pc.string_is_ascii(found)
    if not pc.all(is_ascii).as_py():
        others = pa.array([canonical_host(domain) for domain in found.filter(pc.invert(is_ascii)).to_pylist()])
        found = pc.replace_with_mask(found, pc.invert(is_ascii), others.cast(pa.large_string()))
    return found


def parse_words(data: bytes, name: str) -> np.ndarray:
    """Hashes of the words of a list, ascending. Raises DataError with the line of what is not one word."""
    lines = list(entries(data, name))
    words = find_words(pa.array([entry for _, entry in lines], pa.large_string()))
    wrong = np.flatnonzero(np.diff(words.offsets) != 1)
    if wrong.size:
        number, entry = lines[wrong[0]]
        raise DataError(f"{name}, line {number}: {entry!r} is not one word: words end at what is no letter or digit")
    return np.unique(words.hashes)


@functools.cache
def shipped_list(name: str) -> bytes:
    """A list that comes with the package."""
    return (SHIPPED / name).read_bytes()


def url_facts(urls: pa.Array, lists: UrlLists) -> dict[str, np.ndarray]:
    """`URL_COLUMNS`, a row for each URL; zeros where there is none."""
    text = urls.cast(pa.large_string()).fill_null("")
    hosts = Hosts.of(text)
    words = find_words(text)
    columns = (
        lists.domains.hold(hosts),
        hosts.is_ip,
        _num_listed(words.hashes, words.offsets, lists.hard_words),
        _num_listed(words.hashes, words.offsets, lists.soft_words),
    )
    return {name: values.astype(np.int64) for name, values in zip(URL_COLUMNS, columns, strict=True)}


def _num_listed(hashes: np.ndarray, offsets: np.ndarray, listed: np.ndarray) -> np.ndarray:
    if listed.size == 0:
        return np.zeros(len(offsets) - 1, np.int64)
    nearest = np.minimum(np.searchsorted(listed, hashes), listed.size - 1)
    before = np.concatenate(([0], np.cumsum(listed[nearest] == hashes)))
    return before[offsets[1:]] - before[offsets[:-1]]
