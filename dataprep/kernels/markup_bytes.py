"""What each byte of a page's markup is: a letter, or something that text has to stop at."""

import numpy as np

# Bytes of text: 0 stands for itself, the others need a look.
WHITE, MARKUP, REFERENCE, CONTROL, LEAD_C2 = 1, 2, 3, 4, 5
BYTE_KIND = np.zeros(256, np.uint8)
BYTE_KIND[:32] = CONTROL
BYTE_KIND[[9, 10, 12, 13, 32]] = WHITE
BYTE_KIND[127] = CONTROL
BYTE_KIND[ord("<")] = MARKUP
BYTE_KIND[ord("&")] = REFERENCE
BYTE_KIND[0xC2] = LEAD_C2

LETTERS = np.zeros(256, np.uint8)  # 1: a to z; 2: A to Z; 3: 0 to 9
LETTERS[ord("a") : ord("z") + 1] = 1
LETTERS[ord("A") : ord("Z") + 1] = 2
LETTERS[ord("0") : ord("9") + 1] = 3
