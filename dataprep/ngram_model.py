"""An n-gram model of text that is wanted: trained, kept as an ARPA file, and the perplexity of other text by it.

    texts --TrainingText--> words --count_ngrams--> counts --estimate--> probabilities --format_arpa--> file
    file --read_model--> NgramModel --measure--> log10 probability, words, place among the reference

Words are those of `dataprep.kernels.unicode_classes`, in lower case; a sentence is a line with words in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.arpa import UNITS_PER_LOG10, compressed, format_arpa, metadata_of, plain, sections, with_metadata
from dataprep.errors import CorruptDataError
from dataprep.held_out import held_out
from dataprep.kernels import ngram_scores
from dataprep.kernels.ngram_scores import NgramTable, empty_table, read_ngrams
from dataprep.kernels.text_buffers import batches
from dataprep.kneser_ney import estimate
from dataprep.ngram_counts import TrainingText, count_ngrams

METADATA_VERSION = 1
NUM_PERCENTILES = 100
MIN_REFERENCE_DOCUMENTS = 100  # one for each percentile
_MAX_BATCH_BYTES = 4 << 20
_FAULTS = {
    ngram_scores.NO_NUMBER: "a number is missing or is none",
    ngram_scores.WRONG_WORDS: "it has too few words",
    ngram_scores.TWICE: "the same n-gram has been there before",
    ngram_scores.NO_SUFFIX: "the model lacks the n-gram without its first word",
}


class NgramConfig(BaseModel):
    """How an n-gram model is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    order: int = Field(default=4, ge=2, le=ngram_scores.MAX_ORDER, description="words of the longest n-grams")
    min_word_count: int = Field(default=2, ge=1, description="rarer words are <unk>")
    # KenLM's `--prune 0 0 1` and Heafield et al. 2013: n-grams of 3 words and more that are seen once are left out.
    cutoffs: tuple[int, ...] | None = Field(
        default=None, description="n-grams of each length that occur this often or less are left out; null: 0 0 1 1 ..."
    )
    reference_every: int = Field(
        default=20, ge=2, description="about one document in so many is held out, as the reference of percentiles"
    )
    max_ngrams: int = Field(default=50_000_000, ge=1, description="different n-grams met; some 80 bytes each")

    @model_validator(mode="after")
    def _check_cutoffs(self) -> Self:
        chosen = self.chosen_cutoffs
        if len(chosen) != self.order or chosen[0] != 0 or list(chosen) != sorted(chosen):
            raise ValueError(f"cutoffs {chosen}: expected {self.order} numbers that do not fall, the first of them 0")
        return self

    @property
    def chosen_cutoffs(self) -> tuple[int, ...]:
        return self.cutoffs if self.cutoffs is not None else (0, 0, *(1 for _ in range(self.order - 2)))


@dataclass(frozen=True)
class NgramModel:
    """A model to measure with. `reference` int64[100]: mean negative log10 probabilities of a word, in units of
    `UNITS_PER_LOG10`, below which 0, 1, ... 99 percent of the documents held out of its training stay; empty where
    there were too few of them."""

    table: NgramTable
    reference: np.ndarray
    metadata: dict[str, Any]

    def measure(self, text: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """int64[documents] each: log10 probability of the text in units of `UNITS_PER_LOG10`; the words that it is of,
        ends of sentences included; and how many percent of the reference are at most as perplexing, -1 where there is
        no reference or no word."""
        logarithms, num_words = ngram_scores.score(text, self.table)
        means = -logarithms // np.maximum(num_words, 1)
        percentiles = np.searchsorted(self.reference, means, side="right")
        unmeasured = (num_words == 0) | (len(self.reference) == 0)
        return logarithms, num_words, np.where(unmeasured, -1, percentiles)


def train(texts: Iterable[pa.LargeStringArray], config: NgramConfig) -> bytes:
    """The model file, compressed, of batches of documents: the same bytes for the same documents in the same order.

    Raises DataError where the texts are too few or too many.
    """
    training, num_documents = TrainingText(), 0
    reference_texts: list[pa.LargeStringArray] = []
    for batch in texts:
        num_documents += len(batch)
        is_reference = held_out(batch, config.reference_every)
        reference_texts.append(batch.filter(pa.array(is_reference)))
        kept = batch.filter(pa.array(~is_reference))
        for start, stop in batches(kept, _MAX_BATCH_BYTES):
            training.add(kept.slice(start, stop - start))
    counts = count_ngrams(training, config.order, config.min_word_count, config.max_ngrams)
    lengths = estimate(counts, config.chosen_cutoffs)
    arpa = format_arpa(counts.vocabulary, lengths)
    metadata = {
        "kind": "ngram_model",
        "version": METADATA_VERSION,
        "order": config.order,
        "min_word_count": config.min_word_count,
        "cutoffs": list(config.chosen_cutoffs),
        "num_documents": num_documents,
        "num_words": training.num_words,
        "num_ngrams": [len(found.numbers) for found in lengths],
    }
    reference = _reference(reference_texts, read_model(with_metadata(metadata, arpa), "the new model"))
    return compressed(with_metadata(metadata | reference, arpa))


def _reference(texts: list[pa.LargeStringArray], model: NgramModel) -> dict[str, Any]:
    """What the metadata says of the documents held out."""
    logarithms, num_words = (
        np.concatenate(parts) for parts in zip(*(model.measure(text)[:2] for text in texts), strict=True)
    )
    logarithms, num_words = logarithms[num_words > 0], num_words[num_words > 0]
    if not len(num_words):
        return {"num_reference_documents": 0}
    said: dict[str, Any] = {
        "num_reference_documents": len(num_words),
        "reference_perplexity": round(float(10 ** (-logarithms.sum() / UNITS_PER_LOG10 / num_words.sum())), 2),
    }
    if len(num_words) >= MIN_REFERENCE_DOCUMENTS:
        means = np.sort(-logarithms // num_words)
        places = np.arange(NUM_PERCENTILES) * len(means) // NUM_PERCENTILES
        said["reference_log10_e7"] = means[places].tolist()
    return said


def read_model(data: bytes, name: str) -> NgramModel:
    """The model in the bytes of an ARPA file, compressed or not. `name` is what messages call the file.

    Raises CorruptDataError where it is none, or one that Seedbed cannot score with.
    """
    arpa = plain(data, name)
    metadata = metadata_of(arpa)
    parts = sections(arpa, name)
    if len(parts) > ngram_scores.MAX_ORDER:
        raise CorruptDataError(f"{name} has n-grams of {len(parts)} words; at most {ngram_scores.MAX_ORDER} are read")
    num_ngrams = sum(int(np.count_nonzero(part == ord("\n"))) for part in parts)
    table = empty_table(num_ngrams, len(parts))
    for length, lines in enumerate(parts, 1):
        _, line, fault = read_ngrams(lines, length, table)
        if fault:
            raise CorruptDataError(
                f"{name}, {length}-grams, line {line + 1} of them: {_FAULTS[fault]}; train a model with"
                " `seedbed train-ngram-model`"
            )
    reference = np.array(metadata.get("reference_log10_e7", []), np.int64)
    return NgramModel(table, reference, metadata)
