"""`clean`: what each document loses and what stands in its place: its normal form, then rules about lines.

    text --encodings repaired--> --characters--> --normal form--> --phrases--> --lines--> --lines of a whole site-->

Each stage gives the edits of what the one before leaves (`kernels.edits`); together they are spans of the text as it
was extracted, so the text is not written.
"""

from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep import schemas
from dataprep.kernels.character_rules import character_edits
from dataprep.kernels.edit_rules import (
    COUNTER,
    DIGITS,
    JAVASCRIPT,
    LONG_WORD,
    NO_TERMINAL_PUNCTUATION,
    ONE_WORD,
    POLICY,
    RULES,
    SHORT,
    UPPERCASE,
)
from dataprep.kernels.edits import Edits, Room, apply, joined, read_only, spread, then, to_columns
from dataprep.kernels.line_phrases import LinePhrases, line_phrases, phrase_edits
from dataprep.kernels.line_rules import LineRules, line_edits
from dataprep.kernels.normal_form import normal_form_edits
from dataprep.kernels.text_buffers import batches, column, text_buffers
from dataprep.mojibake import mojibake_edits
from dataprep.site_boilerplate import SiteBoilerplateConfig

__all__ = ["RULES", "CleanConfig", "RefinedWebConfig", "clean", "edit_table", "rule_counts"]

MAX_BATCH_BYTES = 1 << 20
"""Text cleaned at a time: one stage's text is still in the cache when the next one reads it."""


Phrase = Annotated[str, Field(pattern=r"^\S(?:[^\n]*\S)?$", max_length=100)]
Phrases = Annotated[tuple[Phrase, ...], Field(strict=False)]
"""Whole words, of which ASCII letters match in any case."""


class RefinedWebConfig(BaseModel):
    """RefinedWeb's five rules about lines (Penedo et al. 2023, G.2), all on as published; `clean.refinedweb: {}` is
    enough. Four cut lines, the fifth edits short ones; of its phrases the paper gives the examples that are here.

    It also drops documents that lost more than 5% of their words in this way: `select.refinedweb`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_uppercase_share: float | None = Field(
        default=0.5,
        ge=0,
        le=1,
        description="cut lines with a larger share of capitals; null: off",
    )
    digits: bool = Field(default=True, description="cut lines of nothing but numbers")
    counters: bool = Field(default=True, description='cut lines that count: "3 likes", "1.2K shares"')
    min_words: int = Field(default=2, ge=0, description="cut lines with fewer words; 0: off")
    # The one-character ellipsis is how many pages write the paper's three full stops.
    start_phrases: Phrases = Field(default=("sign-in",), description="cut from the beginning of short lines")
    inner_phrases: Phrases = Field(default=("items in cart",), description="cut from anywhere in short lines")
    end_phrases: Phrases = Field(default=("read more...", "read more…"), description="cut from the end of short lines")
    max_phrase_line_words: int = Field(default=10, ge=0, description="lines of more words are no short lines")

    def phrases(self) -> LinePhrases:
        """What is edited out of short lines."""
        return line_phrases(self.start_phrases, self.inner_phrases, self.end_phrases, self.max_phrase_line_words)


class CleanConfig(BaseModel):
    """How a text is normalised and which lines go. C4's own choice is `terminal_punctuation: true, min_words: 3`,
    which costs much good text; RefinedWeb's is `refinedweb: {}`. Line ends, control characters and blanks at line ends
    have no key: they are never text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    mojibake: bool = Field(
        default=False,
        description="repair text that was read in a wrong encoding (`Ã©`); needs `seedbed[mojibake]`",
    )
    normalization: Literal["NFC", "NFKC", "none"] = Field(
        default="NFC",
        description="Unicode normal form (UAX #15), with at most 30 combining marks in a row; NFKC also folds "
        "ligatures, widths and superscripts",
    )
    zero_width: bool = Field(
        default=True,
        description="cut soft hyphens, zero width spaces, marks of writing direction and other characters of no width; "
        "joiners stay in scripts and emoji that need them",
    )
    terminal_punctuation: bool = Field(default=False, description="cut lines that do not end a sentence (C4)")
    min_words: int = Field(default=0, ge=0, description="cut lines with fewer words (C4: 3); 0: off")
    max_word_characters: int = Field(
        default=1000,
        ge=1,
        description="cut lines with a longer run of characters without whitespace (C4); a letter of a script written "
        "without spaces starts a new run",
    )
    javascript: bool = Field(default=True, description="cut lines that say JavaScript (C4)")
    policy_phrases: bool = Field(default=True, description="cut lines that speak of cookies or terms of use (C4)")
    refinedweb: RefinedWebConfig | None = Field(default=None, description="RefinedWeb's rules about lines")
    site_boilerplate: SiteBoilerplateConfig | None = Field(
        default=None, description="cut lines that recur on the pages of a site"
    )

    def line_rules(self) -> LineRules:
        """What of this is about one line."""
        enabled = np.zeros(len(RULES), np.bool_)
        enabled[[JAVASCRIPT, POLICY, LONG_WORD]] = self.javascript, self.policy_phrases, True
        enabled[[SHORT, NO_TERMINAL_PUNCTUATION]] = self.min_words > 0, self.terminal_punctuation
        web = self.refinedweb or RefinedWebConfig(max_uppercase_share=None, digits=False, counters=False, min_words=0)
        enabled[[UPPERCASE, DIGITS]] = web.max_uppercase_share is not None, web.digits
        enabled[[COUNTER, ONE_WORD]] = web.counters, web.min_words > 0
        share = 1.0 if web.max_uppercase_share is None else web.max_uppercase_share
        return LineRules(read_only(enabled), self.min_words, self.max_word_characters, share, web.min_words)


def clean(documents: pa.Table, config: CleanConfig) -> pa.Table:
    """The edits (`schemas.EDITS`) of each row of `documents` (`schemas.DOCUMENTS`), but for those that take a whole
    site to decide (`dataprep.site_boilerplate`).

    Line rules see the text in its normal form, without phrases that were edited out. A line that breaks several
    carries the first of `RULES`; it goes with its line feed, and what was changed in it is gone with it. Blank lines
    stay: they part paragraphs. Words are those of `dataprep.kernels.unicode_classes`. Doing it again to what survives
    changes nothing, unless `mojibake` is on.
    """
    text = column(documents, "text")
    edits, num_words = [], []
    rooms = Room(), Room()
    for start, stop in batches(text, MAX_BATCH_BYTES):
        of_batch, words_of_batch = _edits(text.slice(start, stop - start), config, rooms)
        edits.append(of_batch)
        num_words.append(words_of_batch)
    if not edits:
        return schemas.EDITS.empty_table()
    return edit_table(column(documents, "id"), text, joined(edits), np.concatenate(num_words, axis=1))


def _edits(text: pa.LargeStringArray, config: CleanConfig, rooms: tuple[Room, Room]) -> tuple[Edits, np.ndarray]:
    """The edits of a batch, and its words as `line_edits` counts them. `rooms` are written to in turn."""
    room, other = rooms
    if config.mojibake:
        edits = mojibake_edits(text)
        text = apply(text, edits, other)
        characters, suspects = character_edits(text, config.normalization, config.zero_width)
        edits, text = then(edits, characters), apply(text, characters, room)
    else:
        edits, suspects = character_edits(text, config.normalization, config.zero_width)
        text = apply(text, edits, room)
    if config.normalization != "none" and suspects.any():
        normal = normal_form_edits(text, config.normalization, suspects)
        edits, text = then(edits, normal), apply(text, normal, other)
        if not normal.is_empty:  # letters without a composed form come apart into a letter and more marks
            changed = np.flatnonzero(np.diff(normal.offsets))
            characters, _ = character_edits(text.take(pa.array(changed)), config.normalization, config.zero_width)
            characters = spread(characters, changed, len(text))
            edits, text = then(edits, characters), apply(text, characters, room)
    edits, text, num_edited_words = _without_phrases(text, edits, config)
    lines, num_words = line_edits(text, config.line_rules())
    return then(edits, lines), num_words + num_edited_words


def _without_phrases(
    text: pa.LargeStringArray, edits: Edits, config: CleanConfig
) -> tuple[Edits, pa.LargeStringArray, np.ndarray]:
    """The edits and the text, without RefinedWeb's phrases, and int64[texts]: the words in these."""
    num_words = np.zeros(len(text), np.int64)
    if config.refinedweb is None:
        return edits, text, num_words
    phrases = config.refinedweb.phrases()
    while True:  # each round takes a phrase from some line, and a line of few words has few
        found, words = phrase_edits(text, phrases)
        if found.is_empty:
            return edits, text, num_words
        edits, text, num_words = then(edits, found), apply(text, found), num_words + words


def edit_table(ids: pa.Array, text: pa.LargeStringArray, edits: Edits, num_words: np.ndarray) -> pa.Table:
    """`schemas.EDITS` of these texts; `num_words` int64[2, texts] as `line_edits` gives them."""
    columns = {"id": ids, "num_bytes": pa.array(np.diff(text_buffers(text)[1])), **to_columns(edits)}
    columns |= {"num_words_in_lines": pa.array(num_words[0]), "num_words_in_refinedweb_lines": pa.array(num_words[1])}
    return pa.Table.from_arrays([columns[name] for name in schemas.EDITS.names], schema=schemas.EDITS)


def rule_counts(edits: pa.Table) -> dict[str, int]:
    """What each rule took in `edits` (`schemas.EDITS`): `<rule>_edits` (for a rule about lines: lines) and
    `<rule>_bytes` that it cut; rules that took nothing are left out."""
    rules = column(edits, "cut_rules").flatten().to_numpy()
    starts, ends = (column(edits, name).flatten().to_numpy() for name in ("cut_starts", "cut_ends"))
    num_edits = np.bincount(rules, minlength=len(RULES))
    # float64 holds whole numbers of bytes below 2^53
    num_bytes = np.bincount(rules, weights=ends - starts, minlength=len(RULES)).astype(np.int64)
    counts: dict[str, int] = {}
    for rule, name in enumerate(RULES):
        if num_edits[rule]:
            counts |= {f"{name}_edits": int(num_edits[rule]), f"{name}_bytes": int(num_bytes[rule])}
    return counts
