"""`annotate`: what every rule is decided from, measured on the text that survived `clean`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dataprep import plugins, schemas
from dataprep.errors import CorruptDataError
from dataprep.kernels.minhash import MinHashConfig
from dataprep.kernels.text_buffers import batches, column
from dataprep.kernels.text_view import surviving_text
from dataprep.measures.batch import Batch
from dataprep.measures.contract import Measure
from dataprep.measures.language import LanguageMeasure
from dataprep.measures.lines import LineMeasure
from dataprep.measures.minhash import MinHashMeasure
from dataprep.measures.offensive_score import Classifier, OffensiveScoreMeasure
from dataprep.measures.offensive_words import OffensiveWordsConfig, OffensiveWordsMeasure
from dataprep.measures.perplexity import PerplexityConfig, PerplexityMeasure
from dataprep.measures.personal_data import PersonalDataMeasure
from dataprep.measures.quality import QualityClassifierConfig, QualityMeasure
from dataprep.measures.repetition import RepetitionMeasure
from dataprep.measures.text import TextMeasure
from dataprep.measures.words import WordMeasure
from dataprep.ngram_model import NgramModel, read_model
from dataprep.personal_data import PersonalDataConfig
from dataprep.quality_classifier import QualityClassifier, read_classifier

MAX_BATCH_BYTES = 4 << 20
"""Text measured at a time: its words take up to 7 times as much, and larger batches were no faster (measured)."""


Model = NgramModel | QualityClassifier


class AnnotateConfig(BaseModel):
    """What decides the values of the attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    minhash: MinHashConfig = Field(default=MinHashConfig(), description="how near-duplicates are sketched")
    language_characters: int = Field(
        default=2000, ge=1, description="codepoints from the start of a document that its language is told from"
    )
    personal_data: PersonalDataConfig = Field(
        default=PersonalDataConfig(), description="what counts as personal data, here and where it is masked"
    )
    offensive_words: OffensiveWordsConfig = Field(
        default=OffensiveWordsConfig(), description="which words count as offensive"
    )
    offensive_classifier: Classifier | None = Field(
        default=None,
        description="a package whose model scores documents in English, some 900 a second: `pip install` it first; "
        "null: none",
    )
    perplexity: PerplexityConfig | None = Field(
        default=None, description="how likely a text is to an n-gram model; null: not measured"
    )
    quality_classifier: QualityClassifierConfig | None = Field(
        default=None, description="how good a text is to a classifier that you trained; null: not measured"
    )
    others: Annotated[dict[str, Any], BeforeValidator(partial(plugins.read_configs, plugins.MEASURES_GROUP))] = Field(
        default={}, description="measures of other installed packages, by name, each with its keys; see docs/filters.md"
    )

    @model_validator(mode="after")
    def _check_names_of_columns(self) -> Self:
        taken = {field.name for measure in self._own({}, {}) for field in measure.fields()}
        taken |= {*schemas.DOCUMENTS.names, *schemas.EDITS.names}  # `select` may see these beside the attributes
        for name, measure in self.others.items():
            for field in measure.fields():
                if field.name in taken:
                    raise ValueError(f"others.{name}: there is a column {field.name} already")
                taken.add(field.name)
        return self

    def measures(
        self, lists: Mapping[str, bytes] | None = None, models: Mapping[str, Model] | None = None
    ) -> list[Measure]:
        """What is measured, in the order of the columns; what other packages measure last, by name. `lists` holds the
        bytes of each list file, and `models` each model (`read_models`), by the name that this config gives it; nothing
        can be measured without those that it names."""
        return self._own(lists or {}, models or {}) + list(self.others.values())

    def _own(self, lists: Mapping[str, bytes], models: Mapping[str, Model]) -> list[Measure]:
        measures: list[Measure] = [
            TextMeasure(),
            LanguageMeasure(),
            WordMeasure(),
            LineMeasure(),
            RepetitionMeasure(),
            PersonalDataMeasure(self.personal_data),
            OffensiveWordsMeasure(self.offensive_words, lists),
            MinHashMeasure(self.minhash),
        ]
        if self.offensive_classifier is not None:
            measures.append(OffensiveScoreMeasure(self.offensive_classifier))
        if self.perplexity is not None:
            measures.append(PerplexityMeasure(self.perplexity, models))
        if self.quality_classifier is not None:
            measures.append(QualityMeasure(self.quality_classifier, models))
        return measures

    def read_models(self, read: Callable[[str], bytes]) -> dict[str, Model]:
        """Each model by the name that this config gives it; `read` gives the bytes of the file of that name. Raises
        CorruptDataError where one is no such model."""
        models: dict[str, Model] = {}
        if self.perplexity is not None:
            models[self.perplexity.model] = read_model(read(self.perplexity.model), self.perplexity.model)
        if self.quality_classifier is not None:
            name = self.quality_classifier.model
            models[name] = read_classifier(read(name), name)
        return models

    def table_schema(self) -> pa.Schema:
        """Of the table `attributes`: the id, then what each measure says."""
        fields = [field for measure in self.measures() for field in measure.fields()]
        return pa.schema([pa.field("id", schemas.ID, nullable=False), *fields])


def annotate(
    documents: pa.Table,
    edits: pa.Table,
    config: AnnotateConfig,
    lists: Mapping[str, bytes] | None = None,
    models: Mapping[str, Model] | None = None,
) -> pa.Table:
    """The attributes (`config.table_schema()`) of each row of `documents` (`schemas.DOCUMENTS`), seen through `edits`
    (`schemas.EDITS`). `lists` and `models`: see `AnnotateConfig.measures`.

    Raises CorruptDataError where the two tables do not hold the same documents in the same order.
    """
    _check_ids(documents, edits)
    schema, measures = config.table_schema(), config.measures(lists, models)
    ids, text = column(documents, "id"), column(documents, "text")
    parts = []
    for start, stop in batches(text, MAX_BATCH_BYTES):
        surviving = surviving_text(text.slice(start, stop - start), edits.slice(start, stop - start))
        batch = Batch(ids.slice(start, stop - start), surviving, config.language_characters)
        columns = [array for measure in measures for array in measure.columns(batch)]
        parts.append(pa.record_batch([batch.ids, *columns], schema=schema))
    return pa.Table.from_batches(parts, schema)


def _check_ids(documents: pa.Table, edits: pa.Table) -> None:
    if documents.num_rows != edits.num_rows:
        raise CorruptDataError(f"{documents.num_rows} documents, but edits for {edits.num_rows}: not of one shard")
    ours, theirs = column(documents, "id"), column(edits, "id")
    if not ours.equals(theirs):
        row = int(np.flatnonzero(pc.not_equal(ours, theirs).to_numpy(zero_copy_only=False))[0])
        raise CorruptDataError(
            f"row {row}: document {ours[row].as_py().hex()} stands beside the edits of {theirs[row].as_py().hex()}"
        )
