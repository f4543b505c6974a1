import io

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from dataprep.digest import table_digest

rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(st.none(), st.text(max_size=4)),
        st.lists(st.integers(0, 3), max_size=3),
    ),
    max_size=12,
)


def table(values) -> pa.Table:
    types = {"n": pa.int64(), "s": pa.large_string(), "l": pa.list_(pa.int64())}
    return pa.table({name: pa.array([v[i] for v in values], kind) for i, (name, kind) in enumerate(types.items())})


@given(rows, st.integers(0, 12), st.integers(1, 4))
def test_slices_chunks_and_parquet_leave_the_digest_alone(values, at, chunk):
    whole = table(values)
    padded = pa.concat_tables([table([(7, "x", [1])]), whole]).slice(1)
    chunked = pa.Table.from_batches(whole.to_batches(max_chunksize=chunk), whole.schema)
    sink = io.BytesIO()
    pq.write_table(whole, sink, compression="zstd", row_group_size=3)
    for form in (padded, chunked, pq.read_table(sink)):
        assert table_digest(form) == table_digest(whole)


@given(rows, rows)
def test_other_content_has_another_digest(a, b):
    assert (table_digest(table(a)) == table_digest(table(b))) == (a == b)


def test_a_null_is_not_a_zero_and_a_name_counts():
    assert table_digest(pa.table({"a": pa.array([0])})) != table_digest(pa.table({"a": pa.array([None], pa.int64())}))
    assert table_digest(pa.table({"a": [1]})) != table_digest(pa.table({"b": [1]}))
