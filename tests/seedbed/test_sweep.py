import pytest

from seedbed.errors import UsageError
from seedbed.sweep import parse_values, sweep


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("20,50,100", [20, 50, 100]),
        ("20..100", [20, 30, 40, 50, 60, 70, 80, 90, 100]),
        ("1..3", [1, 2, 3]),  # nine points, of which three are whole and different
        ("0.1..0.5", [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]),
        ("20..50:10", [20, 30, 40, 50]),
        ("0..1:0.25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("0,5..6:1", [0, 5, 6]),
        ("true,false,null", [True, False, None]),
    ],
)
def test_values_are_written_as_lists_and_ranges(text, values):
    found = parse_values(text)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("many", "'many' is no number"),
        ("9..1", "a range goes up"),
        ("0..1:0", "a step above 0"),
        ("0..1:1e-9", "fewer than 1,000 values"),
        ("1..", "'' is no number"),
    ],
)
def test_values_that_are_none_say_how_they_are_written(text, says):
    with pytest.raises(UsageError, match=says):
        parse_values(text)


def test_the_funnel_moves_with_the_threshold(pipeline):
    # Four documents of 4, 2, 4 and 2 words (16, 9, 17 and 8 bytes); the run file has no filter on.
    found = sweep(pipeline.store, pipeline.plan, "gopher_quality.min_words", [2, 3, 5])
    assert (found.num_shards, found.of_shards, found.num_documents) == (2, 2, 4)
    now, two, three, five = found.settings
    assert (now.value, now.is_current, now.records_kept, now.bytes_kept) == (None, True, 4, 50)
    assert two.dropped["too_few_words"] == 0
    assert three.dropped["too_few_words"] == 2
    assert five.dropped["too_few_words"] == 4
    assert (five.records_kept, five.bytes_kept) == (0, 0)
    # The other rules of a filter that was off are on with it, at their defaults: words of no characters are too short.
    assert two.dropped["mean_word_too_short"] == 4
    assert found.current is now


def test_a_key_may_be_written_as_it_is_in_the_run_file(pipeline):
    found = sweep(pipeline.store, pipeline.plan, "data.select.gopher_quality.min_words", [5])
    assert (found.key, found.settings[1].dropped["too_few_words"]) == ("gopher_quality.min_words", 4)


def test_some_shards_stand_for_many(pipeline):
    found = sweep(pipeline.store, pipeline.plan, "gopher_quality.min_words", [3], max_shards=1)
    assert (found.num_shards, found.of_shards, found.num_documents) == (1, 2, 2)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("gopher_qualty.min_words", 1, "no filter is called 'gopher_qualty'; did you mean gopher_quality"),
        ("gopher_quality.min_word", 1, "has no key 'min_word'; did you mean min_words"),
        ("gopher_quality.min_words", -1, "greater than or equal to 0 .found -1"),
        ("gopher_quality.min_words", True, "valid integer .found True"),
        ("quality.min_score", 0.5, "quality_classifier"),  # nothing has measured it
        ("domain_cap.max_documents", 9, "caps are held after it.*--until deduplicate"),
        ("data.domain_cap.max_bytes", 9, "caps are held after it.*--until deduplicate"),
    ],
)
def test_what_no_filter_takes_is_refused_with_what_one_takes(pipeline, key, value, says):
    with pytest.raises(UsageError, match=says):
        sweep(pipeline.store, pipeline.plan, key, [value])


def test_before_annotate_there_is_nothing_to_count(pipeline):
    pipeline.forget("annotate")
    with pytest.raises(UsageError, match="annotate has not run yet, and a sweep reads what it measured"):
        sweep(pipeline.store, pipeline.plan, "gopher_quality.min_words", [3])
