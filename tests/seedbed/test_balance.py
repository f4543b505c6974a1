from datetime import UTC, datetime

import pyarrow as pa
import pytest

from seedbed.balance import Balance, Group, _count, _flags, balance, concentration, largest
from seedbed.errors import UsageError


def test_documents_bytes_and_tokens_are_counted_by_what_documents_are(pipeline):
    pipeline.write_ledger()
    found = balance(pipeline.store, pipeline.plan)
    # a#1 (16 bytes) and b#1 (8) are kept with 7 and 3 tokens; a#2 (9) and b#0 (17) went.
    assert found.groups["language"] == {"en": Group(4, 50, 2, 24, 10)}
    assert found.groups["source"] == {"docs": Group(4, 50, 2, 24, 10)}
    assert found.groups["domain"] == {"x.example": Group(3, 42, 1, 16, 7), "(none)": Group(1, 8, 1, 8, 3)}
    assert found.groups["year"] == {"(none)": Group(4, 50, 2, 24, 10)}
    assert found.taken["language"] == {"too_few_words": {"en": 1}, "near_duplicate": {"en": 1}}
    assert found.steps == {"too_few_words": "select", "near_duplicate": "deduplicate"}


def test_before_the_ledger_nothing_can_be_said(pipeline):
    with pytest.raises(UsageError, match="the ledger is not written yet"):
        balance(pipeline.store, pipeline.plan)


def documents(*rows: tuple[str, str | None, int]) -> pa.Table:
    """Rows of (language, reason, how many)."""
    each = [(language, reason) for language, reason, number in rows for _ in range(number)]
    size = len(each)
    year = str(datetime(2026, 1, 1, tzinfo=UTC).year)
    return pa.table(
        {
            "language": [language for language, _ in each],
            "source": ["docs"] * size,
            "domain": ["x.example"] * size,
            "year": [year] * size,
            "num_bytes": [10] * size,
            "is_kept": [reason is None for _, reason in each],
            "step": ["select"] * size,
            "reason": pa.array([reason for _, reason in each], pa.string()),
        }
    )


def test_a_rule_that_hits_one_language_ten_times_harder_is_flagged():
    found = Balance(1, 1)
    # 30 of 100 German documents, 3 of 100 English ones: exactly ten times the share.
    _count(
        found, documents(("de", "few_stop_words", 30), ("de", None, 70), ("en", "few_stop_words", 3), ("en", None, 97))
    )
    (flag,) = _flags(found, "language")
    assert (flag.group, flag.step, flag.reason, flag.dropped) == ("de", "select", "few_stop_words", 30)
    assert (flag.share, flag.share_of_others) == (0.3, 0.03)


@pytest.mark.parametrize(
    "rows",
    [
        [("de", "r", 29), ("de", None, 71), ("en", "r", 3), ("en", None, 97)],  # 9.7 times
        [("de", "r", 19), ("de", None, 81), ("en", None, 100)],  # too few to say
        [("de", "r", 30), ("de", None, 10), ("en", None, 100)],  # a language of 40 documents
        [("de", "r", 60), ("de", None, 40), ("en", None, 40)],  # nobody to compare with
    ],
)
def test_what_hits_all_alike_or_few_is_not_flagged(rows):
    found = Balance(1, 1)
    _count(found, documents(*rows))
    assert list(_flags(found, "language")) == []


def test_the_largest_groups_and_the_share_of_the_first():
    groups = {"a": Group(1, 10, 1, 10), "b": Group(5, 90, 5, 30), "c": Group(5, 20, 0, 0)}
    assert [name for name, _ in largest(groups, 2)] == ["b", "c"]
    assert concentration(groups) == 0.75
    assert concentration({"a": Group(1, 10)}) is None
