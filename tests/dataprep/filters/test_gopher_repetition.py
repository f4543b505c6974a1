import pyarrow as pa
import pytest

from dataprep.filters.gopher_repetition import GopherRepetitionConfig

# A document in which everything repeats as much as it may.
GOOD = {
    "num_lines": 10,
    "num_duplicate_lines": 3,
    "num_paragraphs": 10,
    "num_duplicate_paragraphs": 3,
    "num_line_characters": 100,
    "num_duplicate_line_characters": 20,
    "num_duplicate_paragraph_characters": 20,
    "num_word_characters": 100,
    "num_top_2_gram_characters": 20,
    "num_top_3_gram_characters": 18,
    "num_top_4_gram_characters": 16,
    "num_duplicate_5_gram_characters": 15,
    "num_duplicate_6_gram_characters": 14,
    "num_duplicate_7_gram_characters": 13,
    "num_duplicate_8_gram_characters": 12,
    "num_duplicate_9_gram_characters": 11,
    "num_duplicate_10_gram_characters": 10,
}


def failed(config: GopherRepetitionConfig | None = None, **changes: int) -> list[tuple[str, float, float]]:
    """Reason, value and threshold of each rule that the document fails."""
    attributes = pa.Table.from_pylist([{**GOOD, **changes}])
    rules = (config or GopherRepetitionConfig()).rules(attributes)
    return [(rule.reason, rule.value[0], rule.threshold) for rule in rules if rule.fails[0]]


def test_the_limits_themselves_pass():
    assert failed() == []


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("num_duplicate_lines", 4, ("too_many_duplicate_lines", 0.4, 0.30)),
        ("num_duplicate_paragraphs", 4, ("too_many_duplicate_paragraphs", 0.4, 0.30)),
        ("num_duplicate_line_characters", 21, ("too_much_text_in_duplicate_lines", 0.21, 0.20)),
        ("num_duplicate_paragraph_characters", 21, ("too_much_text_in_duplicate_paragraphs", 0.21, 0.20)),
        ("num_top_2_gram_characters", 21, ("too_much_text_in_top_2_gram", 0.21, 0.20)),
        ("num_top_3_gram_characters", 19, ("too_much_text_in_top_3_gram", 0.19, 0.18)),
        ("num_top_4_gram_characters", 17, ("too_much_text_in_top_4_gram", 0.17, 0.16)),
        ("num_duplicate_5_gram_characters", 16, ("too_much_text_in_duplicate_5_grams", 0.16, 0.15)),
        ("num_duplicate_6_gram_characters", 15, ("too_much_text_in_duplicate_6_grams", 0.15, 0.14)),
        ("num_duplicate_7_gram_characters", 14, ("too_much_text_in_duplicate_7_grams", 0.14, 0.13)),
        ("num_duplicate_8_gram_characters", 13, ("too_much_text_in_duplicate_8_grams", 0.13, 0.12)),
        ("num_duplicate_9_gram_characters", 12, ("too_much_text_in_duplicate_9_grams", 0.12, 0.11)),
        ("num_duplicate_10_gram_characters", 11, ("too_much_text_in_duplicate_10_grams", 0.11, 0.10)),
    ],
)
def test_each_limit_names_its_fault(column, value, expected):
    assert failed(**{column: value}) == [expected]


def test_a_text_of_symbols_alone_repeats_nothing():
    assert failed(**dict.fromkeys(GOOD, 0)) == []


def test_limits_can_be_moved():
    strict = GopherRepetitionConfig(max_duplicate_10_gram_share=0.05)
    assert failed(strict) == [("too_much_text_in_duplicate_10_grams", 0.10, 0.05)]
