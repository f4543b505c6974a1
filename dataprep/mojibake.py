"""Mojibake: text that was decoded in the wrong encoding, and is repaired line by line (`Ã©` becomes `é`).

A kernel finds the lines that may hold some; whether they do, and what they were, is ftfy's judgement (Speer 2019), of
which only the repair of encodings is used.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa

from dataprep.kernels.edit_rules import MOJIBAKE
from dataprep.kernels.edits import Edits
from dataprep.kernels.suspicious_lines import suspicious_lines
from dataprep.kernels.text_buffers import text_buffers


def mojibake_edits(text: pa.LargeStringArray) -> Edits:
    """A new line for each line that ftfy repairs. Raises ModuleNotFoundError where ftfy is not installed."""
    from ftfy import fix_encoding  # optional, and it takes a while to import

    data, offsets = text_buffers(text)
    line_offsets, line_starts, line_ends = suspicious_lines(text)
    starts, ends, added, counts = [], [], [], [0]
    for document, (first, last) in enumerate(pairwise(line_offsets.tolist())):
        origin = int(offsets[document])
        for start, end in zip(line_starts[first:last].tolist(), line_ends[first:last].tolist(), strict=True):
            line = data[origin + start : origin + end].tobytes().decode()
            repaired = fix_encoding(line)
            if repaired != line:
                starts.append(start)
                ends.append(end)
                added.append(repaired.encode())
        counts.append(len(starts))
    return Edits(
        np.array(counts, np.int64),
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.full(len(starts), MOJIBAKE, np.int8),
        np.cumsum([0, *map(len, added)], dtype=np.int64),
        np.frombuffer(b"".join(added), np.uint8),
    )
