import pyarrow as pa
import pytest

from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
from dataprep.decontaminate.cuts import decide_cuts, without_cuts
from dataprep.decontaminate.scan import HITS
from dataprep.document_id import file_prefix, pack
from dataprep.errors import CorruptDataError
from dataprep.schemas import CUTS, ID, VERDICTS

A, B, C = (pack(file_prefix("docs", "a.jsonl"), number) for number in range(3))


def hit(document: bytes, position: int, num_words: int = 3) -> dict:
    return {
        "document": document,
        "position": position,
        "place": 0,
        "num_words": num_words,
        "num_changed": 0,
        "ngram": 0,
    }


def decided(texts: dict[bytes, str], *hits: dict, **config):
    """The verdicts, and what is left of the texts that are kept."""
    wanted = DecontaminateConfig(
        sets={"exam": EvaluationSetConfig(path="-")},
        **{"ngram_words": 3, "min_words": 2, "max_changed_words": 0, "min_words_left": 1, **config},
    )
    ids, text = pa.array(list(texts), ID), pa.array(list(texts.values()), pa.large_string())
    sizes = pa.array([len(one.encode()) for one in texts.values()], pa.int64())
    found = decide_cuts(
        pa.table({"id": ids, "num_bytes": sizes}),
        pa.Table.from_pylist(list(hits), HITS),
        pa.table({"id": ids, "text": text}),
        wanted,
    )
    assert (found.verdicts.schema, found.cuts.schema) == (VERDICTS, CUTS)
    kept = [row["reason"] is None for row in found.verdicts.to_pylist()]
    left = without_cuts(ids.filter(pa.array(kept)), text.filter(pa.array(kept)), found.cuts)
    sizes = [row["num_bytes"] for row in found.verdicts.to_pylist() if row["reason"] is None]
    assert sizes == [len(one.encode()) for one in left.to_pylist()]
    return found.verdicts.to_pylist(), left.to_pylist()


def test_the_words_of_a_match_go_with_the_marks_at_them():
    text = 'He said: "One two, three!" and left. Später kam (er) zurück.'
    assert decided({A: text}, hit(A, 2))[1] == ["He said:  and left. Später kam (er) zurück."]
    assert decided({A: text}, hit(A, 7))[1] == ['He said: "One two, three!" and left.  zurück.']


def test_matches_near_each_other_are_one_cut():
    words = "a b c d e f g h i j k l m n o"
    # Two words stand between the first two, which is fewer than an n-gram has; three before the last.
    assert decided({A: words}, hit(A, 0), hit(A, 5), hit(A, 11))[1] == [" i j k  o"]
    assert decided({A: words}, hit(A, 2), hit(A, 1))[1] == ["a  f g h i j k l m n o"]


def test_a_cut_may_be_wider_and_ends_with_the_text():
    words = "a b c d e f g h i"
    assert decided({A: words}, hit(A, 3), widen_words=2)[1] == ["a  i"]
    assert decided({A: words}, hit(A, 6), widen_words=9, min_words_left=1)[0][0]["reason"] == (
        "too_little_without_benchmark"
    )


def test_what_keeps_too_few_words_is_dropped_and_has_no_cut():
    verdicts, left = decided({A: "a b c d e", B: "a b c d e f", C: "x"}, hit(A, 0), hit(B, 0), min_words_left=3)
    said = [(row["reason"], row["value"], row["threshold"], row["num_bytes"]) for row in verdicts]
    assert said == [("too_little_without_benchmark", 2.0, 3.0, 9), (None, None, None, 6), (None, None, None, 1)]
    assert left == [" d e f", "x"]


def test_words_of_three_bytes_are_cut_whole():
    # Seven words: each Han letter is one.
    assert decided({A: "我们,学习中文。再见"}, hit(A, 2))[1] == ["我们文。再见"]


def cuts(*rows: tuple[bytes, int, list[int], list[int]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(CUTS.names, row, strict=True)) for row in rows], CUTS)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (cuts((C, 3, [0], [1])), "1 of 1 documents with cuts are not kept, the first is c6c3"),
        (cuts((A, 4, [0], [1])), "row 0: edits state num_bytes 4, but the text gives 3"),
        (cuts((A, 3, [0], [4])), "row 0: cuts from"),
        (cuts((A, 3, [2, 0], [3, 1])), "row 0: cuts from"),
        (cuts((B, 2, [1], [2])), "row 0: cuts from"),
    ],
)
def test_cuts_that_do_not_fit_are_refused(table, says):
    with pytest.raises(CorruptDataError, match=says):
        without_cuts(pa.array([A, B], ID), pa.array(["abc", "é"], pa.large_string()), table)


def test_a_hit_without_its_text_is_refused():
    with pytest.raises(CorruptDataError, match="1 documents with a match have no text"):
        decided({A: "a b c d"}, hit(B, 0))
