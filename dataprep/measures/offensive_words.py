"""How many offensive words a document has, by the list of its language."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from dataprep.errors import DataError
from dataprep.filters.language import LanguageCode
from dataprep.kernels.listed_words import MAX_ENTRY_WORDS, WordLists, count_listed
from dataprep.kernels.words import Words, find_words
from dataprep.lists import ListFiles, entries
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts

SHIPPED = Path(__file__).parent / "lists"


class OffensiveWordsConfig(BaseModel):
    """Which words count as offensive. The shipped lists are small on purpose: see docs/personal-data.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lists: dict[LanguageCode, ListFiles] = Field(
        default={}, description="by ISO 639 code: files of words and phrases of up to four words, one a line"
    )
    shipped_lists: bool = Field(default=True, description="also the lists that are shipped, in eight languages")


@dataclass(frozen=True)
class OffensiveWordsMeasure:
    """`num_offensive_words`, occurrences; 0 in a language without a list. `contents` holds the bytes of each file by
    the name that `config` gives it."""

    config: OffensiveWordsConfig
    contents: Mapping[str, bytes]

    def fields(self) -> list[pa.Field]:
        return counts("num_offensive_words")

    def columns(self, batch: Batch) -> list[pa.Array]:
        languages, lists = self._lists
        found = pc.index_in(batch.languages, value_set=pa.array(languages, pa.string())).fill_null(-1)
        return [pa.array(count_listed(batch.words, lists, found.cast(pa.int64()).to_numpy().copy()))]

    @functools.cached_property
    def _lists(self) -> tuple[list[str], WordLists]:
        """The languages, and a list for each."""
        shipped = shipped_lists() if self.config.shipped_lists else {}
        languages = sorted(shipped.keys() | self.config.lists.keys())
        lists = []
        for language in languages:
            files = [parse_phrases(self.contents[name], name) for name in self.config.lists.get(language, ())]
            files += [parse_phrases(shipped[language], f"{language}.txt")] if language in shipped else []
            lists.append(files)
        return languages, WordLists.of(lists)


@functools.cache
def shipped_lists() -> dict[str, bytes]:
    """The lists that come with the package, by language."""
    return {path.stem: path.read_bytes() for path in sorted(SHIPPED.glob("*.txt"))}


def parse_phrases(data: bytes, name: str) -> Words:
    """The words of each entry of a list. Raises DataError with the line of an entry of no words or too many."""
    lines = list(entries(data, name))
    words = find_words(pa.array([entry for _, entry in lines], pa.large_string()))
    sizes = np.diff(words.offsets)
    wrong = np.flatnonzero((sizes == 0) | (sizes > MAX_ENTRY_WORDS))
    if wrong.size:
        number, entry = lines[wrong[0]]
        raise DataError(
            f"{name}, line {number}: {entry!r} has {sizes[wrong[0]]} words, expected 1 to {MAX_ENTRY_WORDS}"
        )
    return words
