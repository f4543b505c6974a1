import pyarrow as pa

from dataprep.filters.refinedweb import RefinedWebFilterConfig


def test_a_page_goes_when_more_than_a_twentieth_of_its_words_stood_in_lines_that_were_removed():
    edits = pa.table({"num_words_in_lines": [100, 100, 20, 0], "num_words_in_refinedweb_lines": [5, 6, 1, 0]})
    [rule] = RefinedWebFilterConfig().rules(edits)
    assert (rule.reason, rule.threshold) == ("too_many_words_in_removed_lines", 0.05)
    assert rule.value.tolist() == [0.05, 0.06, 0.05, 0.0]  # a page without such words lost none
    assert rule.fails.tolist() == [False, True, False, False]


def test_the_limit_is_the_run_files():
    edits = pa.table({"num_words_in_lines": [10], "num_words_in_refinedweb_lines": [3]})
    [lenient] = RefinedWebFilterConfig(max_removed_word_share=0.3).rules(edits)
    assert lenient.fails.tolist() == [False]
