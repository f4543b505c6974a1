"""Gopher's quality rules (Rae et al. 2021, A.1)."""

from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.filters.contract import Rule, quantity, ratio
from dataprep.filters.language import LanguageCode
from dataprep.filters.stop_words import languages_with_stop_words, mean_word_limits_of
from dataprep.kernels.text_buffers import column

_ENGLISH = "en"  # which the published limits are made for
_PUBLISHED_LIMITS = (3.0, 10.0)  # mean characters of a word


class GopherQualityConfig(BaseModel):
    """The quality rules of Gopher, with the published limits. Where Gopher counts words between spaces, these count
    words as defined in `dataprep.kernels.unicode_classes`: punctuation alone is no word, so that the share of words
    with a letter is higher here, `don't` is two words, and every Han letter is one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_words: int = Field(default=50, ge=0, description="words in a document")
    max_words: int = Field(default=100_000, ge=1, description="words in a document")
    min_mean_word_characters: float = Field(default=_PUBLISHED_LIMITS[0], ge=0, description="mean characters of a word")
    max_mean_word_characters: float = Field(default=_PUBLISHED_LIMITS[1], gt=0, description="mean characters of a word")
    mean_word_length_by_language: bool = Field(
        default=True,
        description="scale both limits to the words of the document's language, where dataprep/filters/stop_words.json "
        "has them; false: the same for all",
    )
    mean_word_length_languages: Annotated[tuple[LanguageCode, ...], Field(strict=False)] | None = Field(
        default=None, description="languages held to the limits of mean word length; null: those of stop_words.json"
    )
    max_hashes_per_word: float = Field(default=0.1, ge=0, description="'#' per word")
    max_ellipses_per_word: float = Field(default=0.1, ge=0, description="ellipses per word")
    max_bullet_line_share: float = Field(default=0.9, ge=0, le=1, description="share of lines that start with a bullet")
    max_ellipsis_line_share: float = Field(
        default=0.3, ge=0, le=1, description="share of lines that end in an ellipsis"
    )
    min_words_with_letter_share: float = Field(default=0.8, ge=0, le=1, description="share of words with a letter")
    min_stop_words: int = Field(default=2, ge=0, le=8, description="how many stop words of its language occur")
    stop_word_languages: Annotated[tuple[LanguageCode, ...], Field(strict=False)] | None = Field(
        default=None, description="languages held to their stop words; null: those of stop_words.json"
    )

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        for name in ("words", "mean_word_characters"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low > high:
                raise ValueError(f"min_{name} {low} is above max_{name} {high}: no document could pass")
        return self

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        num_words = quantity(attributes, "num_words")
        yield Rule.at_least("too_few_words", num_words, self.min_words)
        yield Rule.at_most("too_many_words", num_words, self.max_words)

        mean_length = ratio(attributes, "num_word_characters", "num_words")
        applies = _is_in(attributes, self.mean_word_length_languages)
        lows, highs = self._mean_word_limits(attributes)
        yield Rule.at_least("mean_word_too_short", mean_length, lows, applies)
        yield Rule.at_most("mean_word_too_long", mean_length, highs, applies)

        yield Rule.at_most("too_many_hashes", ratio(attributes, "num_hashes", "num_words"), self.max_hashes_per_word)
        ellipses = ratio(attributes, "num_ellipses", "num_words")
        yield Rule.at_most("too_many_ellipses", ellipses, self.max_ellipses_per_word)

        bullet_lines = ratio(attributes, "num_bullet_lines", "num_lines")
        yield Rule.at_most("too_many_bullet_lines", bullet_lines, self.max_bullet_line_share)
        ellipsis_lines = ratio(attributes, "num_ellipsis_lines", "num_lines")
        yield Rule.at_most("too_many_ellipsis_lines", ellipsis_lines, self.max_ellipsis_line_share)

        with_letter = ratio(attributes, "num_words_with_letter", "num_words")
        yield Rule.at_least("too_few_words_with_letter", with_letter, self.min_words_with_letter_share)
        applies = _is_in(attributes, self.stop_word_languages)
        yield Rule.at_least("too_few_stop_words", quantity(attributes, "num_stop_words"), self.min_stop_words, applies)

    def _mean_word_limits(self, attributes: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """The least and the most mean characters of a word for each row, to a tenth where they are scaled."""
        limits = self.min_mean_word_characters, self.max_mean_word_characters
        lows, highs = (np.full(attributes.num_rows, limit) for limit in limits)
        if self.mean_word_length_by_language:
            for language in set(pc.unique(column(attributes, "language")).to_pylist()) - {_ENGLISH}:
                theirs = mean_word_limits_of(language)
                if theirs is not None:
                    rows = _is_in(attributes, (language,))
                    lows[rows] = round(limits[0] * theirs[0] / _PUBLISHED_LIMITS[0], 1)
                    highs[rows] = round(limits[1] * theirs[1] / _PUBLISHED_LIMITS[1], 1)
        return lows, highs


def _is_in(attributes: pa.Table, languages: tuple[str, ...] | None) -> np.ndarray:
    """Whether each row is in one of the languages; None stands for those that `stop_words` knows."""
    known = pa.array(languages_with_stop_words() if languages is None else languages, pa.string())
    return pc.is_in(column(attributes, "language"), value_set=known).to_numpy(zero_copy_only=False)
