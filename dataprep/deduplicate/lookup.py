"""Where documents stand in a table, by id."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.errors import CorruptDataError


def rows_of(wanted: pa.Array, ids: pa.Array, what: str) -> np.ndarray:
    """int64: the row of each wanted id among `ids`, the ids of a table of `what`.

    Raises CorruptDataError where one is not there.
    """
    rows = pc.index_in(wanted, value_set=ids)
    if rows.null_count:
        missing = wanted.filter(pc.is_null(rows))[0].as_py().hex()
        raise CorruptDataError(f"{rows.null_count} of {len(wanted)} documents have no {what}, the first is {missing}")
    return rows.to_numpy().astype(np.int64)
