import math

import pyarrow as pa

from dataprep.filters.c4 import C4Config


def failed(config: C4Config | None = None, **changes: int) -> list[tuple[str, float, float]]:
    """Reason, value and threshold of each rule that a document of five sentences fails after the changes."""
    row = {"num_curly_brackets": 0, "num_lorem_ipsum": 0, "num_sentences": 5} | changes
    rules = (config or C4Config()).rules(pa.Table.from_pylist([row]))
    return [(rule.reason, rule.value[0], rule.threshold) for rule in rules if rule.fails[0]]


def test_five_sentences_without_a_bracket_pass():
    assert failed() == []


def test_each_fault_is_named():
    assert failed(num_sentences=4) == [("too_few_sentences", 4, 5)]
    for column, reason in (("num_curly_brackets", "curly_bracket"), ("num_lorem_ipsum", "lorem_ipsum")):
        ((found, value, threshold),) = failed(**{column: 2})
        assert (found, value) == (reason, 2)
        assert math.isnan(threshold)  # it is there or it is not


def test_each_rule_can_be_left_out():
    lenient = C4Config(curly_bracket=False, lorem_ipsum=False, min_sentences=0)
    assert failed(lenient, num_curly_brackets=1, num_lorem_ipsum=1, num_sentences=0) == []
    assert [rule.reason for rule in lenient.rules(pa.table({"num_sentences": [0]}))] == ["too_few_sentences"]
