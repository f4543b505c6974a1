"""Documents that are measured together, and what several measures of them share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from dataprep import language
from dataprep.kernels.words import Words, find_words


@dataclass(frozen=True)
class Batch:
    """Some documents of one input shard; row i of everything is document i.

    `ids` (`schemas.ID`) and `text`, as it is after `clean`. What is found in the text is found once, when the first
    measure asks for it.
    """

    ids: pa.Array
    text: pa.LargeStringArray
    language_characters: int = 2000  # codepoints from the start of a document that its language is told from

    @cached_property
    def words(self) -> Words:
        return find_words(self.text)

    @property
    def languages(self) -> pa.StringArray:
        """ISO 639 codes; `language.UNDETERMINED` where there is no text."""
        return self._identified[0]

    @property
    def language_scores_e4(self) -> np.ndarray:
        """int16[documents]: how sure that is, in ten-thousandths."""
        return self._identified[1]

    @cached_property
    def _identified(self) -> tuple[pa.StringArray, np.ndarray]:
        return language.identify(self.text, self.language_characters)
