"""fastText's compressed model file (`.ftz`), read into arrays: Joulin et al. 2016, "FastText.zip".

    arguments | dictionary, pruned n-grams | quantised input rows | output rows

The layout, little-endian and without padding, is that of fastText 0.9.2: `FastText::loadModel`, `Dictionary::load`,
`QMatrix::load`, `ProductQuantizer::load` and `DenseMatrix::load`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataprep.errors import CorruptDataError

LABEL_PREFIX = b"__label__"  # fastText's default, in every published model; the file does not hold it
END_OF_LINE = b"</s>"  # fastText's token for it

_MAGIC = 793712314  # FASTTEXT_FILEFORMAT_MAGIC_INT32
_VERSION = 12  # FASTTEXT_VERSION
_ARGUMENTS = ("dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket", "minn", "maxn", "lr")
_HIERARCHICAL_SOFTMAX = 1  # loss_name::hs
_SUPERVISED = 3  # model_name::sup
_NUM_CENTROIDS = 256  # ProductQuantizer::ksub_: a code is a byte
_UNSEEN = 10**15  # the count of a node of the tree that is not made yet


@dataclass(frozen=True)
class FasttextModel:
    """A supervised model with hierarchical softmax, decompressed.

    `rows` float32[words + kept n-grams, dim]: the input vectors. `words`: the vocabulary, whose rows come first, in
    order. `row_of_bucket` int32[buckets]: the row of the n-grams that hash into a bucket, -1 where they were pruned.
    `labels`: without their prefix, in the order of the leaves. The tree's node n has the children `left[n]` and
    `right[n]` (int32[2 * labels - 1]; -1: a leaf, and leaf n is label n); the last node is the root. `output`
    float32[labels - 1, dim]: the vector of inner node n is row n - labels.
    """

    words: list[bytes]
    labels: list[str]
    min_ngram: int  # characters, with the marks of a word's two ends
    max_ngram: int
    row_of_bucket: np.ndarray
    rows: np.ndarray
    left: np.ndarray
    right: np.ndarray
    output: np.ndarray


def read_model(path: Path) -> FasttextModel:
    """The model in the file at `path`.

    Raises CorruptDataError where it is not a whole fastText model of this kind: supervised, quantised, with
    hierarchical softmax, over single words.
    """
    reader = _Reader(path.read_bytes(), path)
    reader.expect("the first eight bytes", reader.integers(2), (_MAGIC, _VERSION))
    arguments = dict(zip(_ARGUMENTS, reader.integers(12), strict=True))
    reader.skip(8)  # the sampling threshold, a double: training's alone
    kind = tuple(arguments[name] for name in ("model", "loss", "word_ngrams"))
    reader.expect("model, loss and word n-grams", kind, (_SUPERVISED, _HIERARCHICAL_SOFTMAX, 1))

    num_entries, num_words, num_labels = reader.integers(3)
    _, num_kept = reader.longs(2)  # tokens trained on; n-grams that were not pruned
    reader.expect("the entries of the dictionary", num_entries, num_words + num_labels)
    entries = [reader.entry() for _ in range(num_entries)]
    kept = reader.array(np.int32, 2 * num_kept).reshape(num_kept, 2)  # bucket, place among the kept
    in_range = ((kept >= 0) & (kept < [arguments["bucket"], num_kept])).all()
    reader.expect("buckets and places of the n-grams that are in range", bool(in_range), True)
    row_of_bucket = np.full(arguments["bucket"], -1, np.int32)
    row_of_bucket[kept[:, 0]] = num_words + kept[:, 1]

    reader.expect("the mark of a quantised input", reader.array(np.bool_, 1).tolist(), [True])
    rows = reader.quantised_matrix()
    reader.expect("the shape of the input", rows.shape, (num_words + num_kept, arguments["dim"]))
    reader.expect("the mark of a plain output", reader.array(np.bool_, 1).tolist(), [False])
    output = reader.dense_matrix()
    # fastText writes a row for each label, and a tree has one inner node less.
    reader.expect("the shape of the output", output.shape, (num_labels, arguments["dim"]))
    reader.expect_end()

    left, right = build_tree([count for _, count in entries[num_words:]])
    return FasttextModel(
        words=[word for word, _ in entries[:num_words]],
        labels=[word.removeprefix(LABEL_PREFIX).decode() for word, _ in entries[num_words:]],
        min_ngram=arguments["minn"],
        max_ngram=arguments["maxn"],
        row_of_bucket=row_of_bucket,
        rows=rows,
        left=left,
        right=right,
        output=output[:-1],
    )


def build_tree(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The children of each node of the Huffman tree over labels with these counts, in descending order.

    As `HierarchicalSoftmaxLoss::buildTree`, whose choice among equal counts decides which tree it is.
    """
    num_labels = len(counts)
    weights = [*counts, *[_UNSEEN] * (num_labels - 1)]
    left, right = np.full((2, 2 * num_labels - 1), -1, np.int32)
    leaf, inner = num_labels - 1, num_labels  # the lightest of each that has no parent
    for node in range(num_labels, 2 * num_labels - 1):
        pair = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[inner]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(inner)
                inner += 1
        left[node], right[node] = pair
        weights[node] = weights[pair[0]] + weights[pair[1]]
    return left, right


class _Reader:
    """Walks over the bytes of a model file."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data, self._path, self._position = data, path, 0

    def skip(self, num_bytes: int) -> bytes:
        start, self._position = self._position, self._position + num_bytes
        if num_bytes < 0 or self._position > len(self._data):
            raise CorruptDataError(
                f"{self._path} ends after {len(self._data)} bytes, and its contents want {self._position}:"
                " install the package that carries it anew"
            )
        return self._data[start : self._position]

    def array(self, dtype: type[np.generic], size: int) -> np.ndarray:
        return np.frombuffer(self.skip(size * np.dtype(dtype).itemsize), np.dtype(dtype).newbyteorder("<"))

    def integers(self, size: int) -> tuple[int, ...]:
        return tuple(self.array(np.int32, size).tolist())

    def longs(self, size: int) -> tuple[int, ...]:
        return tuple(self.array(np.int64, size).tolist())

    def entry(self) -> tuple[bytes, int]:
        """A word or label of the dictionary, and how often it was seen."""
        end = self._data.find(b"\0", self._position)
        word = self.skip(end - self._position)
        self.skip(1)
        (count,) = self.longs(1)
        self.skip(1)  # word or label: the words come first
        return word, count

    def quantised_matrix(self) -> np.ndarray:
        """float32[rows, dim]: each row decoded once, with the very products that fastText adds up."""
        (has_norms,) = self.array(np.bool_, 1).tolist()
        num_rows, _ = self.longs(2)
        (num_codes,) = self.integers(1)
        codes = self.array(np.uint8, num_codes)
        rows = self._decode(codes.reshape(num_rows, -1))
        if has_norms:
            norm_codes = self.array(np.uint8, num_rows)
            rows *= self._decode(norm_codes[:, None])
        return rows

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        """The vectors behind codes uint8[rows, parts], by the product quantiser that comes next in the file."""
        dim, num_parts, part_dim, last_dim = self.integers(4)
        centroids = self.array(np.float32, dim * _NUM_CENTROIDS).astype(np.float32)
        self.expect("the parts of a code", codes.shape[1], num_parts)
        parts = []
        for part in range(num_parts):
            first = part * _NUM_CENTROIDS * part_dim
            width = last_dim if part == num_parts - 1 else part_dim
            table = centroids[first : first + _NUM_CENTROIDS * width].reshape(_NUM_CENTROIDS, width)
            parts.append(table[codes[:, part]])
        return np.ascontiguousarray(np.concatenate(parts, axis=1))

    def dense_matrix(self) -> np.ndarray:
        num_rows, num_columns = self.longs(2)
        return self.array(np.float32, num_rows * num_columns).astype(np.float32).reshape(num_rows, num_columns)

    def expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise CorruptDataError(
                f"{self._path}: {what}: found {found}, expected {expected}; it must be a supervised, quantised fastText"
                " model with hierarchical softmax over single words"
            )

    def expect_end(self) -> None:
        if self._position != len(self._data):
            raise CorruptDataError(f"{self._path}: {len(self._data) - self._position} bytes more than the model has")
