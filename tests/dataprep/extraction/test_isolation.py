import signal

import pytest

from dataprep.extraction import isolation
from dataprep.extraction.answers import AnswerReader, pack_answers
from dataprep.extraction.isolation import IsolatedExtractor
from dataprep.extraction.page import ExtractConfig, Extracted
from dataprep.reading.record import Problem

# Nesting that the limits would refuse, and that takes the extractor minutes.
HANGS = (b"<div>" * 300_000 + b"x", "text/html", None)
HASTY = ExtractConfig(timeout_s=1.0, max_nesting=10_000_000)


def page(text: str) -> isolation.Page:
    return f"<p>{text}</p>".encode(), "text/html", None


def texts(answers: list[Extracted]) -> list[str]:
    return [answer.text for answer in answers]


@pytest.fixture(autouse=True)
def no_child_is_left():
    yield
    isolation.end_idle_children()


def test_answers_stand_in_the_order_of_the_pages():
    pages = [page("ærlig"), (b"\xd6l", "text/plain", "latin1"), page("zwei"), (b"\n \n", "text/plain", None)]
    with IsolatedExtractor(ExtractConfig()) as extractor:
        first, second, third, fourth = extractor.extract(pages)
    assert (first.text, third.text, second.charset) == ("ærlig", "zwei", "cp1252")
    assert fourth.problem == Problem("empty_page", 0)


def test_a_page_that_hangs_takes_neither_its_neighbours_nor_what_follows():
    with IsolatedExtractor(HASTY) as extractor:
        before, hung, after = extractor.extract([page("before"), HANGS, page("after")])
        assert hung.problem == Problem("extraction_timeout", detail="it took more than 1 s of processor time")
        assert (before.text, after.text) == ("before", "after")
        assert texts(extractor.extract([page("later")])) == ["later"]


def test_a_page_that_fails_is_tried_again_alone_in_a_fresh_process(monkeypatch):
    asked = []
    real = isolation._Child.ask

    def ask(child, pages):
        asked.append((child._process.pid, len(pages)))
        if len(asked) == 1:
            answers = real(child, pages)
            return [answers[0], Extracted(problem=Problem("extraction_failed", detail="out of memory")), answers[2]]
        return real(child, pages)

    monkeypatch.setattr(isolation._Child, "ask", ask)
    with IsolatedExtractor(ExtractConfig()) as extractor:
        assert texts(extractor.extract([page("one"), page("two"), page("three")])) == ["one", "two", "three"]
    (first, three), (second, one) = asked
    assert (three, one) == (3, 1)
    assert first != second


def test_a_killed_child_is_replaced_and_its_pages_tried_again():
    with IsolatedExtractor(ExtractConfig()) as extractor:
        extractor.extract([page("one")])
        extractor._child._process.kill()
        assert texts(extractor.extract([page("two"), page("three")])) == ["two", "three"]


def test_a_child_that_stands_still_is_given_up(monkeypatch):
    monkeypatch.setattr(isolation, "PATIENCE", 0.2)
    with IsolatedExtractor(HASTY) as extractor:
        extractor.extract([page("one")])
        extractor._child._process.send_signal(signal.SIGSTOP)  # uses no processor time
        assert texts(extractor.extract([page("two")])) == ["two"]


def test_the_next_shard_takes_over_the_child_unless_it_died():
    def pid_of_one_shard() -> int:
        with IsolatedExtractor(ExtractConfig()) as extractor:
            extractor.extract([page("one")])
            return extractor._child._process.pid

    first = pid_of_one_shard()
    assert pid_of_one_shard() == first
    (waiting,) = isolation._idle.values()
    waiting._process.kill()
    waiting._process.wait()
    assert pid_of_one_shard() != first


def test_a_message_is_put_together_from_any_pieces():
    answers = [Extracted("a\n é", "utf-8"), Extracted(problem=Problem("empty_page", 0)), Extracted("", "cp932")]
    message = pack_answers(answers)
    reader = AnswerReader()
    pieces = [reader.feed(message[i : i + 1]) for i in range(len(message))]
    assert pieces[-1] == answers
    assert set(pieces[:-1]) == {None}
    assert AnswerReader().feed(message) == answers


@pytest.mark.parametrize(
    "rubbish",
    [
        b"no json\n",
        b"7\n",
        b'[{"num_bytes": 1, "charset": null}]\nx',
        b'[{"num_bytes": -1, "charset": null, "problem": null}, {"num_bytes": 1, "charset": null, "problem": null}]\n',
        b'[{"num_bytes": 1, "charset": null, "problem": null}]\n\xff',
        b"[]\nmore",
    ],
)
def test_rubbish_is_no_answer(rubbish):
    with pytest.raises((ValueError, TypeError, KeyError)):
        AnswerReader().feed(rubbish)
