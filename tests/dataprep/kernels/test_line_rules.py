import random

import numpy as np
import pyarrow as pa
import pytest

from dataprep.kernels.line_rules import measure_line
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import unicode_classes


def measured(line: str, behind: str = "") -> tuple:
    """Of a line with something behind it: near the end of the data, bytes are looked at one by one."""
    data, _ = text_buffers(pa.array([line + behind], pa.large_string()))
    tables = unicode_classes()
    return tuple(measure_line(data, 0, np.int64(len(line.encode())), tables.classes, tables.lower))


@pytest.mark.parametrize("behind", ["", "\n" + "x" * 64])
@pytest.mark.parametrize(
    ("line", "found"),
    [
        # characters, words, capitals, digits, whitespace, longest run, last character, full stops
        ("", (0, 0, 0, 0, 0, 0, 0, 0)),
        (" \t ", (3, 0, 0, 0, 3, 0, 0, 0)),
        ("Don't stop 42 times... ", (23, 5, 1, 2, 4, 8, ord("."), 3)),
        ("x" * 40 + " Yz", (43, 2, 1, 0, 1, 40, ord("z"), 0)),
        ("Élan vital à l'œuvre.", (21, 5, 1, 0, 3, 8, ord("."), 1)),
        ("大家好 and 你們", (10, 6, 0, 0, 2, 3, ord("們"), 0)),
        ("大a", (2, 2, 0, 0, 0, 2, ord("a"), 0)),
        ("大abcdefgh", (9, 2, 0, 0, 0, 9, ord("h"), 0)),
        ("wait . . .", (10, 1, 0, 0, 3, 4, ord("."), 1)),
    ],
)
def test_a_line_is_measured_as_by_hand(line, found, behind):
    assert measured(line, behind) == found


def test_the_way_through_blocks_of_bytes_and_the_one_through_characters_say_the_same():
    draw = random.Random(3)
    for _ in range(3000):
        kinds = ("abcXYZ", "0123456789", " \t\x0b", ".,-'", "éÉßſ", "大あ", "\u0301", "Ж\u3000")
        line = "".join(
            draw.choice(draw.choice(kinds)) * draw.choice((1, 1, 2, 9)) for _ in range(draw.randrange(1, 40))
        )
        assert measured(line, "\n" + "x" * 64) == measured(line), line
