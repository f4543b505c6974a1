"""Passages in copies of documents: which they are, what is done to them, and what is found."""

import pyarrow as pa

from dataprep.decontaminate.config import PassagePlantsConfig
from dataprep.decontaminate.decide import matched
from dataprep.decontaminate.plants import AROUND_WORDS, PLANTS, counts_of, is_host, measured, planted
from dataprep.decontaminate.scan import scan
from dataprep.document_id import file_prefix, pack
from dataprep.kernels.words import find_words
from dataprep.schemas import ID

PREFIX = file_prefix("docs", "a.jsonl")
LONG = "Alice, who has 3 of the apples, gives one to Bob and eats what is left of them!"  # 17 words
OTHER = "Of two trains that leave at the same hour the slower one is late by a day and a half"
SHORT = "too short for thirteen words"


def ids(number: int) -> pa.Array:
    return pa.array([pack(PREFIX, record) for record in range(number)], ID)


def hosts(number: int, num_words: int = 30) -> pa.Table:
    texts = [" ".join(f"page{n}x{word}" for word in range(num_words)) for n in range(number)]
    return pa.table({"id": ids(number), "text": pa.array(texts, pa.large_string())})


def test_about_as_many_are_planted_as_is_asked_for():
    assert 60 < is_host(ids(10_000), PassagePlantsConfig(number=100), 10_000).sum() < 140
    assert is_host(ids(3), PassagePlantsConfig(number=3), 3).all()
    assert not is_host(ids(3), PassagePlantsConfig(number=0), 3).any()


def test_a_passage_stands_in_its_document_as_it_is_or_with_a_word_in_ten_changed(sets):
    exam = sets([SHORT, LONG])
    plants = planted(hosts(40), exam.texts, exam.index, 13, seed=0)
    assert plants.schema == PLANTS
    assert set(plants["item"].to_pylist()) == {"exam.jsonl#1"}  # the short one is no passage
    edited = [row for row in plants.to_pylist() if row["is_edited"]]
    verbatim = [row for row in plants.to_pylist() if not row["is_edited"]]
    assert len(edited) > 10 < len(verbatim)
    assert all(LONG.rstrip("!") in row["text"] for row in verbatim)
    # 17 words, two of which are others: `round(1.7)`.
    assert all(LONG.rstrip("!") not in row["text"] and row["text"].count(" zq") == 2 for row in edited)
    assert all(row["text"].count("page") == 30 for row in plants.to_pylist())
    assert planted(hosts(40).slice(7), exam.texts, exam.index, 13, seed=0).equals(plants.slice(7))


def test_of_a_long_document_what_stands_around_the_passage_is_enough(sets):
    exam = sets([LONG])
    plants = planted(hosts(5, 3000), exam.texts, exam.index, 13, seed=0)
    num_words = find_words(plants["text"].combine_chunks()).offsets[1:] - 17
    assert (num_words[0] > AROUND_WORDS // 2).all()
    assert all(text.count("page") <= AROUND_WORDS for text in plants["text"].to_pylist())


def test_without_a_text_that_is_long_enough_nothing_is_planted(sets):
    exam = sets([SHORT])
    assert planted(hosts(5), exam.texts, exam.index, 13, seed=0).equals(PLANTS.empty_table())


def test_what_is_found_is_counted_by_set_and_kind(sets):
    exam = sets([LONG, OTHER])
    plants = planted(hosts(40), exam.texts, exam.index, 13, seed=0)
    hits = scan(plants["id"].combine_chunks(), plants["text"].combine_chunks(), exam.index, exam.config).hits
    counts = counts_of(plants, matched(hits, exam.texts, exam.index, exam.config).matches)
    told = measured(counts)
    of_all = told["all"]
    assert of_all["verbatim"]["found"] == of_all["verbatim"]["planted"] > 10
    assert of_all["edited"]["found"] == of_all["edited"]["planted"] > 10  # two words may be others
    assert told["sets"] == {"exam": of_all}


def test_what_is_not_found_or_found_as_another_counts_as_missed(sets):
    exam = sets([LONG, OTHER], max_changed_words=0)
    plants = planted(hosts(40), exam.texts, exam.index, 13, seed=0)
    hits = scan(plants["id"].combine_chunks(), plants["text"].combine_chunks(), exam.index, exam.config).hits
    matches = matched(hits, exam.texts, exam.index, exam.config).matches
    of_all = measured(counts_of(plants, matches))["all"]
    assert of_all["verbatim"]["found"] == of_all["verbatim"]["planted"]
    assert of_all["edited"]["found"] < of_all["edited"]["planted"]  # 17 or 18 words, no 13 in a row the same
    swapped = pa.array(
        [{"exam.jsonl#0": "exam.jsonl#1"}.get(item, "exam.jsonl#0") for item in matches["item"].to_pylist()]
    )
    wrong = matches.set_column(matches.schema.get_field_index("item"), "item", swapped)
    assert measured(counts_of(plants, wrong))["all"]["verbatim"]["found"] == 0
