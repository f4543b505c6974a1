"""FineWeb's own quality rules (Penedo et al. 2024), which it applies after Gopher's and C4's."""

from collections.abc import Iterator

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, ratio


class FineWebConfig(BaseModel):
    """The quality rules of FineWeb, with the limits of the paper. A document at one of the first three limits is
    dropped, as the paper has it. datatrove drops from 0.01 of repeated text on, the paper from 0.1; the rule about line
    feeds is in datatrove alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_punctuated_line_share: float = Field(
        default=0.12, ge=0, le=1, description="share of lines that end in a mark that ends sentences; must be above"
    )
    max_repeated_line_character_share: float = Field(
        default=0.1, ge=0, le=1, description="share of the characters of lines in duplicate lines; must be below"
    )
    max_short_line_share: float = Field(
        default=0.67, ge=0, le=1, description="share of lines shorter than 30 characters; must be below"
    )
    max_newlines_per_word: float = Field(default=0.3, ge=0, description="line feeds per word")

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        punctuated = ratio(attributes, "num_punctuated_lines", "num_lines")
        yield Rule.above("too_few_punctuated_lines", punctuated, self.min_punctuated_line_share)
        repeated = ratio(attributes, "num_duplicate_line_characters", "num_line_characters")
        yield Rule.below("too_much_text_in_repeated_lines", repeated, self.max_repeated_line_character_share)
        short = ratio(attributes, "num_short_lines", "num_lines")
        yield Rule.below("too_many_short_lines", short, self.max_short_line_share)
        newlines = ratio(attributes, "num_newlines", "num_words")
        yield Rule.at_most("too_many_newlines", newlines, self.max_newlines_per_word)
