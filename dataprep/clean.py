"""`clean`: the spans of each document that rules about lines remove (C4, Raffel et al. 2020, section 2.2)."""

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep import schemas
from dataprep.kernels.line_rules import RULES, count_lines, cut_lines, phrase_table
from dataprep.kernels.text_buffers import column, text_buffers
from dataprep.kernels.unicode_classes import unicode_classes

__all__ = ["RULES", "CleanConfig", "clean"]


class CleanConfig(BaseModel):
    """Which lines go. C4's own choice is `terminal_punctuation: true, min_words: 3`, which costs much good text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    terminal_punctuation: bool = Field(default=False, description="cut lines that do not end a sentence")
    min_words: int = Field(default=0, ge=0, description="cut lines with fewer words; 0: off")
    max_word_characters: int = Field(
        default=1000,
        ge=1,
        description="cut lines with a longer run of characters without whitespace; a letter of a script written "
        "without spaces starts a new run",
    )
    javascript: bool = Field(default=True, description="cut lines that say JavaScript")
    policy_phrases: bool = Field(default=True, description="cut lines that speak of cookies or terms of use")


def clean(documents: pa.Table, config: CleanConfig) -> pa.Table:
    """The cuts (`schemas.EDITS`) for each row of `documents` (`schemas.DOCUMENTS`).

    A line that breaks several rules carries the first of `RULES`. It goes with its line feed. Blank lines stay: they
    part paragraphs. Neighbouring lines cut by one rule are one cut. Words are those of
    `dataprep.kernels.unicode_classes`.
    """
    data, offsets = text_buffers(column(documents, "text"))
    enabled = np.array(
        [config.javascript, config.policy_phrases, True, config.min_words > 0, config.terminal_punctuation]
    )
    cuts = np.empty((3, count_lines(data, offsets)), np.int64)
    cut_offsets = np.empty(len(offsets), np.int64)
    classes = unicode_classes().classes
    limits = config.min_words, config.max_word_characters
    cut_lines(data, offsets, classes, phrase_table(), enabled, *limits, cuts, cut_offsets)

    starts, ends, rules = cuts[:, : cut_offsets[-1]]
    num_cut_before = np.concatenate(([0], np.cumsum(ends - starts)))
    list_offsets = pa.array(cut_offsets).cast(pa.int32())  # raises where a shard has 2^31 cuts or more
    lists = [pa.ListArray.from_arrays(list_offsets, pa.array(v)) for v in (starts, ends, rules.astype(np.int8))]
    num_cut_bytes = np.diff(num_cut_before[cut_offsets])
    columns = [column(documents, "id"), pa.array(np.diff(offsets)), pa.array(num_cut_bytes), *lists]
    return pa.Table.from_arrays(columns, schema=schemas.EDITS)
