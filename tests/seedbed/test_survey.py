import numpy as np
import pytest

from seedbed.errors import UsageError
from seedbed.survey import NUM_BINS, _distribution, survey


def test_documents_are_counted_by_language_source_and_domain(pipeline):
    pipeline.write_ledger()
    found = survey(pipeline.store, pipeline.plan)
    assert (found.num_shards, found.of_shards, found.num_documents) == (2, 2, 4)
    assert {name: (share.records, share.kept) for name, share in found.languages.items()} == {"en": (4, 2)}
    assert {name: (share.records, share.kept) for name, share in found.sources.items()} == {"docs": (7, 2)}
    assert {name: (share.records, share.kept) for name, share in found.domains.items()} == {
        "x.example": (6, 1),
        "(none)": (1, 1),
    }


def test_before_the_ledger_languages_alone_are_known(pipeline):
    found = survey(pipeline.store, pipeline.plan)
    assert found.languages["en"].records == 4
    assert not found.sources


def test_of_many_shards_some_are_counted(pipeline):
    found = survey(pipeline.store, pipeline.plan, max_shards=1)
    assert (found.num_shards, found.of_shards) == (1, 2)


def test_nothing_is_counted_before_annotate(pipeline):
    pipeline.forget("annotate")
    with pytest.raises(UsageError, match="annotate has not run yet"):
        survey(pipeline.store, pipeline.plan)


def test_a_distribution_holds_every_document_and_its_threshold():
    value = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    found = _distribution("too_few", value, 2.5, value < 2.5)
    assert len(found.passed) == NUM_BINS
    assert (sum(found.passed), sum(found.failed)) == (3, 2)
    assert found.edges[0] <= 2.5 <= found.edges[-1]
    assert not found.is_logarithmic


def test_what_reaches_far_is_counted_in_equal_ratios():
    value = np.concatenate([np.arange(1.0, 1000.0), [1e6] * 20])
    found = _distribution("too_many", value, 1e5, value > 1e5)
    assert found.is_logarithmic
    assert sum(found.failed) == 20
