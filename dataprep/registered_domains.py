"""The registered domain of a URL: the name that somebody has registered below a public suffix.

    https://www.news.example.co.uk/a  ->  example.co.uk          https://ann.github.io/  ->  ann.github.io

By the Public Suffix List as it comes with tldextract (its version is in the fingerprint of the step that asks), both of
its sections, as browsers take it: who has a name below `github.io` is a publisher of their own. A host without a public
suffix, one that is a suffix itself, and an IP address stand for themselves. Nothing is downloaded.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.kernels.text_buffers import text_from_buffers
from dataprep.url_lists import Hosts
from dataprep.urls import canonical_host

if TYPE_CHECKING:
    from tldextract import TLDExtract


def registered_domains(urls: pa.Array) -> pa.DictionaryArray:
    """The registered domain of each URL, in small ASCII letters; null where there is no host."""
    hosts = Hosts.of(urls.cast(pa.large_string()).fill_null(""))
    names = pc.dictionary_encode(_texts(hosts))
    is_ip = np.zeros(len(names.dictionary), np.bool_)
    is_ip[names.indices.to_numpy()] = hosts.is_ip  # a host is one or none wherever it stands
    known = [
        _domain(host, is_address) for host, is_address in zip(names.dictionary.to_pylist(), is_ip.tolist(), strict=True)
    ]
    return pc.dictionary_encode(pa.array(known, pa.large_string()).take(names.indices))


def _texts(hosts: Hosts) -> pa.LargeStringArray:
    """The hosts of the rows, as they stand in their URLs."""
    sizes = hosts.ends - hosts.starts
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    places = np.arange(offsets[-1]) + np.repeat(hosts.starts - offsets[:-1], sizes)
    return text_from_buffers(hosts.data[places], offsets)


def _domain(host: str, is_ip: bool) -> str | None:
    if not host:
        return None
    name = canonical_host(host.partition("]")[0])  # of IPv6 with a port: the port is behind the bracket
    return name if is_ip else _suffixes()(name).top_domain_under_public_suffix or name


@functools.cache
def _suffixes() -> "TLDExtract":
    from tldextract import TLDExtract  # takes a quarter of a second, and few runs ask

    return TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)
