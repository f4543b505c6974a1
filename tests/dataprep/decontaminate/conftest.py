"""Small evaluation sets, and a plain reading of what stands in a document: words in lists, compared one by one."""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
from dataprep.decontaminate.evaluation import ItemText
from dataprep.decontaminate.index import EvaluationIndex, build_index
from dataprep.decontaminate.scan import Scanned, scan
from dataprep.document_id import file_prefix, pack
from dataprep.schemas import ID

PREFIX = file_prefix("docs", "a.jsonl")


def document(number: int) -> bytes:
    return pack(PREFIX, number)


class Sets:
    """Evaluation texts, each an item of the set `exam`, and what is found of them."""

    def __init__(self, texts: list[str], **config: object) -> None:
        sets = {"exam": EvaluationSetConfig(path="-")}
        self.config = DecontaminateConfig(sets=sets, **config)
        items = [ItemText(f"exam.jsonl#{number}", "text", text) for number, text in enumerate(texts)]
        self.index: EvaluationIndex
        self.index, self.texts = build_index([("exam", items)], self.config)

    def scan(self, *documents: str) -> Scanned:
        ids = pa.array([document(number) for number in range(len(documents))], ID)
        return scan(ids, pa.array(documents, pa.large_string()), self.index, self.config)

    def found(self, *documents: str) -> list[tuple[int, int, int, int, int]]:
        """Document, first word there, item, first word there, words changed, of each n-gram that is found."""
        rows = []
        for hit in self.scan(*documents).hits.to_pylist():
            item = int((self.index.text_offsets <= hit["place"]).sum()) - 1
            word = hit["place"] - int(self.index.text_offsets[item])
            number = int.from_bytes(hit["document"][11:], "big")
            rows.append((number, hit["position"], item, word, hit["num_changed"]))
        return rows


@pytest.fixture
def sets() -> Iterator[Callable[..., Sets]]:
    yield Sets
