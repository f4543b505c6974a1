"""How offensive a document in English reads to a classifier from a package, where that is asked for.

The package carries its model in its wheel (a linear support vector machine on counts of words, calibrated; trained on
some 200,000 short comments) as a pickle for one release of scikit-learn, so the configuration names the release and
another one is refused.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.errors import DataError
from dataprep.measures.batch import Batch

Classifier = Literal["alt-profanity-check==1.9.1"]
_LANGUAGE = "en"  # of what it was trained on
_CHARACTERS = 20_000  # from the start of a document: as much as decides, and a bound on its time


class OffensiveScoreMeasure:
    """`offensive_score_e4`, in ten-thousandths; 0 in other languages than English."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def fields(self) -> list[pa.Field]:
        return [pa.field("offensive_score_e4", pa.int16(), nullable=False)]

    def columns(self, batch: Batch) -> list[pa.Array]:
        """Raises DataError where the package is missing or of another release."""
        self._check_installed()
        scores = np.zeros(len(batch.text), np.int16)
        rows = np.flatnonzero(pc.equal(batch.languages, _LANGUAGE).to_numpy(zero_copy_only=False))
        if rows.size:
            from profanity_check import predict_prob  # loads scikit-learn, which takes seconds

            texts = pc.utf8_slice_codeunits(batch.text.take(pa.array(rows)), 0, _CHARACTERS).to_pylist()
            scores[rows] = np.rint(predict_prob(texts) * 1e4).astype(np.int16)
        return [pa.array(scores)]

    def _check_installed(self) -> None:
        package, _, wanted = self._classifier.partition("==")
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            raise DataError(
                f"annotate.offensive_classifier wants {self._classifier}, but {found} is installed:"
                f" pip install {self._classifier}, on every machine of the cluster"
            )
