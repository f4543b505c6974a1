import pyarrow as pa
import pytest

from dataprep.filters.fineweb import FineWebConfig

GOOD = {
    "num_lines": 100,
    "num_punctuated_lines": 13,
    "num_short_lines": 66,
    "num_line_characters": 1000,
    "num_duplicate_line_characters": 99,
    "num_newlines": 30,
    "num_words": 100,
}


def failed(**changes: int) -> list[tuple[str, float, float]]:
    """Reason, value and threshold of each rule that the document fails."""
    rules = FineWebConfig().rules(pa.Table.from_pylist([{**GOOD, **changes}]))
    return [(rule.reason, rule.value[0], rule.threshold) for rule in rules if rule.fails[0]]


def test_what_is_just_within_the_limits_passes():
    assert failed() == []


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("num_punctuated_lines", 12, ("too_few_punctuated_lines", 0.12, 0.12)),
        ("num_duplicate_line_characters", 100, ("too_much_text_in_repeated_lines", 0.1, 0.1)),
        ("num_short_lines", 67, ("too_many_short_lines", 0.67, 0.67)),
        ("num_newlines", 31, ("too_many_newlines", 0.31, 0.3)),
    ],
)
def test_each_limit_names_its_fault_and_the_first_three_fail_themselves(column, value, expected):
    assert failed(**{column: value}) == [expected]
