"""What tools without a tokenizer of their own are given: a set of lowercased 5-word shingles, words between blanks."""

from pathlib import Path

import pyarrow.parquet as pq

NUM_PERMUTATIONS = 112
NUM_BANDS = 14
ROWS = 8
WORDS = 5


def shingles(text: str) -> list[str]:
    words = text.lower().split()
    return list({" ".join(words[i : i + WORDS]) for i in range(max(1, len(words) - WORDS + 1))})


def texts(file: str) -> list[str]:
    found: list[str] = pq.read_table(Path(file), columns=["text"])["text"].to_pylist()
    return found


def num_bytes(read: list[str]) -> int:
    """Of UTF-8."""
    return sum(len(text.encode()) for text in read)


class Groups:
    """Union-find; the first document of a group is kept."""

    def __init__(self, num_documents: int) -> None:
        self.parents = list(range(num_documents))

    def root(self, document: int) -> int:
        while self.parents[document] != document:
            self.parents[document] = self.parents[self.parents[document]]
            document = self.parents[document]
        return document

    def join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        self.parents[max(a, b)] = min(a, b)

    def num_removed(self) -> int:
        return sum(self.root(document) != document for document in range(len(self.parents)))
