import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import document_id, schemas, tokenizer
from dataprep.errors import CorruptDataError, DataError
from dataprep.tokenizer import Encoder, TokenizerConfig, sample, train

PREFIX = document_id.file_prefix("books", "f")
SENTENCES = ["It was the best of times, it was the worst of times.\n", "Ein Mensch, zwei Menschen; über 東京 — 30 %.\n"]


def column_of(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


ENCODER = Encoder(train(column_of(*SENTENCES * 3), TokenizerConfig(vocab_size=300)))


def corpus_of(*texts: str, split: str = "train", start: int = 0) -> pa.Table:
    rows = [
        {"id": document_id.pack(PREFIX, start + i), "url": "", "split": split, "text": text}
        for i, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schemas.CORPUS)


def test_the_golden_trace_with_ties_by_token_id():
    # low x5, lower x2, newest x6, widest x3 with the end mark z, each a word of its own. The textbook merges es, est
    # and estz (9 each), then lo, low (7), ne (6). Where pairs tie, ours are told apart by their token ids: after es,
    # the pair tz (9) has smaller ids than es+t, and ew (6) smaller ones than ne. lowest comes out the same: low, estz.
    words = column_of("lowz\n" * 5 + "lowerz\n" * 2 + "newestz\n" * 6 + "widestz\n" * 3)
    learned = train(words, TokenizerConfig(vocab_size=257 + 7, min_frequency=1))
    merges = [a + b for a, b in json.loads(learned)["model"]["merges"]]
    assert merges == ["es", "tz", "estz", "lo", "low", "ew", "new"]
    encoder = Encoder(learned)
    found = encoder.encode(column_of("lowestz"))
    assert [encoder.token_bytes()[token] for token in found.tokens] == [b"low", b"estz"]


def test_the_vocabulary_starts_with_the_end_of_a_document_and_every_byte():
    spelled = ENCODER.token_bytes()
    assert len(spelled) == ENCODER.vocab_size == 300
    assert ENCODER.eod == 0
    assert spelled[0] == b""
    assert sorted(spelled[1:257]) == [bytes([byte]) for byte in range(256)]
    assert len(set(spelled)) == 300


def test_a_small_sample_gives_a_small_vocabulary():
    assert Encoder(train(column_of("ab"), TokenizerConfig())).vocab_size == 257


def test_a_page_cannot_end_a_document():
    text = "a<|endoftext|>b"
    tokens = ENCODER.encode(column_of(text)).tokens
    assert ENCODER.eod not in tokens
    assert ENCODER.decode(tokens) == text


def test_a_text_that_is_cut_decodes_with_a_replacement_character():
    tokens = ENCODER.encode(column_of("🌱")).tokens
    assert ENCODER.decode(tokens) == "🌱"
    assert ENCODER.decode(tokens[:-1]) == "\ufffd"


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(max_size=40) | st.sampled_from([*SENTENCES, " \n\t  ", "\u2028\x00", "<|endoftext|>"]), max_size=5)
)
def test_tokens_spell_out_the_text(texts):
    found = ENCODER.encode(column_of(*texts))
    assert found.tokens.dtype == np.int32
    assert found.offsets.dtype == np.int64
    spelled = ENCODER.token_bytes()
    for i, text in enumerate(texts):
        tokens = found.tokens[found.offsets[i] : found.offsets[i + 1]]
        assert ENCODER.decode(tokens) == text
        assert sum(len(spelled[token]) for token in tokens) == len(text.encode())
    assert len(found.offsets) == len(texts) + 1


def test_slices_and_batches_change_no_token(monkeypatch):
    texts = column_of("first", "", *SENTENCES, "last", "")
    whole = ENCODER.encode(texts)
    monkeypatch.setattr(tokenizer, "MAX_BATCH_BYTES", 7)
    assert ENCODER.encode(texts).tokens.tolist() == whole.tokens.tolist()
    part = ENCODER.encode(texts[2:5])
    assert part.tokens.tolist() == whole.tokens[whole.offsets[2] : whole.offsets[5]].tolist()
    assert part.offsets.tolist() == (whole.offsets[2:6] - whole.offsets[2]).tolist()


def test_a_tokenizer_that_loses_bytes_is_refused():
    lossy = json.loads(train(column_of("ab"), TokenizerConfig()))
    lossy["normalizer"] = {"type": "Lowercase"}
    with pytest.raises(CorruptDataError, match="do not spell out their text: 2 bytes, expected 2"):
        Encoder(json.dumps(lossy).encode()).encode(column_of("Ab"))


def test_a_tokenizer_without_an_end_of_document_is_refused():
    other = json.loads(train(column_of("ab"), TokenizerConfig()))
    other["added_tokens"] = []
    other["model"]["vocab"] = {token: number for token, number in other["model"]["vocab"].items() if number}
    with pytest.raises(CorruptDataError, match=r"has no token <\|endoftext\|>"):
        Encoder(json.dumps(other).encode())


def test_no_text_is_refused():
    with pytest.raises(DataError, match="holds no text"):
        train(column_of("", ""), TokenizerConfig())
    with pytest.raises(DataError, match="holds no text"):
        train(column_of(), TokenizerConfig())


def test_the_sample_is_of_the_training_split_and_stops_when_it_is_full():
    parts = [corpus_of(*["x" * 10] * 5), corpus_of(*["y" * 10] * 5, split="validation", start=5)]
    everything = sample(parts, TokenizerConfig(sample_bytes=1000))
    assert everything["text"].to_pylist() == ["x" * 10] * 5
    keys = document_id.mix(everything["id"], tokenizer._SEED_STREAM)
    assert (np.diff(keys.astype(object)) > 0).all()
    # 10 + 10 bytes are fewer than 21, so a third document comes in.
    assert sample(parts, TokenizerConfig(sample_bytes=21)).equals(everything[:3])
    assert sample(parts, TokenizerConfig(sample_bytes=20)).equals(everything[:2])
    assert sample([], TokenizerConfig()).num_rows == 0


def test_another_seed_is_another_sample():
    part = corpus_of(*(str(i) for i in range(50)))
    ids = [sample([part], TokenizerConfig(sample_bytes=10, seed=seed))["id"].to_pylist() for seed in (0, 1)]
    assert set(ids[0]) != set(ids[1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 200), st.randoms())
def test_the_sample_does_not_depend_on_shards(sizes, sample_bytes, random):
    config = TokenizerConfig(sample_bytes=sample_bytes)
    whole = corpus_of(*("x" * size for size in sizes))
    rows = [random.randrange(3) for _ in sizes]
    shards = [whole.filter(pa.array([place == shard for place in rows], pa.bool_())) for shard in range(3)]
    expected = sample([whole], config)
    assert sample(shards, config).equals(expected)
    assert sample([sample([shard], config) for shard in reversed(shards)], config).equals(expected)


TRAIN_IN_A_PROCESS = """
import hashlib, sys
import pyarrow as pa
from dataprep.tokenizer import TokenizerConfig, train
# Words of letters by a linear congruential generator (Knuth, MMIX): many pairs tie.
state, letters = 1, []
for _ in range(60_000):
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    letters.append("etaoin shrdlu"[(state >> 33) % 13])
text = "".join(letters)
size = int(sys.argv[1])
parts = [text[i : i + size] for i in range(0, len(text), size)]
print(hashlib.sha256(train(pa.array(parts, pa.large_string()), TokenizerConfig(vocab_size=600))).hexdigest())
"""


def digest(part_size: int, **environment: str) -> str:
    command = [sys.executable, "-c", TRAIN_IN_A_PROCESS, str(part_size)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_one_sample_gives_one_tokenizer_with_any_number_of_threads():
    found = {
        digest(1000, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="true"),
        digest(1000, RAYON_NUM_THREADS="4", TOKENIZERS_PARALLELISM="true"),
        digest(1000, TOKENIZERS_PARALLELISM="false"),
    }
    assert len(found) == 1


def test_the_order_of_the_texts_does_not_matter():
    texts = [f"{word} {i % 7}\n" for i, word in enumerate(("alpha beta gamma delta " * 20).split())]
    config = TokenizerConfig(vocab_size=280)
    assert train(column_of(*texts), config) == train(column_of(*reversed(texts)), config)
