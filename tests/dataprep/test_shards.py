import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import document_id, schemas
from dataprep.errors import CorruptDataError
from dataprep.indexed_dataset import IndexedDataset, IndexedDatasetWriter
from dataprep.shards import (
    SIDECAR,
    TOKENIZED,
    ShardsConfig,
    TokenShard,
    merge,
    num_partitions,
    partitions,
    tally_of_shard,
    tokenize,
)
from dataprep.tally import tally
from dataprep.tokenizer import Encoder, TokenizerConfig, train

PREFIX = document_id.file_prefix("books", "f")
CONFIG = ShardsConfig()
ENCODER = Encoder(train(pa.array(["to be or not to be " * 3], pa.large_string()), TokenizerConfig(vocab_size=265)))


def corpus_of(*rows: tuple[str, str], start: int = 0) -> pa.Table:
    """Corpus of (split, text)."""
    rows_of = [
        {"id": document_id.pack(PREFIX, start + i), "url": "", "split": split, "text": text}
        for i, (split, text) in enumerate(rows)
    ]
    return pa.Table.from_pylist(rows_of, schemas.CORPUS)


def cut(table: pa.Table, num_rows: list[int]) -> list[pa.Table]:
    """The pieces."""
    ends = np.cumsum(num_rows)
    return [table[end - size : end] for size, end in zip(num_rows, ends, strict=True)]


def merged(corpora: list[pa.Table], num_partitions_of: dict[str, int]) -> list[TokenShard]:
    parts = [cut(*tokenize(corpus, ENCODER, CONFIG, num_partitions_of)) for corpus in corpora]
    return [merge([part[place] for part in parts]) for place in range(len(partitions(num_partitions_of)))]


def texts_of(shard: TokenShard) -> list[str]:
    ends = np.cumsum(shard.lengths)
    documents = [shard.tokens[end - size : end] for size, end in zip(shard.lengths, ends, strict=True)]
    assert all(document[-1] == ENCODER.eod and ENCODER.eod not in document[:-1] for document in documents)
    return [ENCODER.decode(document) for document in documents]


def test_the_number_of_shards_follows_from_the_bytes():
    config = ShardsConfig(tokens_per_shard=100)  # 400 bytes at 4 bytes a token
    assert [num_partitions(size, config) for size in (0, 1, 400, 401, 4000)] == [1, 1, 1, 2, 10]


def test_rows_stand_by_split_partition_and_order():
    rows = [("validation" if i % 4 == 0 else "train", f"be {i}") for i in range(40)]
    table, num_rows = tokenize(corpus_of(*rows), ENCODER, CONFIG, {"validation": 2, "train": 3})
    assert table.schema == TOKENIZED
    assert partitions({"validation": 2, "train": 3}) == [
        *(("train", number) for number in range(3)),
        *(("validation", number) for number in range(2)),
    ]
    assert sum(num_rows) == 40
    assert min(num_rows) > 0
    for place, part in zip(partitions({"validation": 2, "train": 3}), cut(table, num_rows), strict=True):
        assert set(zip(part["split"].to_pylist(), part["partition"].to_pylist(), strict=True)) == {place}
        assert part["order"].to_pylist() == sorted(part["order"].to_pylist())
    for row in table.to_pylist():
        assert row["partition"] == row["order"] * (3 if row["split"] == "train" else 2) >> 64


def test_a_shard_holds_its_documents_and_the_sidecar_finds_them():
    (shard,) = merged(
        [corpus_of(("train", "to be"), ("train", "")), corpus_of(("train", "or not"), start=2)], {"train": 1}
    )
    assert sorted(texts_of(shard)) == ["", "or not", "to be"]
    assert shard.tokens.dtype == shard.lengths.dtype == np.int32
    assert shard.sidecar.schema == SIDECAR
    assert document_id.ascend(shard.sidecar["id"])
    found = []
    for row in shard.sidecar.to_pylist():
        tokens = shard.tokens[row["first_token"] : row["first_token"] + row["num_tokens"]]
        assert tokens[-1] == ENCODER.eod
        found.append(ENCODER.decode(tokens))
    assert found == ["to be", "", "or not"]  # as their ids ascend


def test_shards_go_through_the_indexed_dataset(tmp_path):
    (shard,) = merged([corpus_of(*[("train", f"not {i}") for i in range(9)])], {"train": 1})
    with IndexedDatasetWriter(tmp_path / "shard", ENCODER.vocab_size) as writer:
        writer.add_many(shard.tokens, shard.lengths)
    stored = IndexedDataset(tmp_path / "shard")
    assert [ENCODER.decode(stored.document(i)) for i in range(stored.num_documents)] == texts_of(shard)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("tobe rn", max_size=5), max_size=12), st.integers(1, 4), st.randoms())
def test_the_order_does_not_depend_on_input_shards_or_on_how_many_token_shards_there_are(texts, count, random):
    whole = corpus_of(*(("train", text) for text in texts))
    places = [random.randrange(3) for _ in texts]
    inputs = [whole.filter(pa.array([place == shard for place in places], pa.bool_())) for shard in range(3)]
    random.shuffle(inputs)
    (expected,) = merged([whole], {"train": 1})
    shards = merged(inputs, {"train": count})
    assert np.concatenate([shard.tokens for shard in shards]).tolist() == expected.tokens.tolist()
    assert np.concatenate([shard.lengths for shard in shards]).tolist() == expected.lengths.tolist()
    assert sorted(texts_of(expected)) == sorted(texts)


def test_the_tally_of_a_shard_is_that_of_its_documents(tmp_path):
    corpus = corpus_of(*[("train", "to be " * n) for n in range(5)])
    [shard] = merged([corpus], {"train": 1})
    sized = corpus.append_column("num_bytes", [[6 * n for n in range(5)]])
    assert tally_of_shard(written(shard, tmp_path), shard.sidecar, ENCODER) == tally(sized, "num_bytes", "text")


def test_a_sidecar_that_does_not_fill_its_shard_is_refused(tmp_path):
    [shard] = merged([corpus_of(*[("train", str(n)) for n in range(5)])], {"train": 1})
    with pytest.raises(CorruptDataError, match="4 documents of 8 tokens in the sidecar do not fill the 10 tokens"):
        tally_of_shard(written(shard, tmp_path), shard.sidecar.slice(0, 4), ENCODER)


def written(shard: TokenShard, folder) -> IndexedDataset:
    with IndexedDatasetWriter(folder / "shard", ENCODER.vocab_size) as writer:
        writer.add_many(shard.tokens, shard.lengths)
    return IndexedDataset(folder / "shard")


def test_another_seed_is_another_order():
    corpus = corpus_of(*[("train", str(i)) for i in range(20)])
    tables = [tokenize(corpus, ENCODER, ShardsConfig(seed=seed), {"train": 1})[0] for seed in (0, 1)]
    assert tables[0]["id"].to_pylist() != tables[1]["id"].to_pylist()


def test_nothing_gives_empty_shards():
    table, num_rows = tokenize(corpus_of(), ENCODER, CONFIG, {"train": 2, "validation": 1})
    assert table.equals(TOKENIZED.empty_table())
    assert num_rows == [0, 0, 0]
    shard = merge([])
    assert (len(shard.tokens), len(shard.lengths), shard.sidecar.num_rows) == (0, 0, 0)


def test_a_split_without_shards_is_refused():
    with pytest.raises(CorruptDataError, match=r"holds documents of \['train', 'validation'\].*\{'train': 1\}"):
        tokenize(corpus_of(("train", "a"), ("validation", "b")), ENCODER, CONFIG, {"train": 1})
    with pytest.raises(CorruptDataError, match="holds documents of"):
        tokenize(corpus_of(("test", "a")), ENCODER, CONFIG, {"train": 1})


def test_parts_that_do_not_belong_together_are_refused():
    table, num_rows = tokenize(corpus_of(*[("train", str(i)) for i in range(9)]), ENCODER, CONFIG, {"train": 2})
    first, second = cut(table, num_rows)
    with pytest.raises(CorruptDataError, match="do not belong into one token shard"):
        merge([first, second])
    with pytest.raises(CorruptDataError, match="stands twice in one token shard"):
        merge([first, first])
