import pyarrow as pa

from dataprep.decontaminate.commonness import COUNTS, common_ngrams, document_counts, without_common
from dataprep.decontaminate.scan import HITS


def hits(*rows: tuple[int, int]) -> pa.Table:
    """Of (document, n-gram)."""
    nothing = {"position": 0, "place": 0, "num_words": 13, "num_changed": 0}
    return pa.Table.from_pylist([{"document": bytes([d] * 16), "ngram": n, **nothing} for d, n in rows], HITS)


def counts(**documents: int) -> pa.Table:
    rows = [{"ngram": int(name[1:]), "num_documents": number} for name, number in documents.items()]
    return pa.Table.from_pylist(rows, COUNTS)


def test_an_ngram_counts_once_for_each_document():
    found = document_counts(hits((1, 7), (1, 7), (1, 3), (2, 7)))
    assert found == counts(n3=1, n7=2)
    assert document_counts(hits()) == counts()


def test_documents_of_all_shards_add_up_and_more_than_the_limit_are_common():
    parts = [counts(n0=2, n3=1), counts(), counts(n0=1, n2=2)]
    assert common_ngrams(parts, 4, max_documents=2) == counts(n0=3)
    assert common_ngrams(parts, 4, max_documents=1) == counts(n0=3, n2=2)
    assert common_ngrams(parts, 4, max_documents=None) == counts()


def test_hits_of_common_ngrams_do_not_count():
    assert without_common(hits((1, 7), (1, 3), (2, 7)), counts(n7=9)) == hits((1, 3))
