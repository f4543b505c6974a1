"""What `pretrain` takes of each source, by the manifest of `shards`, and what a person is told while it goes."""

import io
from types import SimpleNamespace

import pytest

from jobs.steps.pretrain import _mixture, _Narrator, _told
from seedbed.errors import UsageError
from seedbed.progress import Progress
from seedbed.runfile.load import load_run

RUN = """\
name: mixed
data:
  sources: {web: {path: web}, books: {path: books}}
  mixture: {weights: {web: 0.5, books: 0.5}, max_epochs: 2}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.yaml").write_text(RUN)
    return load_run(tmp_path / "run.yaml")


def shards(**train_tokens):
    return {"sources": {name: {"train_tokens": number} for name, number in train_tokens.items()}}


def test_the_manifest_says_what_was_trained_on(run):
    # 40 samples; `books` has 5 and gives 10 of the 20 that are asked of it.
    mixture = _mixture(run, shards(web=1601, books=81))
    assert _told(mixture, run)["mixture"] == {
        "books": {"available": 80, "weight_asked": 0.5, "weight": 0.25, "tokens": 160, "epochs": 2.0},
        "web": {"available": 1600, "weight_asked": 0.5, "weight": 0.75, "tokens": 480, "epochs": 0.3},
    }


def test_a_training_that_was_started_over_its_budget_is_not_longer_than_its_sources(run):
    # 2 x (10 + 5) samples are 480 tokens, 7 steps of 64
    with pytest.raises(UsageError, match=r"640 tokens to train on, but the sources give 480 .* at most 7, or allow"):
        _mixture(run, shards(web=161, books=81))


def test_without_a_mixture_nothing_is_told(run):
    plain = run.model_copy(update={"data": run.data.model_copy(update={"mixture": None})})
    assert _mixture(plain, {}) is None
    assert _told(None, plain) == {}


def test_a_training_that_goes_on_counts_from_its_checkpoint_and_not_from_nothing():
    progress = Progress(io.StringIO())
    training = SimpleNamespace(num_steps=100)
    with progress.task("pretrain", 100, 49, unit="steps") as advance:
        narrator = _Narrator(SimpleNamespace(progress=progress), advance, training, 49)
        assert progress.snapshot().done == 49  # before any rank is there
        narrator.hear({"event": "taken_up", "step": 49})
        assert progress.snapshot().done == 49
        narrator.hear({"step": 50, "loss": 3.0, "tokens_per_second": 10.0})
        assert (progress.snapshot().done, progress.snapshot().seconds_left) == (50, None)  # it holds the start
