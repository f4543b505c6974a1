"""The small models that filters use, trained from files: what the commands `train-...` do."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dataprep import ngram_model, quality_classifier
from dataprep.arpa import metadata_of, plain
from dataprep.ngram_model import NgramConfig
from dataprep.quality_classifier import ClassifierConfig
from dataprep.reading.formats import ReaderConfig
from seedbed.errors import UsageError
from seedbed.training_texts import read_texts, write_model

_Config = TypeVar("_Config", bound=BaseModel)


def train_ngram_model(texts: list[str], out: Path, options: dict[str, Any], reader: dict[str, Any]) -> dict[str, Any]:
    """Writes the n-gram model of the documents in `texts` (`seedbed.training_texts`) to `out`; what its first line says
    of it. `options` are keys of `NgramConfig`, `reader` of `ReaderConfig`.

    Raises UsageError where one of them is wrong, DataError where the texts are too few or too many.
    """
    config, reading = _checked(NgramConfig, options), _checked(ReaderConfig, reader)
    model = ngram_model.train(read_texts(texts, reading), config)
    write_model(model, out)
    return metadata_of(plain(model, str(out)))


def train_classifier(
    good: list[str], other: list[str], out: Path, options: dict[str, Any], reader: dict[str, Any]
) -> dict[str, Any]:
    """Writes the classifier of the documents in `good` against those in `other` (`seedbed.training_texts`) to `out`;
    what its file says of it. `options` are keys of `ClassifierConfig`, `reader` of `ReaderConfig`.

    Raises UsageError where one of them is wrong, DataError where a side has no words.
    """
    config, reading = _checked(ClassifierConfig, options), _checked(ReaderConfig, reader)
    model = quality_classifier.train(read_texts(good, reading), read_texts(other, reading), config)
    write_model(model, out)
    return quality_classifier.metadata_of(model, str(out))


def _checked(kind: type[_Config], options: dict[str, Any]) -> _Config:
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UsageError(problems) from error
