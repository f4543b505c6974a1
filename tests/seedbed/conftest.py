"""A small run that can be planned: its crawl is never read, so its files hold nothing of meaning."""

import os
from pathlib import Path

import pytest

RUN = """\
name: tiny
data:
  sources:
    docs:
      path: crawl
  tokenizer:
    vocab_size: 300
model: model.yaml
training:
  num_steps: 10
  global_batch_tokens: 64
  micro_batch_sequences: 2
  learning_rate: 1e-3
cluster: {training_ranks: 2}
"""

MODEL = """\
num_layers: 2
width: 16
num_heads: 2
sequence_length: 16
vocab_size: 300
"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """`run.yaml` beside `model.yaml` and the folder `crawl` with a.warc.gz (1,000 bytes) and b.jsonl (500 bytes)."""
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "model.yaml").write_text(MODEL)
    crawl = tmp_path / "crawl"
    crawl.mkdir()
    for name, size in (("a.warc.gz", 1000), ("b.jsonl", 500)):
        (crawl / name).write_bytes(b"x" * size)
        os.utime(crawl / name, (1_700_000_000, 1_700_000_000))
    return tmp_path / "run.yaml"
