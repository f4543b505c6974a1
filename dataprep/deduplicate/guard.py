"""What a source or a language may lose: deduplication has wiped out whole sources, and nobody had looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.deduplicate.edges import distinct_ids
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID

GROUPS = pa.schema(
    [
        pa.field("id", ID, nullable=False),  # the smallest of its members
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("lost", pa.int64(), nullable=False),
    ]
)
"""Groups of copies, the largest first, then by id."""

NUM_SHOWN = 10
"""Of the largest groups."""


class LossRange(BaseModel):
    """Which share of documents may be lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_share: float = Field(default=0.0, ge=0, le=1, description="at least so much: less says that copies are missed")
    max_share: float = Field(default=1.0, ge=0, le=1, description="at most so much")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_share > self.max_share:
            raise ValueError(f"min_share {self.min_share} is above max_share {self.max_share}")
        return self


class ExpectedLoss(BaseModel):
    """How much deduplication should take of each source and language; the run stops where it takes more or less."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sources: dict[str, LossRange] = Field(default={}, description="by source")
    languages: dict[str, LossRange] = Field(default={}, description="by ISO 639 code, as `annotate` tells it")
    every_source: LossRange | None = Field(default=None, description="of the sources that are not named")
    every_language: LossRange | None = Field(default=None, description="of the languages that are not named")
    min_documents: int = Field(
        default=1000, ge=1, description="smaller sources and languages are not judged unless they are named"
    )


@dataclass(frozen=True)
class Loss:
    """Documents of a source or language that came, and how many of them were lost."""

    documents: int
    lost: int

    def __add__(self, other: "Loss") -> "Loss":
        return Loss(self.documents + other.documents, self.lost + other.lost)


def complaints(sources: Mapping[str, Loss], languages: Mapping[str, Loss], expected: ExpectedLoss) -> list[str]:
    """A line for each source and language that lost a share outside its range; those without documents have none."""
    said = []
    for what, losses, named, others in (
        ("source", sources, expected.sources, expected.every_source),
        ("language", languages, expected.languages, expected.every_language),
    ):
        for name, loss in sorted(losses.items()):
            key = f"{what}s.{name}" if name in named else f"every_{what}"
            allowed = named.get(name, others if loss.documents >= expected.min_documents else None)
            if allowed is None or loss.documents == 0:
                continue
            if not allowed.min_share <= loss.lost / loss.documents <= allowed.max_share:
                said.append(
                    f"{what} {name}: {loss.lost:,} of {loss.documents:,} documents lost, "
                    f"{loss.lost / loss.documents:.1%}; data.deduplicate.expected_loss.{key} allows "
                    f"{allowed.min_share:.1%} to {allowed.max_share:.1%}"
                )
    return said


def largest_groups(members: pa.Table, lost: pa.Array) -> pa.Table:
    """The `GROUPS` of most documents among `members` (`keeper.MEMBERS`), of which the ids `lost` are not kept."""
    ids, group = distinct_ids(column(members, "component"))
    is_lost = pc.is_in(column(members, "id"), value_set=lost).to_numpy(zero_copy_only=False)
    sizes = np.bincount(group, minlength=len(ids))
    num_lost = np.bincount(group[is_lost], minlength=len(ids))
    return largest([pa.Table.from_arrays([ids, pa.array(sizes), pa.array(num_lost)], schema=GROUPS)])


def largest(parts: list[pa.Table]) -> pa.Table:
    """The largest of several `GROUPS`."""
    return pa.concat_tables(parts).sort_by([("documents", "descending"), ("id", "ascending")]).slice(0, NUM_SHOWN)
