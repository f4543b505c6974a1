"""Classes of single bytes, for kernels that look for what is written in ASCII. Bytes of other characters have none."""

import numpy as np

DIGIT = 1
UPPER = 2
LOWER = 4
UNDERSCORE = 8
HEX = 16  # 0-9, a-f, A-F
LOCAL = 32  # what the part of an e-mail address before its @ is made of: letters, digits and ._%+-

LETTER = UPPER | LOWER
ALNUM = DIGIT | LETTER
JOINED = ALNUM | UNDERSCORE  # what goes on with a name or a number


def _classes() -> np.ndarray:
    table = np.zeros(256, np.uint8)
    for byte in range(0x80):
        letter = chr(byte)
        table[byte] = (
            DIGIT * letter.isdigit()
            | UPPER * letter.isupper()
            | LOWER * letter.islower()
            | UNDERSCORE * (letter == "_")
            | HEX * (letter in "0123456789abcdefABCDEF")
            | LOCAL * (letter.isalnum() or letter in "._%+-")
        )
    table.flags.writeable = False
    return table


ASCII_CLASSES = _classes()
"""uint8[256], the bits of this module."""
