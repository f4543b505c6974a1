import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dataprep import schemas
from dataprep.clean import RULES, CleanConfig, clean
from dataprep.kernels.text_view import surviving_text


def documents_of(*texts: str) -> pa.Table:
    rows = [
        {"id": i.to_bytes(16, "big"), "url": "", "offset": 0, "num_payload_bytes": 0, "text": text}
        for i, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schemas.DOCUMENTS)


def cleaned(text: str, **settings: object) -> tuple[str, list[str]]:
    """What survives, and the rules behind the cuts."""
    documents = documents_of(text)
    edits = clean(documents, CleanConfig(**settings))
    survivor = surviving_text(documents["text"].chunk(0), edits)[0].as_py()
    return survivor, [RULES[rule] for rule in edits["cut_rules"][0].as_py()]


def test_a_cut_line_goes_with_its_line_feed():
    edits = clean(documents_of("Good.\nEnable JavaScript now\nBye.", "", "fine"), CleanConfig())
    assert edits.schema == schemas.EDITS
    # "Good.\n" is bytes 0 to 6, the line with its line feed 22 more.
    assert edits.drop_columns("id").to_pylist() == [
        {"num_bytes": 32, "num_cut_bytes": 22, "cut_starts": [6], "cut_ends": [28], "cut_rules": [0]},
        {"num_bytes": 0, "num_cut_bytes": 0, "cut_starts": [], "cut_ends": [], "cut_rules": []},
        {"num_bytes": 4, "num_cut_bytes": 0, "cut_starts": [], "cut_ends": [], "cut_rules": []},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Terms of Use",
        "our PRIVACY POLICY applies",
        "Cookie policy",
        "This site uses cookies.",
        "the use of cookies",
        "we use cookies",
    ],
)
def test_policy_phrases_are_found_in_any_case(line):
    assert cleaned(f"a\n{line}\nb") == ("a\nb", ["policy_line"])
    assert cleaned(f"a\n{line}\nb", policy_phrases=False) == (f"a\n{line}\nb", [])


def test_a_phrase_over_two_lines_is_none():
    assert cleaned("we use\ncookies and java\nscript") == ("we use\ncookies and java\nscript", [])


def test_a_line_that_breaks_two_rules_carries_the_first():
    assert cleaned("We use cookies and JavaScript") == ("", ["javascript_line"])


def test_neighbours_under_one_rule_are_one_cut():
    text = "javascript\njavascript\nuse cookies\njavascript\nok"
    assert cleaned(text) == ("ok", ["javascript_line", "policy_line", "javascript_line"])


def test_a_long_word_is_counted_in_characters():
    assert cleaned(f"a\n{'é' * 10} b\n", max_word_characters=10) == (f"a\n{'é' * 10} b\n", [])
    assert cleaned(f"a\n{'é' * 11} b\n", max_word_characters=10) == ("a\n", ["long_word_line"])
    assert cleaned("a/b-c.d=e;f", max_word_characters=10) == ("", ["long_word_line"])


def test_a_chinese_paragraph_is_no_long_word():
    assert cleaned("東京、" * 20, max_word_characters=10) == ("東京、" * 20, [])


def test_short_lines_go_and_blank_ones_stay():
    assert cleaned("one two\n\n \t\none two three\n東京都", min_words=3) == (
        "\n \t\none two three\n東京都",
        ["short_line"],
    )


def test_a_line_must_end_a_sentence_where_that_is_asked_for():
    text = 'One.\nTwo\nThree!\nFour?\n"Five"\nSix...\nSeven…\n八。\n\nNine. \n. . .\nTen, "yes.”'
    assert cleaned(text, terminal_punctuation=True) == (
        'One.\nThree!\nFour?\n"Five"\n八。\n\nNine. \n. . .\nTen, "yes.”',
        ["no_terminal_punctuation", "no_terminal_punctuation"],  # "Two"; "Six..." and "Seven…" as one cut
    )


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="javascripts"):
        CleanConfig(javascripts=True)


LINE = st.sampled_from(["", " ", "Good line.", "we use cookies", "JAVASCRIPT", "x" * 30, "東京。", "no end", "é"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(LINE, max_size=6).map("\n".join), max_size=4),
    st.booleans(),
    st.integers(0, 2),
    st.integers(0, 4),
)
def test_bytes_are_kept_or_cut_and_lines_survive_whole(texts, terminal_punctuation, min_words, start):
    documents = documents_of(*texts).slice(min(start, len(texts)))
    config = CleanConfig(terminal_punctuation=terminal_punctuation, min_words=min_words, max_word_characters=20)
    edits = clean(documents, config)
    texts = documents["text"].to_pylist()
    survivors = surviving_text(pa.array(texts, pa.large_string()), edits).to_pylist()
    for text, survivor, edit in zip(texts, survivors, edits.to_pylist(), strict=True):
        assert edit["num_bytes"] == len(text.encode()) == len(survivor.encode()) + edit["num_cut_bytes"]
        assert len(edit["cut_rules"]) == len(edit["cut_starts"]) == len(edit["cut_ends"])
        lines = iter(text.split("\n"))
        assert all(line in lines for line in survivor.split("\n") if line)  # a subsequence of the lines
    assert edits["id"].to_pylist() == documents["id"].to_pylist()
