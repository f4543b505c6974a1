"""C4's rules about pages (Raffel et al. 2020, 2.2). Its rules about lines are those of `dataprep.clean`."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, quantity


class C4Config(BaseModel):
    """The rules of C4 about pages, with the published limits. C4 applies them to what its rules about lines leave, of
    which every line ends a sentence: `clean: {terminal_punctuation: true, min_words: 3}` does the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    curly_bracket: bool = Field(default=True, description="drop a document with a `{`: code, most often")
    lorem_ipsum: bool = Field(default=True, description="drop a document with the words `lorem ipsum`")
    min_sentences: int = Field(
        default=5, ge=0, description="sentences in a document, as `dataprep.kernels.lines` has them"
    )

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        if self.curly_bracket:
            found = quantity(attributes, "num_curly_brackets")
            yield Rule("curly_bracket", found, np.nan, found > 0)
        if self.lorem_ipsum:
            found = quantity(attributes, "num_lorem_ipsum")
            yield Rule("lorem_ipsum", found, np.nan, found > 0)
        yield Rule.at_least("too_few_sentences", quantity(attributes, "num_sentences"), self.min_sentences)
