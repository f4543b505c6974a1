"""The contract of filters: a filter is a config that turns attributes into rules, first rule first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pyarrow as pa

from dataprep.kernels.text_buffers import column


@dataclass(frozen=True)
class Rule:
    """What one rule says about each row.

    `reason` names the fault; `value` float64[rows] is what was measured; `threshold` what it was held against (nan
    where the rule compares no numbers), one for all or float64[rows]; `fails` bool[rows].
    """

    reason: str
    value: np.ndarray
    threshold: float | np.ndarray
    fails: np.ndarray

    @classmethod
    def at_least(
        cls, reason: str, value: np.ndarray, minimum: float | np.ndarray, applies: np.ndarray | bool = True
    ) -> Self:
        """The rule that fails rows below `minimum`, of those that it applies to."""
        return cls(reason, value, minimum, (value < minimum) & applies)

    @classmethod
    def at_most(
        cls, reason: str, value: np.ndarray, maximum: float | np.ndarray, applies: np.ndarray | bool = True
    ) -> Self:
        """The rule that fails rows above `maximum`, of those that it applies to."""
        return cls(reason, value, maximum, (value > maximum) & applies)

    @classmethod
    def above(cls, reason: str, value: np.ndarray, limit: float, applies: np.ndarray | bool = True) -> Self:
        """The rule that fails rows at or below `limit`, of those that it applies to."""
        return cls(reason, value, limit, (value <= limit) & applies)

    @classmethod
    def below(cls, reason: str, value: np.ndarray, limit: float, applies: np.ndarray | bool = True) -> Self:
        """The rule that fails rows at or above `limit`, of those that it applies to."""
        return cls(reason, value, limit, (value >= limit) & applies)

    @property
    def usual_threshold(self) -> float:
        """The threshold of all rows, or where they have their own, of most; the lowest of several such. nan where no
        two rows share one, as where it is drawn for each."""
        found, counts = np.unique(self.threshold, return_counts=True)
        if len(found) > 1 and counts.max() == 1:
            return float("nan")
        return float(found[np.argmax(counts)]) if len(found) else float("nan")


class Filter(Protocol):
    """A pydantic config that knows its rules.

    One that looks at more than attributes has a class variable `BESIDE`: by table, `documents` (`schemas.DOCUMENTS`,
    but for `text`) or `edits` (`schemas.EDITS`), the names of the columns that it wants beside them.
    """

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        """The rules on `attributes` (`AnnotateConfig.table_schema`) and the columns of `BESIDE`, in the order in which
        they are applied."""
        ...


def quantity(attributes: pa.Table, name: str) -> np.ndarray:
    """An integer attribute as float64[rows]: exact below 2^53."""
    return column(attributes, name).to_numpy().astype(np.float64)


def ratio(attributes: pa.Table, numerator: str, denominator: str) -> np.ndarray:
    """One integer attribute over another, float64[rows]; 0.0 over 0."""
    below = quantity(attributes, denominator)
    return np.divide(quantity(attributes, numerator), below, out=np.zeros_like(below), where=below != 0)
