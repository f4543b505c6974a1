"""The configuration of `repeats`."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class RecurringTextConfig(BaseModel):
    """Lines, or paragraphs, that stand in many documents. Two are the same if their words are, case apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_documents: int = Field(
        default=1,
        ge=1,
        description="what stands in more documents than that goes (Wenzek et al. 2019 take out what was seen "
        "before: 1)",
    )
    min_words: int = Field(
        default=8, ge=1, description="what has fewer words stays: people say short things again by themselves (ours)"
    )
    keep: Literal["first", "none"] = Field(
        default="first", description="whether the first of them stays where it is, in the order of `deduplicate`"
    )


class SubstringsConfig(BaseModel):
    """Runs of words that stand in two places, of one document or of two; the first stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_words: int = Field(
        default=50,
        ge=2,
        le=1000,
        description="words of the shortest run that goes (Lee et al. 2021 and Penedo et al. 2023: 50 tokens)",
    )

    @property
    def ngram_words(self) -> int:
        """Of the n-grams that stand for windows. Longer ones come again by chance less often, shorter ones are fewer:
        of half a window, every thirteenth word or so begins one that stands for windows of 50."""
        return (self.min_words + 1) // 2


class RepeatsConfig(BaseModel):
    """What of a document is cut out because it stands elsewhere, too. Each kind is off unless it is named."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lines: RecurringTextConfig | None = Field(default=None, description="lines; null: none go")
    paragraphs: RecurringTextConfig | None = Field(
        default=None, description="lines between blank ones, together; null: none go"
    )
    substrings: SubstringsConfig | None = Field(default=None, description="runs of words; null: none go")
    min_words_left: int = Field(
        default=50,
        ge=1,
        description="a document that loses something and keeps fewer words is dropped (Rae et al. 2021, A.1: 50)",
    )

    @model_validator(mode="after")
    def _something_is_looked_for(self) -> Self:
        if self.lines is None and self.paragraphs is None and self.substrings is None:
            raise ValueError(
                "nothing to look for: name one of lines, paragraphs, substrings (`substrings: {}` for its defaults), "
                "or leave `repeats` out"
            )
        return self

    def recurring(self, kind: int) -> RecurringTextConfig | None:
        """What is said of the kind with this number in `KINDS`; None for substrings."""
        return (self.lines, self.paragraphs, None)[kind]

    def least(self, kind: int) -> int:
        """How often, in places or (lines, paragraphs) in documents, something of a kind stands that goes."""
        said = self.recurring(kind)
        return 2 if said is None else said.max_documents + 1


KINDS = ("repeated_line", "repeated_paragraph", "repeated_substring")
"""The reasons, by their numbers. A byte that goes for several goes for the first."""

LINE, PARAGRAPH, SUBSTRING = range(len(KINDS))
