import sys
import time
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from resiliparse.extract.html2text import extract_plain_text

from dataprep import schemas
from dataprep.clean import RULES, CleanConfig, RefinedWebConfig, clean, rule_counts
from dataprep.kernels.edit_rules import LINE_RULES
from dataprep.kernels.normal_form_tables import unicode_version
from dataprep.kernels.text_view import surviving_text
from dataprep.reading.formats import ReaderConfig, read_records

sys.path.append(str(Path(__file__).parents[1] / "importable"))
import slow_clean

DEMO = Path(__file__).parents[2] / "configs" / "crawls" / "demo"


WORDS = ("num_words_in_lines", "num_words_in_refinedweb_lines")


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
    nothing = dict.fromkeys(("num_cut_bytes", "num_added_bytes", *WORDS), 0)
    nothing |= {"cut_starts": [], "cut_ends": [], "cut_rules": [], "added_lengths": [], "added_text": ""}
    cut = {"num_cut_bytes": 22, "cut_starts": [6], "cut_ends": [28], "cut_rules": [0], "added_lengths": [0]}
    assert edits.drop_columns("id").to_pylist() == [
        nothing | {"num_bytes": 32} | cut,
        nothing | {"num_bytes": 0},
        nothing | {"num_bytes": 4},
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


def test_every_line_is_a_cut_of_its_own():
    text = "javascript\njavascript\nuse cookies\njavascript\nok"
    rules = ["javascript_line", "javascript_line", "policy_line", "javascript_line"]
    assert cleaned(text) == ("ok", rules)
    # Three lines of 11 bytes, and one of 12.
    assert rule_counts(clean(documents_of(text, text), CleanConfig())) == {
        "javascript_line_edits": 6,
        "javascript_line_bytes": 66,
        "policy_line_edits": 2,
        "policy_line_bytes": 24,
    }


def test_a_long_word_is_counted_in_characters():
    assert cleaned(f"a\n{'é' * 10} b\n", max_word_characters=10) == (f"a\n{'é' * 10} b\n", [])
    assert cleaned(f"a\n{'é' * 11} b\n", max_word_characters=10) == ("a\n", ["long_word_line"])
    assert cleaned("a/b-c.d=e;f", max_word_characters=10) == ("", ["long_word_line"])


def test_a_chinese_paragraph_is_no_long_word():
    assert cleaned("東京、" * 20, max_word_characters=10) == ("東京、" * 20, [])


def test_short_lines_go_and_blank_ones_stay():
    assert cleaned("one two\n\n \t\none two three\n東京都", min_words=3) == (
        "\n\none two three\n東京都",
        ["short_line", "trailing_blanks"],
    )


def test_a_line_must_end_a_sentence_where_that_is_asked_for():
    text = 'One.\nTwo\nThree!\nFour?\n"Five"\nSix...\nSeven…\n八。\n\nNine. \n. . .\nTen, "yes.”'
    assert cleaned(text, terminal_punctuation=True) == (
        'One.\nThree!\nFour?\n"Five"\n八。\n\nNine.\n. . .\nTen, "yes.”',
        [*["no_terminal_punctuation"] * 3, "trailing_blanks"],  # "Two", "Six...", "Seven…"; the blank behind "Nine."
    )


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="javascripts"):
        CleanConfig(javascripts=True)


def normal(text: str, **settings: object) -> str:
    return cleaned(text, **settings)[0]


def test_line_ends_become_line_feeds():
    assert cleaned("a\r\nb\rc\fd\x85e\u2028f") == ("a\nb\nc\nd\ne\nf", ["line_end"] * 5)


def test_control_characters_and_noncharacters_go_and_tabs_stay():
    assert cleaned("\x00a\tb\x1b[0m\x7f\x9fc\ufdd0\U0001ffff") == ("a\tb[0mc", ["control_character"] * 4)


def test_what_has_no_width_goes():
    text = "soft\u00adhyphen zero\u200bwidth \ufeffmark\u2060 \u200fright"
    assert cleaned(text) == ("softhyphen zerowidth mark right", ["zero_width"] * 5)
    assert cleaned(text, zero_width=False) == (text, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian: two parts of a word that must not join
        ("می\u200c خواهم", "می خواهم"),  # with nothing to part
        ("क्\u200dष क्\u200cष", "क्\u200dष क्\u200cष"),  # Devanagari: half form, visible virama
        ("ശ്രീ അവന്\u200d.", "ശ്രീ അവന്\u200d."),  # Malayalam chillu, at the end of a word
        ("ه\u200d.", "ه\u200d."),  # the letter in its initial form, an abbreviation
        ("👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d💻", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d💻"),
        ("👩\u200d word\u200d\u200cs ™\u200d™", "👩 words ™™"),
        ("می\u200c\u200c\u200dخ", "می\u200cخ"),  # one of several
        ("ه\u0301\u200dx", "ه\u0301\u200dx"),  # a mark of no script is looked past
    ],
)
def test_joiners_stay_where_they_are_needed(text, expected):
    assert normal(text) == expected


def test_letters_and_marks_are_composed():
    assert cleaned("e\u0301") == ("é", ["normal_form"])
    assert cleaned("e\u0301", normalization="none") == ("e\u0301", [])
    assert normal("\u0958") == "\u0915\u093c"  # has no composed form in NFC
    assert normal("ﬁ２", normalization="NFKC") == "fi2"
    assert normal("ﬁ２") == "ﬁ２"
    assert normal("\u1112\u1161\u11ab") == "한"
    assert normal("â\u0323") == "ậ"  # comes apart and composes in another order
    assert normal("\n\u0301\nx\u0301") == "\n\u0301\nx\u0301"


def test_what_is_removed_does_not_keep_characters_apart():
    assert normal("e\x00\u200b\u0301") == "é"
    assert normal("word \u200b\t\x00\n") == "word\n"
    assert normal("policy: we use coo\u00adkies\nnext") == "next"  # line rules see the text as it will be


def test_marks_beyond_thirty_go():
    assert cleaned("x" + "\u0301" * 40 + "y") == ("x" + "\u0301" * 30 + "y", ["extra_marks"])
    # A letter that comes apart into a letter and two marks: they count.
    assert normal("\ufb2c" + "\u0301" * 30) == "\u05e9\u05bc\u05c1" + "\u0301" * 28


def test_an_edit_within_a_line_that_is_cut_goes_with_it():
    text = "e\u0301. \nwe use cookie\u0301s, use cookies \r\nend"
    assert cleaned(text) == ("é.\nend", ["normal_form", "trailing_blanks", "policy_line"])


REFINEDWEB = [
    ("READ MORE HERE", "uppercase_line"),  # 12 of 14 characters
    ("HALF half", None),  # 4 of 9
    ("2024 12 ١٢", "digits_line"),
    ("2024-12", None),
    ("3 likes", "counter_line"),
    ("❤ 1.2K Shares!", "counter_line"),
    ("1 comment", "counter_line"),
    ("3 likes this", None),
    ("3 unlikely", None),
    ("Menu", "one_word_line"),
    ("***", "one_word_line"),
    ("東京", None),
]


@pytest.mark.parametrize(("line", "rule"), REFINEDWEB)
def test_refinedwebs_rules_cut_a_line(line, rule):
    text = f"A line that stays.\n{line}\n"
    if rule is None:
        assert cleaned(text, refinedweb=RefinedWebConfig()) == (text, [])
    else:
        assert cleaned(text, refinedweb=RefinedWebConfig()) == ("A line that stays.\n", [rule])
    assert cleaned(text) == (text, [])
    off = RefinedWebConfig(max_uppercase_share=None, digits=False, counters=False, min_words=0, end_phrases=())
    assert cleaned(text, refinedweb=off) == (text, [])


def test_words_of_refinedwebs_lines_are_counted():
    text = "Four words are here.\n3 likes\nMenu\nwe use cookies\n\n2024 12"
    edits = clean(documents_of(text, ""), CleanConfig(refinedweb=RefinedWebConfig()))
    # 4 + 2 + 1 + 2 words; the line on cookies did not come so far.
    assert edits["num_words_in_lines"].to_pylist() == [9, 0]
    assert edits["num_words_in_refinedweb_lines"].to_pylist() == [5, 0]
    assert clean(documents_of(text), CleanConfig())["num_words_in_lines"].to_pylist() == [0]


PHRASES = [
    ("Sign-in to read the news of today.", "to read the news of today."),
    ("  Sign-in: the news of today.", "  : the news of today."),
    ("Sign-ins were never so many as today.", None),
    ("The news of today. Read more...", "The news of today."),
    ("Read more... The news of today.", None),  # it is looked for at the end
    ("The news of today Read more…", "The news of today"),
    ("Spread more...", None),
    ("Ten ITEMS IN CART (items in cart), go on!", "Ten (), go on!"),
    ("We have nine items in cart", "We have nine"),
    ("sign-in sign-in twice is enough.", "twice is enough."),
    ("See your items items in cart in cart now.", "See your now."),
    ("1 2 3 4 5 6 7 8 9 or items in cart are many.", None),  # 15 words: not short
    ("Ten words are short enough to have items in cart.", "Ten words are short enough to have ."),
    ("東京items in cart東京", "東京東京"),
    ("A mark stays on its blank: items in cart \u0301x", "A mark stays on its blank:  \u0301x"),
]


@pytest.mark.parametrize(("line", "expected"), PHRASES)
def test_refinedwebs_phrases_are_edited_out_of_short_lines(line, expected):
    text = f"A line that stays.\n{line}\nAnother line."
    survivor, rules = cleaned(text, refinedweb=RefinedWebConfig())
    assert survivor == f"A line that stays.\n{line if expected is None else expected}\nAnother line."
    assert set(rules) == (set() if expected is None else {"navigation_phrase"})
    assert cleaned(text) == (text, [])
    off = RefinedWebConfig(start_phrases=(), inner_phrases=(), end_phrases=())
    assert cleaned(text, refinedweb=off) == (text, [])


def test_a_line_of_nothing_but_phrases_goes_with_its_line_feed():
    text = "A line that stays.\nSign-in Read more...\nAnother line."
    assert cleaned(text, refinedweb=RefinedWebConfig())[0] == "A line that stays.\nAnother line."


def test_what_a_phrase_leaves_is_held_to_the_other_rules():
    text = "A line that stays.\n3 items in cart\nuse of items in cart cookies\nMenu Read more...\n"
    survivor, rules = cleaned(text, refinedweb=RefinedWebConfig())
    assert (survivor, rules) == ("A line that stays.\n", ["digits_line", "policy_line", "one_word_line"])


def test_words_of_phrases_count_as_removed():
    text = "Four words are here.\nSign-in to the site.\n3 items in cart"
    edits = clean(documents_of(text, ""), CleanConfig(refinedweb=RefinedWebConfig()))
    # 4 + 5 + 4 words; "Sign" and "in", "items in cart", and then "3".
    assert edits["num_words_in_lines"].to_pylist() == [13, 0]
    assert edits["num_words_in_refinedweb_lines"].to_pylist() == [6, 0]


def test_phrases_are_the_run_files():
    web = RefinedWebConfig(end_phrases=("Weiterlesen", "阅读更多"), max_phrase_line_words=6)
    long = "今天的新聞阅读更多\nDiese Zeile ist zu lang zum weiterlesen"  # every letter of Chinese is a word
    text = f"Neues von heute WEITERLESEN\n今天阅读更多\n{long}"
    assert cleaned(text, refinedweb=web)[0] == f"Neues von heute\n今天\n{long}"
    with pytest.raises(ValidationError):
        RefinedWebConfig.model_validate({"end_phrases": [" more"]})


def test_mojibake_is_repaired_when_asked_for():
    text = "plain Ã© here\nitâ€™s fine\nà la carte. \n\u200bР—РґСЂР°РІСЃС‚РІСѓР№С‚Рµ"
    assert cleaned(text)[1] == ["trailing_blanks", "zero_width"]
    survivor, rules = cleaned(text, mojibake=True)
    assert survivor == "plain é here\nit’s fine\nà la carte.\nЗдравствуйте"
    # The last line was repaired as well; the zero width space within it makes one edit of both.
    assert rules == ["mojibake", "mojibake", "trailing_blanks", "zero_width"]


SAME_UNICODE = pytest.mark.skipif(
    unicodedata.unidata_version != unicode_version(),
    reason="this Python carries another Unicode version than the shipped table",
)
PIECES = st.sampled_from(
    [
        *["a", "B", "é", "e\u0301", "â", "\u0323", "\u0302", "\u0327", "\u0301" * 31, "\u3099", "か"],
        *[" ", "\t", "\u3000", "\xa0", "\n", "\r", "\r\n", "\x85", "\u2028", "\x00", "\ufdd0"],
        *["\u200b", "\u00ad", "\u200c", "\u200d", "ک", "ن", "ह", "\u094d", "\u09c7", "\u09be", "\u0958", "\ufb2c"],
        *["👩", "❤", "\ufe0f", "🔥", "™", "東", "\uac00", "\u11a8", "\u1100", "\u1161", "ﬁ", "２"],
        *["javascript", "use cookies", "\n3 likes\n", "12", "HELLO", "word. ", "x" * 52, "...", "-"],
        *["Sign-in", " items in cart", "items ", "items in cart ", "Read more...", " in cart", "more...", "東sign-in"],
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)
REFINED = {"max_uppercase_share": 0.5, "digits": True, "counters": True, "min_words": 2, "max_phrase_line_words": 10}
REFINED |= {"start_phrases": ["sign-in"], "inner_phrases": ["items in cart"], "end_phrases": ["read more..."]}
SETTINGS = st.fixed_dictionaries(
    {
        "normalization": st.sampled_from(["NFC", "NFKC", "none"]),
        "zero_width": st.booleans(),
        "terminal_punctuation": st.booleans(),
        "min_words": st.sampled_from([0, 3]),
        "max_word_characters": st.sampled_from([5, 40, 1000]),
        "javascript": st.booleans(),
        "policy_phrases": st.booleans(),
        "refinedweb": st.sampled_from([None, REFINED]),
    }
)


@SAME_UNICODE
@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=4), SETTINGS, st.integers(0, 4))
def test_what_survives_is_what_a_slow_reading_leaves_and_bytes_are_conserved(texts, chosen, start):
    documents = documents_of(*texts).slice(min(start, len(texts)))
    config = config_of(chosen)
    edits = clean(documents, config)
    texts = documents["text"].to_pylist()
    survivors = surviving_text(pa.array(texts, pa.large_string()), edits).to_pylist()
    for text, survivor, edit in zip(texts, survivors, edits.to_pylist(), strict=True):
        assert survivor == slow_clean.survivor(text, chosen)[0]
        assert edit["num_bytes"] == len(text.encode())
        assert edit["num_bytes"] + edit["num_added_bytes"] == len(survivor.encode()) + edit["num_cut_bytes"]
    assert edits["id"].to_pylist() == documents["id"].to_pylist()
    again = clean(documents_of(*survivors), config)
    assert again["cut_starts"].to_pylist() == [[]] * len(survivors)  # what is clean stays as it is


def config_of(chosen: dict) -> CleanConfig:
    web = chosen["refinedweb"]
    return CleanConfig(**{**chosen, "refinedweb": web and RefinedWebConfig(**web)})


@SAME_UNICODE
@pytest.mark.parametrize("normalization", ["NFC", "NFKC"])
def test_every_character_is_normalised_as_python_does(normalization):
    # Each that has to do with normal forms, beside a letter that composes with what follows it, and before marks.
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    characters = [c for c in every if unicodedata.decomposition(c) or unicodedata.category(c)[0] == "M"]
    characters += ["\u1100", "\u1161", "\uac00", "\u11a8"]
    texts = [
        "".join(f"e{c}\u0301 {c}\u0323\u0302|" for c in characters[n : n + 4096])
        for n in range(0, len(characters), 4096)
    ]
    documents = documents_of(*texts)
    survivors = surviving_text(documents["text"].chunk(0), clean(documents, CleanConfig(normalization=normalization)))
    for text, survivor in zip(texts, survivors.to_pylist(), strict=True):
        assert survivor == slow_clean.normal_form(text, normalization)


@SAME_UNICODE
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.thorough)])
def test_on_the_pages_of_the_demo_what_survives_is_what_a_slow_reading_leaves(every):
    pages = demo_documents()
    assert pages.num_rows > 1000
    chosen = {"normalization": "NFC", "zero_width": True, "terminal_punctuation": False, "min_words": 0}
    chosen |= {"max_word_characters": 1000, "javascript": True, "policy_phrases": True, "refinedweb": None}
    all_on = {"normalization": "NFKC", "terminal_punctuation": True, "min_words": 3, "refinedweb": REFINED}
    for more, step in (({}, every), (all_on, 10 * every)):  # the slow reading of all rules takes minutes for all pages
        documents = pages.take(list(range(0, pages.num_rows, step)))
        edits = clean(documents, config_of(chosen | more))
        survivors = surviving_text(documents["text"].combine_chunks(), edits).to_pylist()
        for text, survivor, rules in zip(
            documents["text"].to_pylist(), survivors, edits["cut_rules"].to_pylist(), strict=True
        ):
            expected, line_rules = slow_clean.survivor(text, chosen | more)
            assert survivor == expected
            assert [RULES[rule] for rule in rules if RULES[rule] in LINE_RULES] == line_rules


def demo_documents() -> pa.Table:
    """The texts of the demo's crawl, by a whole-page extraction that takes a second."""
    texts = []
    for path in sorted(DEMO.glob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in read_records(stream, path.name, ReaderConfig(), 16 << 20):
                if record.problem is None and record.payload[:1] == b"<":
                    texts.append(extract_plain_text(record.payload.decode("utf-8", "replace")))
    return documents_of(*texts)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        " \n",
        "items in cart ",
        "items ",
        "\u0301\u0323",
        "\u200b\u200c",
        "\u0301\u200b",
        "ک\u200c",
        "\r\x00",
        "\u0958",
        "é",
        "use ",
    ],
)
def test_no_text_takes_more_than_linear_time(piece):
    documents = documents_of(piece * (1 << 19))
    started = time.process_time()
    clean(documents, CleanConfig(normalization="NFKC", refinedweb=RefinedWebConfig()))
    assert time.process_time() - started < 5  # under half a second here; squared it would be hours
