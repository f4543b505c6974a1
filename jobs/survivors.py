"""What `select` kept of an input shard, for the units of `deduplicate`."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dataprep import schemas
from dataprep.corpus import check_content
from dataprep.deduplicate.lookup import rows_of
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.kernels.text_view import surviving_text
from dataprep.schemas import EDITS
from jobs.by_shard import rows_by_id
from jobs.shuffled import Shuffled
from jobs.unit import Unit
from seedbed.artifact import Artifact


def survivors(unit: Unit, columns: list[str]) -> pa.Table:
    """The rows of `attributes` that `select` kept. Raises CorruptDataError where the two do not hold the same rows."""
    attributes = unit.parents["annotate"].read_table("attributes", unit.name, columns)
    return attributes.filter(is_survivor(unit, attributes["id"]))


def is_survivor(unit: Unit, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether `select` kept each of a shard's documents. Raises CorruptDataError where `ids` are others."""
    verdicts = unit.parents["select"].read_table("verdicts", unit.name, ["id", "reason"])
    if not ids.equals(verdicts["id"]):
        raise CorruptDataError(f"{unit.name}: the verdicts of select do not stand beside the rows of the same ids")
    return pc.is_null(verdicts["reason"])


def lost_to_earlier(unit: Unit) -> pa.Table:
    """`schemas.VERDICTS` of the unit's shard that lost to documents of earlier corpora."""
    if "earlier" not in unit.config:
        return schemas.VERDICTS.empty_table()
    return unit.artifact.read_table("earlier", unit.name, schemas.VERDICTS.names)


def lost_before(unit: Unit, lost: Shuffled, shard: int) -> pa.Table:
    """`schemas.VERDICTS` of the shard with this number that units of an earlier phase have written, if any has."""
    return pa.concat_tables([schemas.VERDICTS.empty_table(), *lost.in_turn(unit.artifact, shard)])


def surviving_texts(
    artifacts: dict[str, Artifact], ids: pa.Array, facts: pa.Table, prefixes: dict[str, str]
) -> pa.Table:
    """`id` and surviving `text` of these documents, held against their content hashes; only their row groups."""
    documents = rows_by_id(artifacts["extract"], "documents", ids, prefixes, ["id", "text"])
    edits = rows_by_id(artifacts["clean"], "edits", ids, prefixes, EDITS.names)
    return _checked_texts(documents, edits, facts)


def own_texts(unit: Unit, facts: pa.Table) -> Iterator[pa.Table]:
    """The same of the documents of the unit's shard that `facts` has, ascending by id, a row group after another."""
    documents = unit.parents["extract"].read_rows_in_turn("documents", unit.name, facts["id"], ["id", "text"])
    for some in documents:
        edits = unit.parents["clean"].read_rows("edits", unit.name, some["id"], EDITS.names)
        yield _checked_texts(some, edits, facts)


def _checked_texts(documents: pa.Table, edits: pa.Table, facts: pa.Table) -> pa.Table:
    texts = pa.table({"id": documents["id"], "text": surviving_text(documents["text"].combine_chunks(), edits)})
    found = column(texts, "id")
    seen = facts.take(pa.array(rows_of(found, column(facts, "id"), "content hash")))
    check_content(found, column(texts, "text"), column(seen, "content_hash"))
    return texts
