"""Holds what the kernels give against the plain reading of the papers, on every statistic and every decision."""

from collections import Counter

import pyarrow as pa

from benchmarks.filters import papers
from benchmarks.filters.families import LINES, REPETITION, WORDS, decisions, measured


def differences(text: pa.LargeStringArray, languages: pa.StringArray) -> Counter[str]:
    """How many texts differ in each statistic and in each decision; empty where all are equal."""
    columns = measured(text, languages, (WORDS, LINES, REPETITION)).drop_columns("language").to_pydict()
    decided = decisions(text, languages)
    found: Counter[str] = Counter()
    for row, (one, language) in enumerate(zip(text.to_pylist(), languages.to_pylist(), strict=True)):
        expected = papers.statistics(one, language)
        got = {name: values[row] for name, values in columns.items()}
        found.update(name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name))
        found.update(papers.faults(expected, language) ^ {reason for reason, drops in decided.items() if drops[row]})
    return found
