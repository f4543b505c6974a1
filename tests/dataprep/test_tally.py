from dataclasses import replace

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dataprep.document_id import ID
from dataprep.tally import Tally, tally, tally_by_reason


def table(rows: list[tuple[int, int, str | None]]) -> pa.Table:
    ids = pa.array([number.to_bytes(16, "big") for number, _, _ in rows], ID)
    return pa.table(
        {
            "id": ids,
            "num_bytes": pa.array([n for _, n, _ in rows], pa.int64()),
            "reason": pa.array([r for *_, r in rows], pa.string()),
        }
    )


ROWS = [(1, 10, None), (2, 20, "short"), (3, 30, None), (4, 40, "short"), (5, 50, "long")]


@given(st.permutations(ROWS))
def test_a_tally_does_not_depend_on_the_order(rows):
    assert tally(table(rows), "num_bytes") == tally(table(ROWS), "num_bytes")


def test_the_parts_add_up_to_the_whole():
    whole = table(ROWS)
    kept = tally(table([r for r in ROWS if r[2] is None]), "num_bytes")
    assert sum(tally_by_reason(whole, "num_bytes").values(), kept) == tally(whole, "num_bytes")


def test_one_id_for_another_is_seen_though_the_counts_agree():
    swapped = [(9, 10, None), *ROWS[1:]]
    assert tally(table(swapped), "num_bytes").checksum != tally(table(ROWS), "num_bytes").checksum


def texts(*rows: tuple[int, str]) -> int:
    ids = pa.array([number.to_bytes(16, "big") for number, _ in rows], ID)
    return tally(
        pa.table({"id": ids, "text": pa.array([text for _, text in rows], pa.large_string())}), None, "text"
    ).texts


def test_a_text_that_changes_or_stands_beside_another_id_is_seen():
    whole = texts((1, "one"), (2, "two"), (3, ""))
    assert whole == texts((3, ""), (2, "two"), (1, "one"))
    assert len({whole, texts((1, "two"), (2, "one"), (3, "")), texts((1, "one"), (2, "tw"), (3, ""))}) == 3
    assert (texts((2, "two"), (3, "")) + texts((1, "one"))) % 2**64 == whole


def test_a_tally_survives_json():
    value = replace(tally(table(ROWS), "num_bytes"), texts=2**64 - 1)
    assert Tally.from_json(value.to_json()) == value
