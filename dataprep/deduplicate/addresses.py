"""Documents of one address: the same page in two crawls, or under two spellings of its URL.

    survivors --address_rows--> a row a document with a URL, by partition
        [--at_earlier_address--> those whose address an earlier corpus has, and the rest]
        --same_address--> all but one of each address

Of one address the document is kept that `keeper` would keep first, and a document of an earlier corpus before all new
ones. What is left goes on to be compared by its text.
"""

import numpy as np
import pyarrow as pa
import xxhash

from dataprep import document_id, schemas
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.earlier import LOST_TO_EARLIER
from dataprep.deduplicate.edges import distinct_ids
from dataprep.deduplicate.keeper import first_of, keeper_order
from dataprep.errors import DataError
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID
from dataprep.split import SplitConfig
from dataprep.urls import same_page_key

URL = "url_duplicate"

ADDRESS_ROWS = pa.schema(
    [
        pa.field("address", ID, nullable=False),  # XXH3-128 of `urls.same_page_key`: equal for one page
        pa.field("id", ID, nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),
        pa.field("num_words", pa.int64(), nullable=False),
    ]
)
"""One row for each document that has a URL, by partition of its address."""


def address_rows(survivors: pa.Table, urls: pa.Array, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`ADDRESS_ROWS` of survivors (`id`, `num_bytes`, `num_words`) and their `urls`, and how many each partition has.

    A URL without a scheme or host names no page: such documents, and those without one, have no row.
    """
    addresses = pa.array([_address(url) for url in urls.to_pylist()], ID)
    has_one = addresses.is_valid()
    kept = survivors.filter(has_one)
    addresses = addresses.drop_null()
    high, _ = document_id.words(addresses)
    # Equal ranges of hashes; below 2**32 partitions the product fits.
    partition = ((high >> np.uint64(32)) * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    facts = [column(kept, name).cast(ADDRESS_ROWS.field(name).type) for name in ADDRESS_ROWS.names[1:]]
    table = pa.Table.from_arrays([addresses, *facts], schema=ADDRESS_ROWS)
    return table.take(pa.array(order)), np.bincount(partition, minlength=num_partitions).tolist()


def same_address(rows: pa.Table, split: SplitConfig, config: DeduplicateConfig) -> pa.Table:
    """`schemas.VERDICTS` of all documents of a partition but the first of each address, ascending by id."""
    rows = rows.sort_by("id")
    ids = column(rows, "id")
    _, address = distinct_ids(column(rows, "address"))
    order = keeper_order(ids, column(rows, "num_words").to_numpy(), address, split, config)
    keeper = first_of(order, address)
    loses = np.flatnonzero(keeper != np.arange(len(keeper)))
    nothing = pa.nulls(len(loses), pa.float64())  # was measured
    columns = [ids.take(loses), column(rows, "num_bytes").take(loses), pa.array([URL] * len(loses), pa.string())]
    return pa.Table.from_arrays([*columns, nothing, nothing, ids.take(keeper[loses])], schema=schemas.VERDICTS)


def at_earlier_address(rows: pa.Table, corpora: list[pa.Table]) -> tuple[pa.Table, pa.Table]:
    """`LOST_TO_EARLIER`, ascending by id: the documents whose address a corpus has; and the `ADDRESS_ROWS` of the rest.

    All are `ADDRESS_ROWS` of one partition, `corpora` by corpus. Of several old documents one of the corpus that is
    listed first is named, there the one of the smallest id.
    """
    old = pa.concat_tables([ADDRESS_ROWS.empty_table(), *corpora])
    corpus = np.repeat(np.arange(len(corpora)), [table.num_rows for table in corpora])
    _, address = distinct_ids(pa.concat_arrays([column(old, "address"), column(rows, "address")]))
    old_address, new_address = address[: old.num_rows], address[old.num_rows :]
    high, low = document_id.words(column(old, "id"))
    first = np.full(int(address.max(initial=-1)) + 1, -1)
    order = np.lexsort((low, high, corpus))[::-1]
    first[old_address[order]] = order  # the last one written stays: the first of its address
    named = first[new_address]
    loses = np.flatnonzero(named >= 0)
    loses = loses[np.argsort(distinct_ids(column(rows, "id"))[1][loses], kind="stable")]
    lost, keeper = rows.take(pa.array(loses)), named[loses]
    nothing = pa.nulls(len(loses), pa.float64())  # was measured
    columns = [column(lost, "id"), column(lost, "num_bytes"), pa.array([URL] * len(loses), pa.string())]
    columns += [nothing, nothing, column(old, "id").take(pa.array(keeper)), pa.array(corpus[keeper], pa.int32())]
    table = pa.Table.from_arrays(columns, schema=LOST_TO_EARLIER)
    return table, rows.filter(pa.array(named < 0))


def _address(url: str | None) -> bytes | None:
    if url is None:
        return None
    try:
        return xxhash.xxh3_128_digest(same_page_key(url).encode("utf-8", "surrogatepass"))
    except DataError:
        return None
