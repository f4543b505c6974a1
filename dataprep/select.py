"""`select`: thresholds on attributes. Changing one re-runs this alone."""

from functools import partial
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, ConfigDict, Field, create_model

from dataprep import plugins, schemas
from dataprep.errors import CorruptDataError
from dataprep.filters.contract import Filter, Rule
from dataprep.filters.registry import FILTERS, summary
from dataprep.kernels.text_buffers import column
from dataprep.removals import REASONS, Removals
from dataprep.url_lists import UrlLists, url_facts

REMOVED_BY = "removed_by"
"""The column that says how a removal list names a document: a number of `dataprep.removals`, 0 where none does."""

BESIDE_TABLES = {
    "documents": [field for field in schemas.DOCUMENTS if field.name not in ("id", "text")],
    "edits": [field for field in schemas.EDITS if field.name not in ("id", "num_bytes")],
}
"""What a filter's `BESIDE` may name, by table: no texts, and nothing that `attributes` have under the same name."""

NEVER_DECIDE = ("content_hash", "minhash_bands")
"""Columns of `attributes` that no rule looks at, and most of its bytes: filters are not given them."""

EMPTY = "empty"
"""The reason of a document without a word."""


def _field_of_each_filter() -> Any:
    fields: dict[str, Any] = {
        name: (config | None, Field(default=None, description=summary(config))) for name, config in FILTERS.items()
    }
    return create_model("Filters", __config__=ConfigDict(frozen=True, extra="forbid", strict=True), **fields)


_Filters: Any = _field_of_each_filter()


class SelectConfig(_Filters):  # Any to mypy: its fields are known when it runs
    """Which filters run, in this order; one that is left out or null does not. A field for each of `FILTERS`."""

    others: Annotated[dict[str, Any], BeforeValidator(partial(plugins.read_configs, plugins.FILTERS_GROUP))] = Field(
        default={}, description="filters of other installed packages, by name, each with its keys; see docs/filters.md"
    )

    def filters(self) -> list[Filter]:
        """Those that run, in order; those of other packages last, by name."""
        chosen = [getattr(self, name) for name in FILTERS]
        return [one for one in chosen if one is not None] + list(self.others.values())

    def columns_beside(self) -> dict[str, list[str]]:
        """The columns that filters want beside the attributes, by table; tables of which none are wanted are left
        out."""
        wanted: dict[str, list[str]] = {}
        for table in BESIDE_TABLES:
            names = {name for one in self.filters() for name in getattr(one, "BESIDE", {}).get(table, ())}
            if names:
                wanted[table] = sorted(names)
        return wanted

    def check_columns(self, schema: pa.Schema) -> None:
        """Raises ValueError where a filter of another package wants a column that it will not be given: that
        `attributes` of this schema lack, or one of `NEVER_DECIDE`, or one beside them that is none of
        `BESIDE_TABLES`."""
        given = [field for field in schema if field.name not in NEVER_DECIDE]
        for name, one in self.others.items():
            beside = _fields_beside(name, getattr(one, "BESIDE", {}), set(schema.names))
            try:
                list(one.rules(pa.schema([*given, *beside]).empty_table()))
            except KeyError as error:
                message = f"select.others.{name} wants a column that no measure of annotate gives it: {error.args[0]}"
                raise ValueError(message) from error


def _fields_beside(filter_name: str, wanted: dict[str, tuple[str, ...]], taken: set[str]) -> list[pa.Field]:
    """Of the columns that a filter's `BESIDE` names. Raises ValueError where it names others than it may have."""
    found = []
    for table, names in wanted.items():
        known = {field.name: field for field in BESIDE_TABLES.get(table, ()) if field.name not in taken}
        for name in names:
            if name not in known:
                raise ValueError(
                    f"select.others.{filter_name} wants {name} of {table} beside the attributes; it may have "
                    + "; ".join(f"of {t}: {', '.join(f.name for f in fields)}" for t, fields in BESIDE_TABLES.items())
                )
            found.append(known[name])
    return found


def select(attributes: pa.Table, config: SelectConfig) -> pa.Table:
    """The verdict (`schemas.VERDICTS`) on each row of `attributes` (`AnnotateConfig.table_schema`).

    The first rule that a document fails gives the reason, with what was measured and what it was held against.
    Documents that a removal list names come first, then those without words: reason `empty`.
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
        threshold[decided] = np.broadcast_to(rule.threshold, num_rows)[decided]
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
    num_words = column(attributes, "num_words").to_numpy().astype(np.float64)
    rules = [*_removal_rules(attributes), Rule.at_least(EMPTY, num_words, 1)]
    for chosen in config.filters():
        rules.extend(chosen.rules(attributes))
    return rules


def beside_attributes(
    attributes: pa.Table, documents: pa.Table, removals: Removals | None, url_lists: UrlLists | None
) -> pa.Table:
    """`attributes` with what else is decided from: `removed_by` (`dataprep.removals`) and the columns of
    `dataprep.url_lists.url_facts`, where there are such lists.

    `documents` holds id and url of the same rows. Raises CorruptDataError where they are others.
    """
    _check_beside(attributes, documents, "documents")
    found = {} if removals is None else {REMOVED_BY: removals.match(documents)}
    if url_lists is not None:
        found |= url_facts(column(documents, "url"), url_lists)
    for name, values in found.items():
        attributes = attributes.append_column(name, pa.array(values))
    return attributes


def with_columns(attributes: pa.Table, beside: pa.Table, name: str, columns: list[str]) -> pa.Table:
    """`attributes` with these columns of `beside`, a table called `name` that holds them and the id of the same rows.

    Raises CorruptDataError where they are others.
    """
    _check_beside(attributes, beside, name)
    for each in columns:
        attributes = attributes.append_column(beside.schema.field(each), column(beside, each))
    return attributes


def _check_beside(attributes: pa.Table, beside: pa.Table, name: str) -> None:
    if not column(attributes, "id").equals(column(beside, "id")):
        raise CorruptDataError(f"{beside.num_rows} {name} do not stand beside {attributes.num_rows} attributes")


def _removal_rules(attributes: pa.Table) -> list[Rule]:
    """Who asked to be left out is, before anything else is looked at."""
    if REMOVED_BY not in attributes.column_names:
        return []
    by = column(attributes, REMOVED_BY).to_numpy()
    nothing = np.full(len(by), np.nan)
    return [Rule(reason, nothing, np.nan, by == kind) for kind, reason in REASONS.items()]
