"""The configuration of `decontaminate`."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
"""Of an evaluation set: stands in dotted keys and in names of counts."""


class EvaluationSetConfig(BaseModel):
    """Files of items that a model will be measured with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(
        min_length=1,
        description="a file or a glob, local or any fsspec URL; starts at the folder of the file that says it. JSON "
        "Lines (`.jsonl`, `.ndjson`), an item a line, or plain text, an item a paragraph; plain or compressed",
    )
    fields: tuple[str, ...] = Field(
        default=(),
        description="JSON Lines: the keys that hold an item's texts, `a.b` for b within a; a list of texts counts as "
        "several",
    )
    join: bool = Field(
        default=False, description="the fields, in their order, make one text of an item; else each is one of its own"
    )


class PassagePlantsConfig(BaseModel):
    """How well evaluation items are found is measured on passages in copies of documents, which never reach the
    corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: int = Field(
        default=300,
        ge=0,
        le=100_000,
        description="about so many passages are planted, half of them with a word in ten changed; 0: nothing is "
        "measured",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="another seed plants others, elsewhere")


class DecontaminateConfig(BaseModel):
    """What counts as an evaluation item in a document, and what becomes of the document. Words are those of the whole
    pipeline, in lower case; punctuation is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sets: dict[SetName, EvaluationSetConfig] = Field(min_length=1, description="the evaluation sets, by name")
    ngram_words: int = Field(
        default=13, ge=2, le=100, description="words in a row that give an item away (Brown et al. 2020, appendix C)"
    )
    min_words: int = Field(
        default=8,
        ge=2,
        description="a text with fewer words than an n-gram is looked for as a whole, if it has so many (Brown et al. "
        "2020: 8); with fewer it is not checked, and reported",
    )
    min_different_share: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="of the words of an n-gram, at least this share must be different words with a letter, or it gives "
        "nothing away: counting from 1 to 13 is in every manual",
    )
    max_changed_words: int = Field(
        default=2,
        ge=0,
        description="words of an n-gram that may be others in the document; of a text that is looked for as a whole: 0",
    )
    max_documents: int | None = Field(
        default=10,
        ge=1,
        description="n-grams in more documents than that are common and do not count (Brown et al. 2020: 10); "
        "null: all count",
    )
    min_share: float = Field(
        default=0.0, ge=0, le=1, description="share of a text's n-grams that a document must have; 0: one is enough"
    )
    action: Literal["drop", "cut"] = Field(
        default="drop", description="of a document with a match: drop it, or cut the n-grams out of it"
    )
    widen_words: int = Field(default=0, ge=0, description="cut: so many words before and after a match go as well")
    min_words_left: int = Field(
        default=50, ge=1, description="cut: a document that keeps fewer words is dropped (Rae et al. 2021, A.1: 50)"
    )

    plants: PassagePlantsConfig = Field(
        default=PassagePlantsConfig(), description="how well items are found, measured on each run"
    )

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if self.min_words > self.ngram_words:
            found = f"min_words {self.min_words} is more than ngram_words {self.ngram_words}"
            raise ValueError(f"{found}: take {self.ngram_words} or less")
        most = self.ngram_words // 2 - 1  # more could leave no two words in a row, which is what is looked for
        if self.max_changed_words > most:
            found = f"max_changed_words {self.max_changed_words} of ngram_words {self.ngram_words}"
            raise ValueError(f"{found} may leave no two words in a row to look for: take {most} or less")
        return self
