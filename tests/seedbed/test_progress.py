import io
from types import SimpleNamespace

import pytest

from dataprep.tally import Tally
from seedbed import progress
from seedbed.artifact import Report
from seedbed.progress import Progress, Snapshot


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A time that stands still until it is told to go on."""

    class Clock:
        now = 1000.0

        def go_on(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def report(records):
    return Report(tally_in=Tally(records=records))


def test_without_a_terminal_a_line_says_how_far_how_fast_and_how_long(clock):
    out = io.StringIO()
    with Progress(out).task("extract", total=5) as advance:
        clock.go_on(4)
        advance(report(1000))
        clock.go_on(4)
        advance(report(2000))
        assert out.getvalue() == ""  # no more than a line in ten seconds
        clock.go_on(4)
        advance(report(3000))
        # 6,000 records in 12 s; three units in 12 s, so the two that are left take 8 s.
        assert out.getvalue() == "extract: 3 of 5, 500 records/s, about 8 s left\n"
        clock.go_on(4)
        advance(report(1))
        clock.go_on(40)
        advance(report(1))
    assert out.getvalue().count("\n") == 1  # the end has a line of its own


def test_what_was_done_before_counts_for_how_far_and_not_for_how_fast(clock):
    out = io.StringIO()
    with Progress(out).task("extract", total=100, done=90) as advance:
        clock.go_on(20)
        advance(report(100))
    assert out.getvalue() == "extract: 91 of 100, 5 records/s, about 180 s left\n"


def test_a_rate_that_is_given_is_said_as_it_is(clock):
    out = io.StringIO()
    with Progress(out).task("pretrain", total=10) as advance:
        clock.go_on(60)
        advance("loss 3.310, 34 tokens/s")  # the first step holds what it took to start
        clock.go_on(10)
        advance("loss 3.210, 1,234 tokens/s")
    assert out.getvalue() == "pretrain: 2 of 10, loss 3.210, 1,234 tokens/s, about 80 s left\n"


def test_nothing_to_do_says_nothing():
    for out in (io.StringIO(), Terminal()):
        with Progress(out).task("extract", total=0) as advance:
            advance(report(1))
        assert out.getvalue() == ""


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()], ids=["lines", "terminal"])
def test_a_line_is_said_as_it_is(out):
    line = f"see /data/[docs]/x [/end] :smile: and {'seedbed why ' * 20}"
    Progress(out).say(line)
    assert out.getvalue() == line + "\n"


def test_on_a_terminal_a_bar_moves(monkeypatch):
    for name, value in (("TERM", "xterm"), ("COLUMNS", "120")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    said = Progress(out)
    with said.task("deduplicate (bands)", total=4, done=1) as advance:
        advance(report(10))
        advance(report(10))
        said.say("a line above the bar")
    text = out.getvalue()
    assert "deduplicate (bands)" in text
    assert "━" in text
    assert "3/4" in text
    assert "records/s" in text
    assert "a line above the bar" in text
    assert text.endswith("\x1b[2K")  # the bar is gone when the work is done


@pytest.mark.parametrize("out", [io.StringIO, Terminal], ids=["lines", "terminal"])
def test_another_thread_sees_how_far_it_is(clock, out):
    said = Progress(out())
    assert said.snapshot() == Snapshot()
    said.begin("deduplicate")
    assert said.snapshot() == Snapshot(step="deduplicate")
    with said.task("deduplicate", total=10, done=2, phase="bands") as advance:
        assert said.snapshot() == Snapshot("deduplicate", "bands", 2, 10, "units")
        clock.go_on(5)
        advance(report(1000))
        # 1,000 records in 5 s; seven units are left at 5 s each.
        assert said.snapshot() == Snapshot("deduplicate", "bands", 3, 10, "units", 200.0, 35.0)
        clock.go_on(2)
        assert said.snapshot().seconds_left == 33.0
        clock.go_on(60)
        assert said.snapshot().seconds_left == 0.0
    assert said.snapshot() == Snapshot(step="deduplicate")


def test_a_training_has_a_pace_from_its_second_step_on(clock):
    said = Progress(io.StringIO())
    with said.task("pretrain", total=10, unit="steps") as advance:
        clock.go_on(60)
        advance("loss 3.3")  # the first step holds what it took to start
        assert said.snapshot() == Snapshot("pretrain", None, 1, 10, "steps")
        clock.go_on(10)
        advance("loss 3.2")
        assert said.snapshot() == Snapshot("pretrain", None, 2, 10, "steps", None, 80.0)


def test_what_is_said_is_told_to_who_listens():
    lines = []
    Progress(io.StringIO(), lines.append).say("a line")
    assert lines == ["a line"]
