import numpy as np
import pyarrow as pa
import pytest

from dataprep import document_id
from dataprep.filters.quality import QualityConfig


def attributes(score: float, number: int) -> pa.Table:
    ids = [document_id.pack(document_id.file_prefix("web", "a.jsonl"), record) for record in range(number)]
    scores = pa.array([round(score * 1e4)] * number, pa.int16())
    return pa.table({"id": pa.array(ids, document_id.ID), "quality_score_e4": scores})


def test_the_least_score_is_inclusive():
    [rule] = QualityConfig(min_score=0.5).rules(pa.table({"quality_score_e4": pa.array([4999, 5000], pa.int16())}))
    assert (rule.reason, rule.fails.tolist(), rule.value.tolist()) == ("quality_too_low", [True, False], [0.4999, 0.5])


@pytest.mark.parametrize(("score", "kept"), [(1.0, 1.0), (0.9, 1.1**-9), (0.5, 1.5**-9), (0.0, 2**-9)])
def test_a_draw_keeps_the_share_that_the_distribution_says(score, kept):
    """numpy.random.pareto(9) > 1 - score has probability (2 - score)^-9: 42% at 0.9, 2.6% at 0.5, 0.2% at 0."""
    [rule] = QualityConfig(pareto=9).rules(attributes(score, 40_000))
    assert 1 - rule.fails.mean() == pytest.approx(kept, abs=4 * (kept * (1 - kept) / 40_000) ** 0.5)
    # What a document is held against is 1 - its draw, and a draw is Pareto's.
    assert np.array_equal(rule.fails, score <= rule.threshold)
    draws = np.sort(1 - rule.threshold)
    assert draws[20_000] == pytest.approx(2 ** (1 / 9) - 1, rel=0.03)  # its median


def test_the_draw_belongs_to_the_document_and_the_seed():
    table = attributes(0.9, 1000)
    whole, part, other = (
        next(QualityConfig(pareto=9, seed=seed).rules(rows)).fails
        for seed, rows in ((0, table), (0, table.slice(500)), (1, table))
    )
    assert np.array_equal(whole[500:], part)
    assert not np.array_equal(whole, other)


def test_one_of_the_two_must_be_said():
    for wrong in ({}, {"min_score": 0.5, "pareto": 9}):
        with pytest.raises(ValueError, match="set one of the two"):
            QualityConfig(**wrong)
