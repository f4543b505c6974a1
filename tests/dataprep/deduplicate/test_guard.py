import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep.deduplicate.guard import GROUPS, ExpectedLoss, Loss, LossRange, complaints, largest, largest_groups
from dataprep.schemas import ID


def test_a_share_outside_its_range_is_said_with_its_numbers_and_its_key():
    expected = ExpectedLoss(sources={"docs": LossRange(min_share=0.1, max_share=0.5)})
    assert complaints({"docs": Loss(1000, 501)}, {}, expected) == [
        "source docs: 501 of 1,000 documents lost, 50.1%; data.deduplicate.expected_loss.sources.docs allows "
        "10.0% to 50.0%"
    ]
    assert len(complaints({"docs": Loss(1000, 99)}, {}, expected)) == 1
    assert complaints({"docs": Loss(1000, 500)}, {}, expected) == []
    assert complaints({"docs": Loss(1000, 100)}, {}, expected) == []


def test_those_without_a_name_are_judged_from_a_size_on_and_the_named_always():
    half = LossRange(max_share=0.5)
    expected = ExpectedLoss(languages={"sw": LossRange(max_share=0.9)}, every_language=half, min_documents=10)
    languages = {"sw": Loss(10, 9), "am": Loss(9, 9), "en": Loss(10, 6), "de": Loss(10, 5)}
    said = complaints({"docs": Loss(10, 10)}, languages, expected)
    assert [line.split(",")[0] for line in said] == ["language en: 6 of 10 documents lost"]
    assert "expected_loss.every_language allows 0.0% to 50.0%" in said[0]
    assert len(complaints({}, {"sw": Loss(1, 1)}, expected)) == 1
    assert complaints({}, {"sw": Loss(0, 0)}, expected) == []


def test_a_range_has_its_least_first():
    with pytest.raises(ValidationError, match=r"min_share 0.5 is above max_share 0.4"):
        LossRange(min_share=0.5, max_share=0.4)


def test_the_largest_groups_come_first():
    def ids(*numbers: int) -> pa.Array:
        return pa.array([number.to_bytes(16, "big") for number in numbers], ID)

    members = pa.table({"id": ids(1, 2, 3, 4, 5, 6, 7), "component": ids(1, 2, 2, 2, 1, 6, 6)})
    found = largest_groups(members, ids(3, 4, 5))
    assert found.schema == GROUPS
    rows = [(row["id"][-1], row["documents"], row["lost"]) for row in found.to_pylist()]
    assert rows == [(2, 3, 2), (1, 2, 1), (6, 2, 0)]
    assert largest([found.slice(1), found.slice(0, 1)]).equals(found)
