"""What `decontaminate` finds of real evaluation sets: all that is planted, and nothing in pages that have none."""

from pathlib import Path

import pytest

from benchmarks.decontamination.__main__ import FIELDS, evaluation_set, long_texts, matches_of, recall
from benchmarks.filters.corpus import texts as extracted
from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
from dataprep.decontaminate.index import build_index

DEMO = Path(__file__).parents[2] / "configs" / "crawls" / "demo"
EVAL = Path(__file__).parents[3] / "shared" / "corpora" / "eval"

pytestmark = pytest.mark.skipif(not EVAL.exists(), reason=f"no evaluation sets in {EVAL}")

CONFIG = DecontaminateConfig(
    sets={name: EvaluationSetConfig(path="-", fields=fields) for name, (_, fields) in FIELDS.items()}
)
ONE_IN = 10
"""Of the texts that are planted."""


@pytest.fixture(scope="module")
def sets():
    return {name: evaluation_set(EVAL, *files) for name, files in FIELDS.items()}


@pytest.fixture(scope="module")
def index(sets):
    return build_index(sorted(sets.items()), CONFIG)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return extracted(DEMO, tmp_path_factory.mktemp("demo"))[0]


def test_nothing_is_found_in_pages_of_manuals(pages, index):
    assert len(pages) > 1500
    assert matches_of(pages, *index, CONFIG) == ([], 0)


@pytest.mark.parametrize(
    ("edit", "least"),
    [
        ("as it is", 1.0),
        ("case, and marks at the ends of words", 0.95),
        ("a word in ten", 0.95),
        ("a word in ten, case and marks", 0.95),
        ("all marks, within words too", 0.95),
    ],
)
def test_planted_texts_are_found(pages, index, sets, edit, least):
    chosen = long_texts(index[1], sets, CONFIG.ngram_words)[::ONE_IN]
    hit, total = recall(chosen, edit, pages.to_pylist(), *index, CONFIG)
    assert total.total() > 900
    assert hit.total() >= least * total.total(), {name: (hit[name], total[name]) for name in total}
