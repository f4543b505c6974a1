"""Gopher's repetition rules (Rae et al. 2021, A.1 and table A1)."""

from collections.abc import Iterator

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, ratio
from dataprep.kernels.repetition import DUPLICATE_SIZES, TOP_SIZES


def _share(published: float, of: str) -> float:
    return Field(default=published, ge=0, le=1, description=f"share of {of}")


class GopherRepetitionConfig(BaseModel):
    """The repetition rules of Gopher, with the published limits. Lines and paragraphs are as in
    `dataprep.kernels.lines`, n-grams as in `dataprep.kernels.repetition`; a duplicate is what occurred before in the
    same document, so that the first of several is none. The characters of lines and paragraphs are all but the
    whitespace at the ends of lines, those of n-grams are the ones of words."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_duplicate_line_share: float = _share(0.30, "lines that are duplicates")
    max_duplicate_paragraph_share: float = _share(0.30, "paragraphs that are duplicates")
    max_duplicate_line_character_share: float = _share(0.20, "characters of lines in duplicate lines")
    max_duplicate_paragraph_character_share: float = _share(0.20, "characters of lines in duplicate paragraphs")
    max_top_2_gram_share: float = _share(0.20, "characters of words in the most frequent 2-gram")
    max_top_3_gram_share: float = _share(0.18, "characters of words in the most frequent 3-gram")
    max_top_4_gram_share: float = _share(0.16, "characters of words in the most frequent 4-gram")
    max_duplicate_5_gram_share: float = _share(0.15, "characters of words in duplicate 5-grams")
    max_duplicate_6_gram_share: float = _share(0.14, "characters of words in duplicate 6-grams")
    max_duplicate_7_gram_share: float = _share(0.13, "characters of words in duplicate 7-grams")
    max_duplicate_8_gram_share: float = _share(0.12, "characters of words in duplicate 8-grams")
    max_duplicate_9_gram_share: float = _share(0.11, "characters of words in duplicate 9-grams")
    max_duplicate_10_gram_share: float = _share(0.10, "characters of words in duplicate 10-grams")

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        for thing in ("line", "paragraph"):
            share = ratio(attributes, f"num_duplicate_{thing}s", f"num_{thing}s")
            yield Rule.at_most(f"too_many_duplicate_{thing}s", share, getattr(self, f"max_duplicate_{thing}_share"))
        for thing in ("line", "paragraph"):
            share = ratio(attributes, f"num_duplicate_{thing}_characters", "num_line_characters")
            limit = getattr(self, f"max_duplicate_{thing}_character_share")
            yield Rule.at_most(f"too_much_text_in_duplicate_{thing}s", share, limit)
        for n in TOP_SIZES:
            share = ratio(attributes, f"num_top_{n}_gram_characters", "num_word_characters")
            yield Rule.at_most(f"too_much_text_in_top_{n}_gram", share, getattr(self, f"max_top_{n}_gram_share"))
        for n in DUPLICATE_SIZES:
            share = ratio(attributes, f"num_duplicate_{n}_gram_characters", "num_word_characters")
            limit = getattr(self, f"max_duplicate_{n}_gram_share")
            yield Rule.at_most(f"too_much_text_in_duplicate_{n}_grams", share, limit)
