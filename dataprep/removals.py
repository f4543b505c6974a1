"""Removal lists: documents that somebody has asked to be left out, by id, URL or domain.

x.example                          every page of this domain and of those below it
https://x.example/page?id=7        this page, in any spelling (`dataprep.urls.same_page_key`)
docs/corpus-000.warc.gz#17         this document, as `source/path#record` or as 32 hexadecimal digits
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from dataprep import document_id
from dataprep.errors import DataError
from dataprep.kernels.text_buffers import column
from dataprep.lists import ListFiles, entries
from dataprep.schemas import ID
from dataprep.url_lists import Domains, Hosts
from dataprep.urls import canonical_host, same_page_key

BY_ID, BY_URL, BY_DOMAIN = 1, 2, 3
REASONS = {BY_ID: "removed_by_id", BY_URL: "removed_by_url", BY_DOMAIN: "removed_by_domain"}
KINDS = {BY_ID: "id", BY_URL: "url", BY_DOMAIN: "domain"}

_HEX_ID = re.compile(r"[0-9a-f]{32}")
_DOMAIN = re.compile(r"(?=.*[^\d.])[^\s/:@?#\\]+(\.[^\s/:@?#\\.]+)+\.?")


class RemovalsConfig(BaseModel):
    """What must not be learnt from, whatever the filters say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: ListFiles = Field(
        default=(),
        description="files of one entry a line: a document's id, a URL, a domain; `seedbed takedown --add` writes them",
    )


@dataclass(frozen=True)
class Entry:
    """One entry; `value` is what is compared: a packed id (hex), a page's key, a host."""

    kind: int
    value: str

    @classmethod
    def parse(cls, text: str) -> "Entry":
        """Raises DataError for what is neither id, URL nor domain."""
        if _HEX_ID.fullmatch(text):
            return cls(BY_ID, text)
        if "://" in text:
            return cls(BY_URL, same_page_key(text))
        packed = document_id.parse_id(text)
        if packed is not None:
            return cls(BY_ID, packed.hex())
        if _DOMAIN.fullmatch(text):
            return cls(BY_DOMAIN, canonical_host(text.removeprefix("*.")))
        raise DataError(
            f"{text!r} is neither a URL (https://x.example/page), nor a document's id (source/path#record), nor a "
            "domain (x.example)"
        )


def parse(data: bytes, name: str) -> list[Entry]:
    """The entries of a list. Raises DataError with the line of what is none."""
    found = []
    for number, text in entries(data, name):
        try:
            found.append(Entry.parse(text))
        except DataError as error:
            raise DataError(f"{name}, line {number}: {error}") from error
    return found


@dataclass(frozen=True)
class Removals:
    """Everything that lists ask to be removed."""

    ids: pa.Array = field(default_factory=lambda: pa.array([], ID))
    keys: frozenset[str] = frozenset()  # of pages
    key_hosts: Domains = field(default_factory=Domains)  # hosts of those pages: the URLs worth a closer look
    domains: Domains = field(default_factory=Domains)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Removals":
        by_kind: dict[int, list[str]] = {kind: [] for kind in REASONS}
        for entry in entries:
            by_kind[entry.kind].append(entry.value)
        hosts = {re.split(r"[/?]", key, maxsplit=1)[0].rsplit(":", 1)[0] for key in by_kind[BY_URL]}
        return cls(
            pa.array([bytes.fromhex(value) for value in by_kind[BY_ID]], ID),
            frozenset(by_kind[BY_URL]),
            Domains.of(pa.array(sorted(hosts), pa.large_string())),
            Domains.of(pa.array(by_kind[BY_DOMAIN], pa.large_string())),
        )

    def match(self, documents: pa.Table) -> np.ndarray:
        """int64[rows]: how each row of `documents` (id, url) is removed, the first of BY_ID, BY_URL, BY_DOMAIN; 0: it
        is not."""
        removed = np.zeros(documents.num_rows, np.int64)
        urls = column(documents, "url").cast(pa.large_string()).fill_null("")
        hosts = Hosts.of(urls)
        removed[self.domains.hold(hosts)] = BY_DOMAIN
        if self.keys:
            for row in np.flatnonzero(self.key_hosts.hold(hosts) | hosts.is_ip).tolist():
                if _key(urls[row].as_py()) in self.keys:
                    removed[row] = BY_URL
        if len(self.ids):
            of_ids = pc.is_in(column(documents, "id"), value_set=self.ids).to_numpy(zero_copy_only=False)
            removed[of_ids] = BY_ID
        return removed


def _key(url: str) -> str | None:
    """None where the crawl recorded what is no URL."""
    try:
        return same_page_key(url)
    except DataError:
        return None
