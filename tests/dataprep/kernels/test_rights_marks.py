import random

import pytest

from dataprep.kernels.rights_marks import ANCHORS, MARKS, holds_mark


@pytest.mark.parametrize("mark", [mark for mark, _ in MARKS])
def test_a_mark_is_found_wherever_it_stands_and_in_any_case(mark):
    for before in range(70):
        page = b"x" * before + mark.swapcase() + b"y" * 40
        assert holds_mark(page, before + len(mark))
        assert not holds_mark(page, before + len(mark) - 1)


def test_an_anchor_stands_where_its_mark_has_it():
    assert {mark[place : place + 2] for mark, place in MARKS} == set(ANCHORS)


def test_bytes_of_marks_that_make_none_are_no_mark():
    draw = random.Random(2)
    letters = b"botextndcrawl-igsm.\x00\x01\r\xc3"
    for _ in range(2000):
        page = bytes(draw.choices(letters, k=draw.randrange(1, 90)))
        assert holds_mark(page, len(page)) == any(mark in page.lower() for mark, _ in MARKS), page


def test_the_end_may_lie_behind_the_page():
    assert holds_mark(b"noindex", 4096)
    assert not holds_mark(b"n", 4096)
