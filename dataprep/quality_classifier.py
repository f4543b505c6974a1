"""A classifier of text that is wanted: trained from good documents and others, kept as one file.

    good, other --passages--> AdaGrad --> weights --16 bits--> file
    file --read_classifier--> QualityClassifier --score_e4--> 0 (other) to 10,000 (good)

Logistic regression over words and pairs of words, as GPT-3's (Brown et al. 2020, A) over words. Not fastText: three
packages claim its module's name, its training is not the same twice with several threads, and its files do not say
what they were trained on. Words are those of `dataprep.kernels.unicode_classes`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from dataprep.errors import CorruptDataError, DataError
from dataprep.held_out import held_out
from dataprep.kernels.linear_scores import sum_weights, train_epoch
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import Words, find_words

METADATA_VERSION = 2  # 2: words hashed by 8 bytes
_MAX_BATCH_BYTES = 4 << 20
_KEY = "seedbed"
_MAX_INTEGER_WEIGHT = 32_767  # of int16
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64 (Steele et al. 2014)


class ClassifierConfig(BaseModel):
    """How a classifier is trained. The defaults are ours: docs/learned-filters.md says what they reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bucket_bits: int = Field(default=20, ge=10, le=28, description="words and pairs share 2 to the power of this")
    epochs: int = Field(default=5, ge=1, description="times that each passage is learnt from")
    learning_rate: float = Field(default=0.5, gt=0, description="of AdaGrad")
    passage_words: int = Field(default=400, ge=10, description="documents are cut into passages of so many words")
    held_out_every: int = Field(default=10, ge=2, description="about one document in so many is held out and scored")
    seed: int = Field(default=0, ge=0, description="of the order of the passages")


@dataclass(frozen=True)
class QualityClassifier:
    """`weights` int16[buckets], in units of `scale`; `bias` of a logit."""

    weights: np.ndarray
    scale: float
    bias: float
    metadata: dict[str, Any]

    def score_e4(self, words: Words) -> np.ndarray:
        """int16[documents]: how good each document is, in ten-thousandths; 0 where there is no word."""
        sums = sum_weights(words.offsets, words.hashes, self.weights)
        num_words = np.diff(words.offsets)
        logits = sums * self.scale / np.maximum(2 * num_words - 1, 1) + self.bias
        scores = np.rint(1e4 / (1 + np.exp(-np.clip(logits, -50, 50)))).astype(np.int16)
        return np.where(num_words > 0, scores, 0).astype(np.int16)


@dataclass
class _Side:
    """The documents of one class: hashes of the words of passages to learn from, and texts held out."""

    lengths: list[np.ndarray]
    hashes: list[np.ndarray]
    held_out: list[pa.LargeStringArray]
    num_documents: int = 0


def train(good: Iterable[pa.LargeStringArray], other: Iterable[pa.LargeStringArray], config: ClassifierConfig) -> bytes:
    """The classifier's file, of batches of documents: the same bytes for the same documents in the same order.

    Takes 8 bytes of memory a word, and the whole texts of those held out (one in `held_out_every`). Raises
    DataError where a side has no words to learn from.
    """
    sides = [_read(texts, config) for texts in (other, good)]
    lengths = [np.concatenate(side.lengths) if side.lengths else np.empty(0, np.int64) for side in sides]
    for name, found in zip(("other", "good"), lengths, strict=True):
        if not len(found):
            raise DataError(f"the {name} documents hold no words to learn from: give more of them")
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    hashes = np.concatenate([part for side in sides for part in side.hashes])
    targets = np.repeat(np.array([0, 1], np.float32), [len(found) for found in lengths])
    num_passages = len(targets)
    # Both sides count the same, however many passages they have.
    importance = np.array([num_passages / 2 / len(found) for found in lengths], np.float32)[targets.astype(np.int64)]
    weights, squares = np.zeros((2, (1 << config.bucket_bits) + 1), np.float32)
    squares += np.float32(1e-12)
    for epoch in range(config.epochs):
        order = np.argsort(_mixed(num_passages, config.seed * config.epochs + epoch), kind="stable")
        train_epoch(order, offsets, hashes, targets, importance, config.learning_rate, weights, squares)
    scale = float(np.abs(weights[:-1]).max()) / _MAX_INTEGER_WEIGHT
    classifier = QualityClassifier(np.rint(weights[:-1] / scale).astype(np.int16), scale, float(weights[-1]), {})
    trained_on = {"num_passages": [len(found) for found in reversed(lengths)]}
    return _to_bytes(classifier, config, trained_on | _held_out_facts(classifier, *sides))


def _read(texts: Iterable[pa.LargeStringArray], config: ClassifierConfig) -> _Side:
    side = _Side([], [], [])
    for batch in texts:
        side.num_documents += len(batch)
        apart = held_out(batch, config.held_out_every)
        side.held_out.append(batch.filter(pa.array(apart)))
        kept = batch.filter(pa.array(~apart))
        for start, stop in batches(kept, _MAX_BATCH_BYTES):
            words = find_words(kept.slice(start, stop - start))
            side.hashes.append(words.hashes.copy())
            side.lengths.append(_passage_lengths(np.diff(words.offsets), config.passage_words))
    return side


def _passage_lengths(num_words: np.ndarray, passage_words: int) -> np.ndarray:
    """The words of each passage, of documents with so many words: all of a document's passages are full but its last
    one."""
    num_passages = -(-num_words // passage_words)
    lengths = np.full(num_passages.sum(), passage_words, np.int64)
    last = np.cumsum(num_passages)[num_passages > 0] - 1
    lengths[last] = (num_words - (num_passages - 1) * passage_words)[num_passages > 0]
    return lengths


def _mixed(number: int, seed: int) -> np.ndarray:
    """uint64[number], well mixed."""
    x = np.arange(number, dtype=np.uint64) + (np.uint64(seed) << np.uint64(40))
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def _held_out_facts(classifier: QualityClassifier, other: _Side, good: _Side) -> dict[str, Any]:
    """How well the classifier tells apart what it has not seen."""
    scores = [np.concatenate([_scores(classifier, text) for text in side.held_out]) for side in (good, other)]
    facts: dict[str, Any] = {
        "num_documents": [good.num_documents, other.num_documents],
        "num_held_out": [len(found) for found in scores],
    }
    if all(len(found) for found in scores):
        right = [np.mean(scores[0] >= 5000), np.mean(scores[1] < 5000)]
        facts["held_out_auc"] = round(area_under_curve(*scores), 4)
        facts["held_out_accuracy"] = [round(float(share), 4) for share in right]
    return facts


def _scores(classifier: QualityClassifier, text: pa.LargeStringArray) -> np.ndarray:
    parts = [classifier.score_e4(find_words(text.slice(start, stop - start))) for start, stop in batches(text, 4 << 20)]
    return np.concatenate([np.empty(0, np.int16), *parts])


def area_under_curve(good: np.ndarray, other: np.ndarray) -> float:
    """The probability that a good document scores higher than another one, a tie counted half (Mann and Whitney)."""
    other = np.sort(other)
    below, not_above = (np.searchsorted(other, good, side=side).sum() for side in ("left", "right"))
    return float(below + not_above) / 2 / len(good) / len(other)


def _to_bytes(classifier: QualityClassifier, config: ClassifierConfig, facts: dict[str, Any]) -> bytes:
    metadata = {
        "kind": "quality_classifier",
        "version": METADATA_VERSION,
        "scale": classifier.scale,
        "bias": classifier.bias,
        "config": config.model_dump(mode="json"),
        **facts,
    }
    # One key: the order of several would be another in each process.
    return bytes(save({"weights": classifier.weights}, {_KEY: json.dumps(metadata, sort_keys=True)}))


def metadata_of(data: bytes, name: str) -> dict[str, Any]:
    """What a classifier's file says of itself. Raises CorruptDataError where it is none."""
    try:
        size = int.from_bytes(data[:8], "little")  # the layout of safetensors: header size, header, tensors
        found: dict[str, Any] = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptDataError(f"{name} is no quality classifier: train one with `seedbed train-classifier`") from error
    if (found.get("kind"), found.get("version")) != ("quality_classifier", METADATA_VERSION):
        raise CorruptDataError(
            f"{name} is of kind {found.get('kind')!r}, version {found.get('version')!r}; expected a"
            f" quality_classifier, {METADATA_VERSION}: train it anew"
        )
    return found


def read_classifier(data: bytes, name: str) -> QualityClassifier:
    """The classifier in the bytes of a file. Raises CorruptDataError where there is none; `name` is what messages call
    the file."""
    metadata = metadata_of(data, name)
    try:
        tensors = dict(deserialize(data))
        weights = np.frombuffer(tensors["weights"]["data"], np.dtype(np.int16).newbyteorder("<")).astype(np.int16)
    except (SafetensorError, KeyError, ValueError) as error:
        raise CorruptDataError(f"{name} is damaged ({error}): copy or train the classifier anew") from error
    if len(weights) != 1 << metadata["config"]["bucket_bits"]:
        raise CorruptDataError(f"{name} holds {len(weights)} weights, expected 2 to the power of its bucket_bits")
    return QualityClassifier(weights, metadata["scale"], metadata["bias"], metadata)
