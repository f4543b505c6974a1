"""One scan into blocks and a decision for each, with no tree: features as in published work, weights learnt from pages.

`block_weights.npz` holds what `python -m benchmarks.extraction.train` has learnt from one half of its labelled pages.
"""

from pathlib import Path

import numpy as np

from dataprep.kernels.main_text import main_text, whole_text

WEIGHTS = Path(__file__).with_name("block_weights.npz")


def _load() -> tuple[tuple, tuple, float]:
    with np.load(WEIGHTS) as stored:
        names = ("feature", "threshold", "value", "base")
        first, second = (tuple(stored[f"{part}_{name}"] for name in names) for part in ("first", "second"))
        return first, second, float(stored["min_score"])


_FIRST, _SECOND, _MIN_SCORE = _load()


def text_of(html: str, main_content: bool) -> str:
    # A copy: numba takes a read-only array for another type and would compile again.
    page = np.frombuffer(html.encode("utf-8", "replace"), np.uint8).copy()
    found = main_text(page, _FIRST, _SECOND, _MIN_SCORE) if main_content else whole_text(page)
    return found.tobytes().decode("utf-8", "replace")
