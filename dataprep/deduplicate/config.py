"""The configuration of `deduplicate`."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep import document_id
from dataprep.deduplicate.guard import ExpectedLoss
from dataprep.deduplicate.plants import PlantsConfig


class EarlierRun(BaseModel):
    """A corpus that was made before."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_name(cls, value: Any) -> Any:
        return {"run": value} if isinstance(value, str) else value

    run: str = Field(min_length=1, description="name of a run (its newest whole corpus is taken) or its id")
    store: str | None = Field(
        default=None, min_length=1, description="folder or URL of the store that holds it; null: this run's own"
    )


class DeduplicateConfig(BaseModel):
    """When two documents are copies, and which one stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_jaccard: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="share of word n-grams from which two documents are copies (Rae et al. 2021, A.1: 0.8)",
    )
    max_bucket: int = Field(
        default=100_000, ge=2, description="documents; larger buckets are counted in the report and used all the same"
    )
    same_url: bool = Field(
        default=False,
        description="of documents with one URL (canonical form, http or https) keep one, before texts; "
        "none if a corpus of `against` has it",
    )
    chains: Literal["keep", "drop"] = Field(
        default="keep",
        description="members of a group unlike its first: keep those that are like none that stays, or drop all",
    )
    max_edges_in_memory: int | None = Field(
        default=None,
        ge=1,
        description="pairs of copies that one worker joins to groups; of more, groups are found through files, with "
        "the same result. null: what a quarter of the machine's memory holds",
    )
    expected_loss: ExpectedLoss = Field(
        default=ExpectedLoss(), description="shares that sources and languages may lose; by default any"
    )
    source_priority: dict[str, int] = Field(
        default_factory=dict, description="by source name: of copies in two sources the higher one stays; 0 if unnamed"
    )
    plants: PlantsConfig = Field(default=PlantsConfig(), description="how well copies are found, measured on each run")
    against: tuple[EarlierRun, ...] = Field(
        default=(),
        description="earlier corpora, each `{run: NAME or id, store: folder or URL}`, or only a name or id "
        "(of this store): a new document like one of theirs goes",
    )

    @model_validator(mode="after")
    def _against_what_it_can(self) -> Self:
        if self.against and self.chains != "keep":
            raise ValueError("against: with `chains: drop` whole old groups would be wanted: say `chains: keep`")
        return self

    @model_validator(mode="after")
    def _sources_can_be_told_apart(self) -> Self:
        named: dict[int, str] = {}
        for name in self.source_priority:
            other = named.setdefault(source_number(name), name)
            if other != name:
                raise ValueError(f"source_priority: {name} and {other} have the same 24-bit hash: rename one")
        return self


def source_number(name: str) -> int:
    """The 24 bits that lead the id of every document of the source `name`."""
    return int.from_bytes(document_id.file_prefix(name, "")[:3], "big")
