import pyarrow as pa

from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
from dataprep.decontaminate.decide import MATCHES, dropped, matched
from dataprep.decontaminate.evaluation import ItemText
from dataprep.decontaminate.index import build_index
from dataprep.decontaminate.scan import scan
from dataprep.document_id import file_prefix, pack
from dataprep.schemas import ID, VERDICTS

A, B, C = (pack(file_prefix("docs", "a.jsonl"), number) for number in range(3))
ITEMS = [
    ItemText("exam.jsonl#0", "question", "a b c d e f g h"),
    ItemText("exam.jsonl#0", "answer", "p q r s t u"),
    ItemText("exam.jsonl#1", "question", "a b c d z y x w"),
]


def decided(*documents: str, **config):
    """The matches and the verdicts, n-grams of 4 words."""
    wanted = DecontaminateConfig(
        sets={"exam": EvaluationSetConfig(path="-")}, ngram_words=4, min_words=2, **{"max_changed_words": 0, **config}
    )
    index, texts = build_index([("exam", ITEMS)], wanted)
    ids = pa.array([A, B, C][: len(documents)], ID)
    hits = scan(ids, pa.array(documents, pa.large_string()), index, wanted).hits
    found = matched(hits, texts, index, wanted)
    survivors = pa.table({"id": ids, "num_bytes": pa.array([len(text) for text in documents], pa.int64())})
    assert found.matches.schema == MATCHES
    verdicts = dropped(survivors, found.matches, wanted)
    assert verdicts.schema == VERDICTS
    return found.matches.to_pylist(), [(row["reason"], row["value"], row["threshold"]) for row in verdicts.to_pylist()]


def test_a_match_says_which_text_stands_where():
    matches, _ = decided("one b c d e f two p q r s", max_changed_words=1)
    assert matches == [
        {
            "document": A,
            "set": "exam",
            "item": "exam.jsonl#0",
            "field": "question",
            "item_number": 0,
            "num_ngrams": 5,  # of 8 words
            # `b c d e` and `c d e f`; with one word changed `a b c d` for `one b c d`, and `d e f g` for `d e f two`
            "num_found": 4,
            "num_changed": 0,
            "item_first_word": 0,
            "item_end_word": 7,
            "document_first_word": 0,
            "document_end_word": 7,
            "phrase": "b c d e",
        },
        {
            "document": A,
            "set": "exam",
            "item": "exam.jsonl#0",
            "field": "answer",
            "item_number": 0,
            "num_ngrams": 3,
            "num_found": 1,
            "num_changed": 0,
            "item_first_word": 0,
            "item_end_word": 4,
            "document_first_word": 7,
            "document_end_word": 11,
            "phrase": "p q r s",
        },
        {
            "document": A,
            "set": "exam",
            "item": "exam.jsonl#1",
            "field": "question",
            "item_number": 1,
            "num_ngrams": 5,
            "num_found": 2,  # `a b c d` for `one b c d`, `b c d z` for `b c d e`
            "num_changed": 1,
            "item_first_word": 0,
            "item_end_word": 5,
            "document_first_word": 0,
            "document_end_word": 5,
            "phrase": "a b c d",
        },
    ]


def test_an_ngram_of_two_items_is_laid_to_both():
    matches, _ = decided("a b c d")
    assert [(row["item"], row["num_found"]) for row in matches] == [("exam.jsonl#0", 1), ("exam.jsonl#1", 1)]


def test_a_document_with_a_match_goes_and_says_how_much_of_a_text_it_has():
    _, verdicts = decided("p q r s", "nothing of it", "p q r s and t")
    assert verdicts == [("contains_benchmark", 1 / 3, 0.0), (None, None, None), ("contains_benchmark", 1 / 3, 0.0)]


def test_an_ngram_that_stands_twice_in_a_document_is_found_once():
    matches, _ = decided("p q r s x p q r s")
    assert [row["num_found"] for row in matches] == [1]


def test_a_share_may_be_asked_for():
    half, all_of_it = "a b c d x x x x", "p q r s t u"
    matches, verdicts = decided(half, all_of_it, min_share=0.5)
    assert [(row["document"], row["field"], row["num_found"]) for row in matches] == [(B, "answer", 3)]
    assert verdicts == [(None, None, None), ("contains_benchmark", 1.0, 0.5)]


def test_where_nothing_is_found_all_stay():
    assert decided("nothing of it") == ([], [(None, None, None)])
