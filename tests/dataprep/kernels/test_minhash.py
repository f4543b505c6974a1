import datasketch
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.minhash import EMPTY, MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.shingles import find_shingles
from dataprep.kernels.words import find_words


def words_of(*texts: str):
    return find_words(pa.array(texts, pa.large_string()))


def oracle(words, config: MinHashConfig) -> np.ndarray:
    """datasketch's signatures of the same 32-bit shingle hashes."""
    shingles = find_shingles(words, config.ngram_words)
    rows = []
    for start, end in zip(shingles.offsets[:-1], shingles.offsets[1:], strict=True):
        sketch = datasketch.MinHash(config.num_permutations, seed=config.seed, hashfunc=int, scheme="affine32")
        sketch.update_batch([int(h) & 0xFFFFFFFF for h in shingles.hashes[start:end]])
        rows.append(sketch.digest())
    return np.array(rows, np.uint32).reshape(-1, config.num_permutations)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=40).map(" ".join), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_signatures_equal_those_of_datasketch(texts, ngram_words, seed):
    config = MinHashConfig(num_bands=3, rows_per_band=5, ngram_words=ngram_words, seed=seed)
    words = words_of(*texts)
    assert np.array_equal(minhash_signatures(words, config), oracle(words, config))


def test_the_default_config_equals_datasketch_too():
    words = words_of(" ".join(f"word{i % 97}" for i in range(1000)), "one two", "")
    config = MinHashConfig()
    assert config.num_permutations == 108
    assert np.array_equal(minhash_signatures(words, config), oracle(words, config))


def test_a_document_without_words_has_the_empty_signature():
    signatures = minhash_signatures(words_of("", "one"), MinHashConfig())
    assert (signatures[0] == EMPTY).all()
    assert (signatures[1] != EMPTY).any()


def test_the_share_of_equal_minima_estimates_the_jaccard_similarity():
    # Word 1-grams: 60 words, and 40 of them with 20 others. Jaccard is 40 / 80 = 0.5. With 1,000 permutations the
    # standard deviation is sqrt(.5 * .5 / 1000) = 0.016; five of them are 0.08.
    config = MinHashConfig(num_bands=100, rows_per_band=10, ngram_words=1)
    a = " ".join(f"w{i}" for i in range(60))
    b = " ".join(f"w{i}" for i in range(20, 80))
    signatures = minhash_signatures(words_of(a, b), config)
    assert abs((signatures[0] == signatures[1]).mean() - 0.5) < 0.08


def test_bands_agree_where_all_their_rows_do():
    config = MinHashConfig(num_bands=2, rows_per_band=2)
    signatures = np.array([[1, 2, 3, 4], [1, 2, 3, 5], [2, 1, 3, 4], [7, 8, 7, 8]], np.uint32)
    bands = band_hashes(signatures, config)
    assert bands.shape == (4, 2)
    assert bands[0, 0] == bands[1, 0] != bands[2, 0]  # order of rows counts
    assert bands[0, 1] == bands[2, 1] != bands[1, 1]
    assert bands[3, 0] != bands[3, 1]  # the same rows in another band


def test_bands_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="2 bands x 2 rows"):
        band_hashes(np.zeros((1, 5), np.uint32), MinHashConfig(num_bands=2, rows_per_band=2))


def test_bands_are_chosen_for_a_threshold_or_given():
    chosen = MinHashConfig.model_validate({"bands_for": {"threshold": 0.8}})
    assert (chosen.num_bands, chosen.rows_per_band) == (12, 9)  # datasketch's choice: test_bands
    assert MinHashConfig.model_validate(chosen.model_dump(mode="json")) == chosen
    with pytest.raises(ValidationError, match="num_bands: 14 is given, but bands_for chooses 12"):
        MinHashConfig.model_validate({"bands_for": {"threshold": 0.8}, "num_bands": 14})


def test_a_number_of_permutations_that_fills_no_vector_changes_none_of_them():
    words = words_of("one two three four five six seven", "one two")
    config = MinHashConfig(num_bands=3, rows_per_band=7)
    signatures = minhash_signatures(words, config)
    assert signatures.shape == (2, 21)
    assert np.array_equal(signatures, oracle(words, config))


def test_of_the_pairs_at_the_default_threshold_99_in_100_share_a_band():
    config = MinHashConfig()
    assert 1 - (1 - DeduplicateConfig().min_jaccard ** config.rows_per_band) ** config.num_bands >= 0.99
