from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from seedbed.balance import Balance, Group, _count, _flags, _take_days, balance, concentration, largest, most_kept
from seedbed.datasheet import _balance, _source, _source_row, known_limits
from seedbed.errors import UsageError
from seedbed.sources import SourceFile


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


def test_the_days_of_a_source_are_those_of_all_its_shards():
    found = Balance(2, 2)
    for days in ([datetime(2026, 3, 4, 23, 59, tzinfo=UTC), None], [datetime(2025, 12, 31, tzinfo=UTC)], [None]):
        _take_days(found, "docs", pa.chunked_array([pa.array(days, pa.timestamp("s", tz="UTC"))]))
    assert found.dates == {"docs": ("2025-12-31", "2026-03-04")}


def test_the_datasheet_says_where_a_source_lies_and_not_who_reads_it(pipeline):
    """Of a local one no folder: the same run elsewhere has the same datasheet."""
    files = [SourceFile("docs", f"2026/{n}.warc.gz", "https://me:p@ss@x.example/crawl", 10, "v") for n in (2, 1)]
    found = Balance(1, 1, dates={"docs": ("2026-03-04", "2026-03-04")})
    source = _source(replace(pipeline.plan, sources=tuple(files)), "docs", found)
    assert _source_row("docs", source) == (
        "| docs | 2 | 20 | `2026/1.warc.gz` to `2026/2.warc.gz` in https://x.example/crawl | 2026-03-04 | not stated |"
    )
    signed = SourceFile("docs", "a.warc.gz?X-Amz-Signature=f/00", "https://x.example", 10, "v")
    assert "Signature" not in str(_source(replace(pipeline.plan, sources=(signed,)), "docs", None))
    source = _source(pipeline.plan, "docs", None)
    assert source["root"] is None and pipeline.plan.sources[0].root not in str(source)


def documents(*rows: tuple[str, str | None, int], step: str = "select") -> pa.Table:
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
            "step": [step] * size,
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


def test_copies_are_no_judgement():
    found = Balance(1, 1)
    rows = [("de", "near_duplicate", 30), ("de", None, 70), ("en", None, 100)]
    _count(found, documents(*rows, step="deduplicate"))
    assert list(_flags(found, "language")) == []


def test_the_largest_groups_and_the_share_of_the_first():
    groups = {"a": Group(1, 10, 1, 10), "b": Group(5, 90, 5, 30), "c": Group(5, 20, 0, 0)}
    assert [name for name, _ in largest(groups, 2)] == ["b", "c"]
    assert concentration(groups) == 0.75
    assert concentration({"a": Group(1, 10)}) is None


def test_the_group_that_holds_most_of_the_text_need_not_have_the_most_documents():
    groups = {"many": Group(9, 90, 9, 10), "long": Group(1, 90, 1, 90), "also": Group(1, 90, 1, 90)}
    assert most_kept(groups) == "also"  # by name where two hold as much
    assert most_kept({"a": Group(1, 10)}) is None


def test_the_datasheet_names_the_domain_that_holds_the_text():
    found = Balance(1, 1)
    found.groups["domain"] = {"many.example": Group(9, 90, 9, 10), "long.example": Group(1, 90, 1, 90)}
    facts = {"balance": _balance(found), "benchmarks": None}
    assert [row["name"] for row in facts["balance"]["groups"]["domain"]] == ["many.example", "long.example"]
    assert known_limits(facts)[-1] == "One domain, long.example, holds 90% of the text."


def test_a_limit_is_what_was_compared_and_what_was_not():
    found = {"items": 9, "items_not_checkable": 2, "items_found": 1, "documents": 1}
    limits = known_limits({"balance": None, "benchmarks": {"exam": found, "other": found}})
    assert limits[2] == (
        "Compared with exam, other by their wording alone: translations and retold items stay, and scores on other "
        "benchmarks may be too good. 4 items were too short, or little but numbers, and not looked for."
    )
    assert known_limits({"balance": None, "benchmarks": None})[2] == (
        "Nothing was compared with benchmarks: scores on them may be too good."
    )
