"""RefinedWeb's rule about what its line rules took of a page (Penedo et al. 2023, section 3.2 and appendix G.2)."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, ratio


class RefinedWebFilterConfig(BaseModel):
    """Pages of which RefinedWeb's rules about lines took much; wants `clean.refinedweb`. The share is of the words that
    these rules looked at, so that what C4's had cut before does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    BESIDE: ClassVar = {"edits": ("num_words_in_lines", "num_words_in_refinedweb_lines")}

    # Penedo et al. 2023, G.2: "more than 5% of the total document words".
    max_removed_word_share: float = Field(default=0.05, ge=0, le=1, description="share of words that they cut")

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        """On columns of `edits` (`schemas.EDITS`) that stand beside the attributes."""
        share = ratio(attributes, "num_words_in_refinedweb_lines", "num_words_in_lines")
        yield Rule.at_most("too_many_words_in_removed_lines", share, self.max_removed_word_share)
