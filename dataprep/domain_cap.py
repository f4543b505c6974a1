"""Caps per registered domain: no site is more of the corpus than it may be.

    survivors that are no copies --domain_rows--> rows by domain --over_cap--> verdicts on those that are too many

A cap counts over all input shards, and after copies are gone: before, a site whose pages are copied by others would be
held to its cap by pages that go anyway. Documents of a domain are taken in the order of a hash of their ids, so that
shards, workers, partitions and the order of sources do not matter, and what stays is a fair draw from the domain.
"""

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep import document_id, schemas
from dataprep.errors import CorruptDataError
from dataprep.kernels.domain_caps import BYTES, DOCUMENTS, KEPT, hold_to_caps
from dataprep.kernels.text_buffers import column
from dataprep.registered_domains import registered_domains
from dataprep.tally import text_hashes

TOO_MANY_DOCUMENTS, TOO_MANY_BYTES = "too_many_documents_of_domain", "too_many_bytes_of_domain"
REASONS = (TOO_MANY_DOCUMENTS, TOO_MANY_BYTES)

DOMAIN_ROWS = pa.schema(
    [
        pa.field("id", schemas.ID, nullable=False),
        pa.field("domain", pa.uint64(), nullable=False),  # XXH3-64 of its name: two of a million share one in 4e7 runs
        pa.field("num_bytes", pa.int64(), nullable=False),  # of the text that survived `clean`
    ]
)
"""One row for each document that has a domain."""

_SEED_STREAM = 0xD03A  # keeps this order apart from every other use of the same seed
_NO_CAP = np.iinfo(np.int64).max // 2


class DomainCapConfig(BaseModel):
    """How much of the corpus a registered domain (`example.co.uk`, by the Public Suffix List) may be, once copies are
    gone; at least one of the two caps. Documents without a URL have no domain and are not capped."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_documents: int | None = Field(default=None, ge=1, description="documents of a domain")
    max_bytes: int | None = Field(
        default=None,
        ge=1,
        description="bytes of text of a domain, as `clean` leaves it; one longer document never fits",
    )
    seed: int = Field(default=0, ge=0, description="another seed keeps other documents")

    @model_validator(mode="after")
    def _check_caps(self) -> Self:
        if self.max_documents is None and self.max_bytes is None:
            raise ValueError("no cap: say max_documents, max_bytes or both")
        return self


def domain_rows(survivors: pa.Table, documents: pa.Table, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`DOMAIN_ROWS` of `survivors` (id, num_bytes), in the order of their partitions, and how many rows each has.

    `documents` holds id and url of at least the same rows. Raises CorruptDataError where it does not.
    """
    ids = column(survivors, "id")
    at = pc.index_in(ids, value_set=column(documents, "id"))
    if at.null_count:
        raise CorruptDataError(f"{at.null_count} of {len(ids)} survivors are not among the documents of their shard")
    domains = registered_domains(column(documents, "url").take(at))
    hashes = text_hashes(domains.dictionary.cast(pa.large_string()))
    rows = np.flatnonzero(domains.indices.is_valid().to_numpy(zero_copy_only=False))
    domain = hashes[domains.indices.drop_null().to_numpy()] if len(rows) else np.empty(0, np.uint64)
    partitions = (domain >> np.uint64(32)) * np.uint64(num_partitions) >> np.uint64(32)
    order = np.argsort(partitions, kind="stable")
    columns = [ids.take(rows[order]), pa.array(domain[order]), column(survivors, "num_bytes").take(rows[order])]
    num_rows = np.bincount(partitions.astype(np.int64), minlength=num_partitions).tolist()
    return pa.Table.from_arrays(columns, schema=DOMAIN_ROWS), num_rows


def over_cap(rows: pa.Table, config: DomainCapConfig) -> pa.Table:
    """`schemas.VERDICTS` of the documents of `DOMAIN_ROWS` that go, ascending by id; `rows` hold whole domains.

    The value is the number of documents or of bytes that the domain would have come to with this one.
    """
    ids = column(rows, "id")
    domain, num_bytes = (column(rows, name).to_numpy() for name in ("domain", "num_bytes"))
    high, low = document_id.words(ids)
    order = np.lexsort((low, high, document_id.mix(ids, _SEED_STREAM + config.seed), domain))
    outcomes, values = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    max_documents, max_bytes = (_NO_CAP if cap is None else cap for cap in (config.max_documents, config.max_bytes))
    hold_to_caps(domain[order], num_bytes[order], max_documents, max_bytes, outcomes, values)
    goes = np.flatnonzero(outcomes != KEPT)
    goes = goes[np.lexsort((low[order[goes]], high[order[goes]]))]
    is_documents = outcomes[goes] == DOCUMENTS
    assert np.all(is_documents | (outcomes[goes] == BYTES))
    columns = [
        ids.take(order[goes]),
        pa.array(num_bytes[order[goes]]),
        pa.array(np.where(is_documents, TOO_MANY_DOCUMENTS, TOO_MANY_BYTES), pa.string()),
        pa.array(values[goes].astype(np.float64)),
        pa.array(np.where(is_documents, max_documents, max_bytes).astype(np.float64)),
        pa.nulls(len(goes), schemas.ID),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.VERDICTS)
