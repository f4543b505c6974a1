"""The split: training or held out, a function of a document's id and of nothing else."""

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep import document_id

TRAIN = "train"
VALIDATION = "validation"
_SEED_STREAM = 0x5711  # keeps the split apart from every other use of the same seed


class SplitConfig(BaseModel):
    """How much is held out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    validation_fraction: float = Field(default=0.01, gt=0, lt=1, description="share of documents held out")
    seed: int = Field(default=0, ge=0, description="another seed holds out other documents")


def held_out(ids: pa.Array | pa.ChunkedArray, config: SplitConfig) -> np.ndarray:
    """bool[rows]: whether a document is held out for validation."""
    limit = np.uint64(int(config.validation_fraction * 2**64))
    return document_id.mix(ids, _SEED_STREAM + config.seed) < limit


def split_names(ids: pa.Array | pa.ChunkedArray, config: SplitConfig) -> pa.Array:
    """`train` or `validation` for each id."""
    return pa.array(np.where(held_out(ids, config), VALIDATION, TRAIN), pa.string())
