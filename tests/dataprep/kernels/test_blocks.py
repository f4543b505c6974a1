import numpy as np
import pytest
from numba import njit

from dataprep.kernels import blocks
from dataprep.kernels.unicode_classes import DIGIT, LETTER, WHITESPACE, unicode_classes


@pytest.mark.parametrize(
    ("name", "kind"), [("digits_of_block", DIGIT), ("letters_of_block", LETTER), ("whitespace_of_block", WHITESPACE)]
)
def test_a_block_has_the_classes_that_the_tables_have(name, kind):
    of_block = getattr(blocks, name)
    mask_at = njit(lambda data, position: of_block(data, position))
    data = np.arange(128, dtype=np.uint8)
    for start in range(0, 128, blocks.BLOCK):
        mask = int(mask_at(data, start))
        found = [start + bit for bit in range(blocks.BLOCK) if mask >> bit & 1]
        assert found == [c for c in range(start, start + blocks.BLOCK) if unicode_classes().classes[c] & kind]


@pytest.mark.parametrize(("count", "mask"), [(0, 0), (1, 1), (31, 0x7FFFFFFF), (32, 0xFFFFFFFF), (500, 0xFFFFFFFF)])
def test_first_bits_are_as_many_as_are_asked_for_and_a_block_holds(count, mask):
    assert int(blocks.first_bits(count)) == mask
