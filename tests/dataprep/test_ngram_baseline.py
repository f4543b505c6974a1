from math import log

import numpy as np
import pytest

from dataprep.ngram_baseline import bigram_loss, unigram_loss

A, B, C = 0, 1, 2
TRAINING = np.array([A, B, A, B, A, C], np.uint16)  # a 3, b 2, c 1; pairs ab 2, ba 2, ac 1


def test_unigram_adds_one_to_every_count():
    # Scored are b and c, the first token is not: p(b) = (2 + 1) / (6 + 3), p(c) = (1 + 1) / 9
    assert unigram_loss(TRAINING, np.array([A, B, C]), 3) == pytest.approx(-(log(3 / 9) + log(2 / 9)) / 2)


def test_bigram_is_witten_and_bells():
    # After a: followers 3 (b, b, c), kinds 2. p(b | a) = (2 + 2 x 3/9) / (3 + 2) = 8/15
    assert bigram_loss(TRAINING, np.array([A, B]), 3) == pytest.approx(-log(8 / 15))
    # Never seen after b (followers 2, kinds 1): p(c | b) = (0 + 1 x 2/9) / (2 + 1) = 2/27
    assert bigram_loss(TRAINING, np.array([B, C]), 3) == pytest.approx(-log(2 / 27))


def test_after_a_token_without_followers_the_bigram_is_the_unigram():
    # c stands last in training, so nothing follows it: p(a | c) = p(a) = 4/9
    assert bigram_loss(TRAINING, np.array([C, A]), 3) == pytest.approx(-log(4 / 9))


def test_the_bigram_sums_to_one_after_every_token():
    for history in (A, B, C):
        total = sum(np.exp(-bigram_loss(TRAINING, np.array([history, word]), 3)) for word in (A, B, C))
        assert total == pytest.approx(1)


def test_a_large_vocabulary_does_not_overflow():
    # 40,000 squared is beyond uint16 and beyond int32
    tokens = np.array([39_999, 39_998] * 50, np.uint16)
    assert bigram_loss(tokens, tokens, 40_000) < 0.2


def test_training_of_one_token_has_no_pairs():
    assert bigram_loss(np.array([A]), np.array([A, A]), 3) == pytest.approx(-log(2 / 4))
