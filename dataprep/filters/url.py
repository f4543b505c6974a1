"""What may not stand in a page's URL: blocked domains, words, IP addresses (RefinedWeb, Penedo et al. 2023, A.1)."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, quantity
from dataprep.lists import ListFiles
from dataprep.url_lists import Domains, UrlLists, parse_domains, parse_words, shipped_list


class UrlConfig(BaseModel):
    """URLs that are blocked. Lists are files of the user's beside the small ones that are shipped."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    blocked_domains: ListFiles = Field(
        default=(), description="lists of domains, one a line: pages of them and of their subdomains go"
    )
    hard_words: ListFiles = Field(default=(), description="lists of words: a URL with one of them goes")
    soft_words: ListFiles = Field(default=(), description="lists of words: a URL with several of them goes")
    max_soft_words: int = Field(default=1, ge=0, description="soft words in a URL; one that stands twice counts twice")
    shipped_lists: bool = Field(
        default=True, description="also the lists that are shipped: a few dozen words, shorteners of links"
    )
    drop_ip_address_hosts: bool = Field(default=True, description="whether pages of a bare IP address go")

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        """On the columns of `dataprep.url_lists.url_facts`, which `select` puts beside the attributes."""
        yield _none("blocked_domain", quantity(attributes, "url_is_blocked"))
        yield _none("blocked_url_word", quantity(attributes, "num_hard_url_words"))
        soft = quantity(attributes, "num_soft_url_words")
        yield Rule.at_most("too_many_suspect_url_words", soft, self.max_soft_words)
        if self.drop_ip_address_hosts:
            yield _none("ip_address_host", quantity(attributes, "url_is_ip_address"))

    def lists(self, contents: dict[str, bytes]) -> UrlLists:
        """The lists, from the bytes of each file by the name that this config gives it. Raises DataError."""
        shipped = self.shipped_lists
        domains = [parse_domains(contents[name], name) for name in self.blocked_domains]
        domains += [parse_domains(shipped_list("shorteners.txt"), "shorteners.txt")] if shipped else []
        words = []
        for names, own in ((self.hard_words, "url_hard_words.txt"), (self.soft_words, "url_soft_words.txt")):
            parts = [parse_words(contents[name], name) for name in names]
            parts += [parse_words(shipped_list(own), own)] if shipped else []
            words.append(np.unique(np.concatenate([np.empty(0, np.uint64), *parts])))
        return UrlLists(Domains.of(pa.concat_arrays([pa.array([], pa.large_string()), *domains])), *words)


def _none(reason: str, value: np.ndarray) -> Rule:
    return Rule.at_most(reason, value, 0)
