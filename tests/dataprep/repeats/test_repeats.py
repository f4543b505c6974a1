"""All phases of `repeats` in a row, against a plain reading of the same texts."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.repeats.config import RecurringTextConfig, RepeatsConfig, SubstringsConfig
from dataprep.repeats.cuts import bytes_by_reason
from tests.dataprep.repeats.conftest import ids_of, in_turn, pieces_of, taken_out, words_that_go


def of_words(window, **more):
    return RepeatsConfig(substrings=SubstringsConfig(min_words=window), min_words_left=1, **more)


def words_gone(texts, decided):
    """Of texts whose words have one letter and stand a space apart."""
    gone = [set() for _ in texts]
    for number, packed in enumerate(ids_of(len(texts)).to_pylist()):
        for row in decided.repeats.to_pylist():
            if row["document"] == packed:
                gone[number] |= {n for n in range(len(texts[number].split())) if row["start"] <= 2 * n < row["end"]}
    return gone


TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=40).map(" ".join), min_size=1, max_size=8)


@settings(deadline=None)
@given(TEXTS, st.integers(2, 9), st.integers(1, 3))
def test_a_run_of_words_goes_wherever_it_stood_before(texts, window, num_shards):
    assert words_gone(texts, taken_out(texts, of_words(window), num_shards)) == words_that_go(texts, window)


def test_long_runs_in_long_texts_go_like_short_ones():
    rng = random.Random(7)
    words = [f"word{n}" for n in range(5000)]
    passages = [rng.choices(words, k=size) for size in (50, 51, 80, 300)]
    texts = []
    for _ in range(40):
        parts = [rng.choices(words, k=rng.randint(0, 60)) for _ in range(4)]
        parts.insert(2, rng.choice(passages))
        texts.append(" ".join(word for part in parts for word in part))
    decided = taken_out(texts, of_words(50), 3)
    gone = [set() for _ in texts]
    for number, pieces in enumerate(pieces_of(decided, texts)):
        at = 0
        said = texts[number].split()
        for piece in pieces:
            wanted = piece.split()
            at = next(n for n in range(at, len(said)) if said[n : n + len(wanted)] == wanted)
            gone[number] |= set(range(at, at + len(wanted)))
            at += len(wanted)
    assert gone == words_that_go(texts, 50)
    assert sum(bool(words) for words in gone) >= 30


def test_what_goes_is_the_same_in_any_number_of_shards():
    rng = random.Random(8)
    texts = ["\n".join(" ".join(rng.choices("ab", k=4)) for _ in range(6)) for _ in range(12)]
    line = RecurringTextConfig(min_words=2, max_documents=2)
    config = of_words(7, lines=line, paragraphs=line)
    first = taken_out(texts, config)
    assert first.repeats.num_rows > 20
    for num_shards in (2, 5, 12):
        again = taken_out(texts, config, num_shards)
        assert (again.verdicts, again.cuts, again.repeats) == (first.verdicts, first.cuts, first.repeats)


def test_a_run_that_comes_again_within_one_text_goes_there():
    run = "a b c d e"
    decided = taken_out([f"x {run} y {run} z"], of_words(5))
    assert pieces_of(decided, [f"x {run} y {run} z"]) == [[run]]
    assert decided.cuts.to_pylist()[0]["starts"] == [14]  # after "x a b c d e y "


def test_of_one_word_over_and_over_a_single_one_stays():
    decided = taken_out(["ha " * 30], of_words(5))
    assert pieces_of(decided, ["ha " * 30]) == [[("ha " * 29).strip()]]


def test_case_and_marks_make_no_difference():
    texts = ["He said: one, two, three four! And left the house.", "It goes ONE two (three FOUR). So there."]
    decided = taken_out(texts, of_words(4))
    (loser,) = (n for n in (0, 1) if in_turn(texts)[0] != n)
    assert pieces_of(decided, texts)[loser] == [("one, two, three four!", "ONE two (three FOUR).")[loser]]


LINES = ["the way of this line is long enough to go", "another line with words that nobody else has said"]


def test_a_line_in_too_many_documents_stays_in_the_first_of_them():
    texts = [f"Page {n} begins.\n{LINES[0].upper() if n % 2 else LINES[0]}.\nPage {n} ends." for n in range(4)]
    config = RepeatsConfig(lines=RecurringTextConfig(max_documents=3), min_words_left=1)
    gone = [[] if n == in_turn(texts)[0] else [f"{texts[n].splitlines()[1]}\n"] for n in range(4)]
    assert pieces_of(taken_out(texts, config), texts) == gone
    assert pieces_of(taken_out(texts[:3], config), texts[:3]) == [[], [], []]  # in 3 documents


def test_a_line_that_is_to_stay_nowhere_goes_from_the_first_too():
    texts = [f"Page {n} begins.\n{LINES[0]}\n{LINES[0]}" for n in range(2)]
    config = RepeatsConfig(lines=RecurringTextConfig(keep="none"), min_words_left=1)
    assert pieces_of(taken_out(texts, config), texts) == [[f"{LINES[0]}\n{LINES[0]}"]] * 2


def test_documents_count_and_not_how_often_one_says_a_line():
    texts = [f"{LINES[0]}\n{LINES[0]}\n{LINES[0]}", LINES[1]]
    config = RepeatsConfig(lines=RecurringTextConfig(), min_words_left=1)
    assert pieces_of(taken_out(texts, config), texts) == [[], []]


def test_short_lines_stay():
    texts = ["one two three\nfour five six seven"] * 2
    config = RepeatsConfig(lines=RecurringTextConfig(min_words=4, keep="none"), min_words_left=1)
    assert pieces_of(taken_out(texts, config), texts) == [["four five six seven"]] * 2


def test_a_paragraph_goes_as_a_whole_or_stays():
    texts = [f"Page {n}\n\n{LINES[0]}\n{LINES[1]}\n\n{LINES[0]}\nand page {n}" for n in range(2)]
    config = RepeatsConfig(paragraphs=RecurringTextConfig(keep="none"), min_words_left=1)
    assert pieces_of(taken_out(texts, config), texts) == [[f"{LINES[0]}\n{LINES[1]}\n"]] * 2


def test_a_byte_that_goes_for_several_reasons_is_counted_for_the_first():
    texts = [f"Page {n} begins.\n{LINES[0]}\nagain and again\n\nPage {n} ends." for n in range(2)]
    line, paragraph = RecurringTextConfig(keep="none"), RecurringTextConfig(min_words=1, keep="none")
    decided = taken_out(texts, RepeatsConfig(lines=line, paragraphs=paragraph, min_words_left=1, substrings=None))
    assert bytes_by_reason(decided) == {
        "repeated_line": 2 * (len(LINES[0]) + 1),
        "repeated_paragraph": 0,
        "repeated_substring": 0,
    }
    both = taken_out(texts, RepeatsConfig(lines=line, substrings=SubstringsConfig(min_words=10), min_words_left=1))
    # The second page loses the line as one, and what follows it as a run: its 10 words begin in the line.
    assert bytes_by_reason(both)["repeated_line"] == 2 * (len(LINES[0]) + 1)
    assert bytes_by_reason(both)["repeated_substring"] > 0
    sizes = [row["ends"][0] - row["starts"][0] for row in both.cuts.to_pylist()]
    assert sum(sizes) == sum(bytes_by_reason(both).values())


def test_a_document_with_too_little_left_goes_and_its_cuts_do_not_count():
    texts = ["a b c d e f and this is how the longer page goes on", "a b c d e f and more"]
    config = RepeatsConfig(substrings=SubstringsConfig(min_words=6), min_words_left=2)
    decided = taken_out(texts, config)
    assert pieces_of(decided, texts) == [[], ["a b c d e f and"]]
    kept, dropped = decided.verdicts.to_pylist()
    assert (kept["reason"], kept["num_bytes"]) == (None, 51)
    assert (dropped["reason"], dropped["value"], dropped["threshold"]) == ("too_little_without_repeats", 1, 2)
    assert decided.cuts.num_rows == 0 and sum(bytes_by_reason(decided).values()) == 0
    longer = taken_out(texts, config.model_copy(update={"min_words_left": 1}))
    assert longer.verdicts["num_bytes"].to_pylist() == [51, 5]  # " more"
    assert bytes_by_reason(longer)["repeated_substring"] == 15


def test_what_is_held_out_stays_and_training_loses_it():
    run = "a b c d e f"
    texts = [f"{run} on a page with many more words than any other has", "nothing of it", run]
    assert in_turn(texts) == [2, 0, 1]  # the third id is held out
    assert pieces_of(taken_out(texts, of_words(6)), texts) == [[run], [], []]


def test_a_page_that_loses_nothing_may_be_as_short_as_it_is():
    decided = taken_out(["one", "two"], RepeatsConfig(lines=RecurringTextConfig(), min_words_left=9))
    assert decided.verdicts["reason"].to_pylist() == [None, None]
