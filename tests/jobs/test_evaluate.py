import math

import numpy as np
import pytest
import torch

from dataprep.indexed_dataset import IndexedDatasetWriter
from dataprep.ngram_baseline import bigram_loss, unigram_loss
from dataprep.token_stream import TokenStream
from jobs.evaluate import counted_tokens, evaluate, token_losses, validation_samples
from jobs.scores import bits_per_byte


def stream(path, tokens):
    with IndexedDatasetWriter(path, vocab_size=300) as writer:
        writer.add(tokens)
    return TokenStream([path])


class Uniform(torch.nn.Module):
    """Every token is as likely as any other."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, tokens_BT):
        assert not self.training
        return torch.zeros(*tokens_BT.shape, 300)


def test_a_uniform_model_scores_the_logarithm_of_the_vocabulary(tmp_path):
    training, heldout = np.arange(200) % 7, np.arange(43) % 5
    model, held = Uniform(), stream(tmp_path / "held", heldout)
    losses = token_losses(model, held, validation_samples(held, 8, 26), 8, batch_sequences=2)  # three samples of 8
    scores = evaluate(losses, training, held, validation_bytes=100, vocab_size=300)
    assert scores.num_tokens == 24
    assert scores.validation_loss == pytest.approx(math.log(300), rel=1e-6)
    assert scores.perplexity == pytest.approx(300, rel=1e-5)
    assert scores.bits_per_byte == pytest.approx(math.log2(300) * 43 / 100, rel=1e-6)
    # the same 24 positions: tokens 1 to 24
    assert scores.unigram_loss == unigram_loss(training, heldout[:25], 300)
    assert scores.bigram_loss == bigram_loss(training, heldout[:25], 300)
    assert model.training  # as it was


def test_n_grams_are_counted_over_a_mixture_as_it_was_trained_on(tmp_path, monkeypatch):
    first, second = stream(tmp_path / "first", np.full(50, 1)), stream(tmp_path / "second", np.full(50, 2))
    monkeypatch.setattr("jobs.evaluate.MAX_COUNTED_TOKENS", 80)
    assert np.bincount(counted_tokens([(first, 100), (second, 300)])).tolist() == [0, 20, 50]  # of 60 there are 50


def test_bits_per_byte_of_a_coin_for_each_token():
    # ln 2 nats are one bit a token; 6 tokens in 3 bytes are 2 bits a byte
    assert bits_per_byte(math.log(2), num_tokens=6, num_bytes=3) == pytest.approx(2)


def test_at_least_one_sample_and_no_more_than_there_are(tmp_path):
    held = stream(tmp_path / "held", np.zeros(43, int))
    assert validation_samples(held, 8, 3).tolist() == [0]
    assert validation_samples(held, 8, 10_000).size == 5
