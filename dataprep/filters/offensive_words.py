"""How many offensive words a document may have."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, quantity


class OffensiveWordsFilterConfig(BaseModel):
    """Limits on offensive words. C4's own rule is `max_words: 0`, which takes much good text with it, most of all of
    and about minorities (Dodge et al. 2021, Documenting Large Webtext Corpora)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_words: int | None = Field(default=None, ge=0, description="offensive words in a document; null: any number")
    # No published threshold: ours. A page about such words has some, a page made of them has one in ten.
    max_per_1000_words: float | None = Field(
        default=10.0, ge=0, description="offensive words per 1000 words; null: any"
    )

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        number = quantity(attributes, "num_offensive_words")
        if self.max_words is not None:
            yield Rule.at_most("too_many_offensive_words", number, self.max_words)
        if self.max_per_1000_words is not None:
            words = quantity(attributes, "num_words")
            rate = np.divide(number * 1000, words, out=np.zeros_like(words), where=words != 0)
            yield Rule.at_most("too_many_offensive_words_per_word", rate, self.max_per_1000_words)
