import pyarrow as pa
import pytest

from dataprep.errors import DataError
from dataprep.filters.perplexity import PerplexityFilterConfig

# Perplexities 10, 100, 1000; the last document has no words.
ATTRIBUTES = pa.table(
    {
        "log10_probability_e3": [-5_000, -10_000, -3_000, 0],
        "num_scored_words": [5, 5, 1, 0],
        "perplexity_percentile": pa.array([0, 50, 100, -1], pa.int16()),
    }
)


def test_limits_are_perplexities_or_percentiles_and_inclusive():
    low, high = PerplexityFilterConfig(min_perplexity=100, max_perplexity=100).rules(ATTRIBUTES)
    assert (low.reason, low.fails.tolist()) == ("perplexity_too_low", [True, False, False, False])
    assert (high.reason, high.fails.tolist()) == ("perplexity_too_high", [False, False, True, False])
    assert low.value.tolist() == pytest.approx([10, 100, 1000, 1])
    low, high = PerplexityFilterConfig(min_percentile=50, max_percentile=50).rules(ATTRIBUTES)
    assert (low.fails.tolist(), high.fails.tolist()) == ([True, False, False, False], [False, False, True, False])
    assert (low.value[1], low.threshold) == (50, 50)


def test_percentiles_want_a_reference():
    attributes = ATTRIBUTES.set_column(2, "perplexity_percentile", pa.array([-1] * 4, pa.int16()))
    with pytest.raises(DataError, match=r"has no reference for percentiles, .* train it on 2,000 documents or more"):
        list(PerplexityFilterConfig(max_percentile=95).rules(attributes))
    assert len(list(PerplexityFilterConfig(max_perplexity=95).rules(attributes))) == 1


def test_no_limit_and_crossed_limits_are_refused():
    with pytest.raises(ValueError, match="no limit: say one of min_perplexity, max_perplexity"):
        PerplexityFilterConfig()
    with pytest.raises(ValueError, match="min_percentile 9 is more than max_percentile 8"):
        PerplexityFilterConfig(min_percentile=9, max_percentile=8)
