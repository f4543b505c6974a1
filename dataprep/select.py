"""`select`: thresholds on attributes. Changing one re-runs this alone."""

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep import schemas
from dataprep.filters.contract import Rule
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.language import LanguageConfig
from dataprep.filters.registry import FILTERS
from dataprep.kernels.text_buffers import column

EMPTY = "empty"
"""The reason of a document without a word."""


class SelectConfig(BaseModel):
    """Which filters run, in this order; one that is left out or null does not. A field for each of `FILTERS`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    language: LanguageConfig | None = Field(default=None, description="languages kept, and how sure of them")
    gopher_quality: GopherQualityConfig | None = Field(default=None, description="the quality rules of Gopher")


def select(attributes: pa.Table, config: SelectConfig) -> pa.Table:
    """The verdict (`schemas.VERDICTS`) on each row of `attributes` (`AnnotateConfig.table_schema`).

    The first rule that a document fails gives the reason, with what was measured and what it was held against.
    Documents without words come first: reason `empty`.
    """
    num_rows = attributes.num_rows
    rules = list(all_rules(attributes, config))
    reason = np.full(num_rows, -1, np.int64)  # index into `rules`; -1: kept
    value = np.full(num_rows, np.nan)
    threshold = np.full(num_rows, np.nan)
    for index, rule in enumerate(rules):
        decided = rule.fails & (reason < 0)
        reason[decided] = index
        value[decided] = rule.value[decided]
        threshold[decided] = rule.threshold
    names = pa.array([rule.reason for rule in rules], pa.string())
    columns = [
        column(attributes, "id"),
        column(attributes, "num_bytes"),
        names.take(pa.array(reason, mask=reason < 0)),
        pa.array(value, mask=np.isnan(value)),
        pa.array(threshold, mask=np.isnan(threshold)),
        pa.nulls(num_rows, schemas.ID),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.VERDICTS)


def all_rules(attributes: pa.Table, config: SelectConfig) -> list[Rule]:
    """What each rule says about each row, in the order in which they are applied."""
    filters = [getattr(config, name) for name in FILTERS]
    num_words = column(attributes, "num_words").to_numpy().astype(np.float64)
    rules = [Rule.at_least(EMPTY, num_words, 1)]
    for chosen in filters:
        if chosen is not None:
            rules.extend(chosen.rules(attributes))
    return rules
