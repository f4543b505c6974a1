import random

import numpy as np
import pyarrow as pa

from dataprep.kernels.cut_pieces import joined_windows, marked_ranges, pieces
from dataprep.kernels.word_spans import word_spans


def cut(starts, ends, kinds, text_start, text_end):
    ranges = np.array(starts, np.int64), np.array(ends, np.int64), np.array(kinds, np.int8)
    made = pieces(*ranges, text_start, text_end)
    return list(zip(*(part.tolist() for part in made), strict=True))


def test_windows_that_overlap_or_touch_are_one():
    firsts, ends, rows = joined_windows(np.array([2, 3, 8, 14, 30]), 5)
    # [2, 7) and [3, 8) overlap, [8, 13) touches; one word lies between it and [14, 19)
    assert (firsts.tolist(), ends.tolist(), rows.tolist()) == ([2, 14, 30], [13, 19, 35], [0, 3, 4])
    assert [part.tolist() for part in joined_windows(np.empty(0, np.int64), 5)] == [[], [], []]


def test_marks_without_whitespace_between_go_with_the_words():
    texts = ["zero", "He said (“one two”), three", "four"]
    text = pa.array(texts, pa.large_string())
    spans = word_spans(text)
    ends = np.cumsum([len(one.encode()) for one in texts])
    for words, expected in (((3, 5), "(“one two”),"), ((1, 2), "He"), ((5, 6), "three"), ((1, 6), texts[1])):
        first, end = (np.array([word]) for word in words)
        starts, stops = marked_ranges(first, end, spans, int(ends[0]), int(ends[1]))
        assert bytes(spans.data[starts[0] : stops[0]]).decode() == expected


def test_a_mark_between_two_words_goes_with_either():
    spans = word_spans(pa.array(["one.two three"], pa.large_string()))
    starts, stops = marked_ranges(np.array([0, 1]), np.array([1, 2]), spans, 0, 13)
    assert (starts.tolist(), stops.tolist()) == ([0, 3], [4, 7])  # "one." and ".two"


def test_a_byte_goes_once_for_the_first_that_wants_it():
    assert cut([10, 15], [20, 30], [0, 1], 5, 40) == [(10, 20, 0), (20, 30, 1)]
    assert cut([10, 5], [20, 30], [0, 2], 5, 40) == [(5, 10, 1), (10, 20, 0), (20, 30, 1)]


def test_pieces_of_one_kind_that_touch_are_one_of_the_first():
    assert cut([4, 0, 20], [8, 4, 24], [1, 1, 1], 0, 24) == [(0, 8, 1), (20, 24, 2)]
    assert cut([], [], [], 0, 24) == []


def test_random_ranges_give_what_plain_python_gives():
    rng = random.Random(5)
    for _ in range(300):
        ranges = sorted((rng.randint(0, 2), *sorted(rng.sample(range(31), 2))) for _ in range(rng.randint(0, 8)))
        kinds, starts, ends = ([row[i] for row in ranges] for i in range(3))
        owner = [next((k for k, a, b in ranges if a <= byte < b), None) for byte in range(30)]
        found = [None] * 30
        for start, end, row in cut(starts, ends, kinds, 0, 30):
            found[start:end] = [kinds[row]] * (end - start)
            assert end == 30 or owner[end] != kinds[row]
        assert found == owner
