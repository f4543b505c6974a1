import random
import re

from dataprep.kernels.markup_limits import nesting_and_tags


def test_nesting_counts_what_is_open_and_leaves_out_what_authors_need_not_close():
    assert nesting_and_tags(b"<div><b>x</b><p>one<p>two<br></div><DIV></DIV>") == (2, 9)
    assert nesting_and_tags(b"<svg>" + b"<path d='m 1 2'/>" * 100 + b"</svg>") == (1, 102)
    assert nesting_and_tags(b"a < b and c << d") == (0, 0)


def test_a_name_longer_than_eight_letters_nests_whatever_it_begins_or_ends_with():
    assert nesting_and_tags(b"<colgroupx><xcolgroup>") == (2, 2)
    assert nesting_and_tags(b"<colgroup><COLGROUP>") == (0, 2)


def test_a_leaf_of_a_drawing_nests_unless_it_closes_itself():
    assert nesting_and_tags(b"<circle><rect /><path") == (2, 3)


def test_tags_are_found_wherever_they_stand_in_a_block_of_bytes():
    draw = random.Random(1)
    for _ in range(200):
        page = b"".join(draw.choice((b"<b>", b"<i x=1>", b"</b>", b"<", b"x" * draw.randrange(70))) for _ in range(30))
        assert nesting_and_tags(page)[1] == len(re.findall(rb"</?[a-z]", page[:-1] + b" ")), page
