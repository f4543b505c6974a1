"""Passages that `repeats` takes out of a document, to be told."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.decontaminate.cuts import without_cuts
from dataprep.kernels.text_view import surviving_text
from dataprep.personal_data import MaskConfig, PersonalDataConfig, mask
from dataprep.schemas import ID
from seedbed.artifact import Artifact

PHRASE_CHARACTERS = 160
"""Of a passage that is told."""


def texts_before(artifacts: dict[str, Artifact], shard: str, ids: pa.Array) -> tuple[pa.Array, pa.LargeStringArray]:
    """Ids, ascending, and texts of these documents as they come into `repeats`."""
    documents = artifacts["extract"].read_rows("documents", shard, ids, ["id", "text"])
    edits = artifacts["clean"].read_rows("edits", shard, ids)
    found = documents["id"].combine_chunks()
    text = surviving_text(documents["text"].combine_chunks(), edits)
    if "decontaminate" in artifacts:
        cuts = artifacts["decontaminate"].read_rows("cuts", shard, found)
        text = without_cuts(found, text, cuts)
    return found, text


def repeated_passages(
    artifacts: dict[str, Artifact], shard: str, found: bytes, personal_data: PersonalDataConfig, masking: MaskConfig
) -> list[dict[str, Any]]:
    """What `repeats` took out of a document, by place: `reason`, bytes `start` and `end` of the text as it came to that
    step, `first_in` (the packed id of the document where the first of what begins here stands) and `phrase`, how it
    begins, with personal data masked as in the corpus."""
    if "repeats" not in artifacts:
        return []
    with artifacts["repeats"].open_parquet("repeats", shard) as file:
        rows = file.read(use_threads=False)
    rows = rows.filter(pc.equal(rows["document"], found)).drop_columns(["document"]).to_pylist()
    if not rows:
        return []
    _, (text,) = texts_before(artifacts, shard, pa.array([found], ID))
    data = text.as_buffer().to_pybytes()
    phrases = [data[row["start"] : row["end"]].decode()[:PHRASE_CHARACTERS].strip() for row in rows]
    masked = mask(pa.array(phrases, pa.large_string()), personal_data, masking)[0].to_pylist()
    return [row | {"phrase": phrase} for row, phrase in zip(rows, masked, strict=True)]
