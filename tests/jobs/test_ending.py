import os
import signal

import pytest

from jobs.ending import EndingSignals, told_of_a_job
from seedbed.launch import ENDING_SIGNALS


@pytest.fixture
def signals():
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    made = EndingSignals()
    made.install()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def test_in_data_steps_sigterm_ends_at_once(signals):
    with pytest.raises(SystemExit):
        sigterm()
    assert (signals.exit_code, signals.asked) == (75, None)


def test_in_training_the_first_sigterm_is_a_reason_and_the_second_ends(signals):
    with signals.deferred() as reason:
        assert reason() is None
        sigterm()
        assert reason() == "SIGTERM was received"
        with pytest.raises(SystemExit):
            sigterm()
    assert (signals.exit_code, signals.asked) == (143, None)


def test_who_asks_is_the_reason_and_a_sigterm_behind_it_does_not_hurry(signals):
    with signals.deferred() as reason:
        signals.ask("ana asked to stop")
        signals.ask("ben asked to stop")
        assert (reason(), signals.stop_requested()) == ("ana asked to stop",) * 2
        sigterm()
        assert reason() == "ana asked to stop"
        with pytest.raises(SystemExit):
            sigterm()
    assert signals.asked == "ana asked to stop"


def test_after_a_sigterm_nobody_has_asked(signals):
    with signals.deferred() as reason:
        sigterm()
        signals.ask("ana asked to stop")
        assert (reason(), signals.asked) == ("SIGTERM was received", None)


@pytest.mark.parametrize("was_asked", [False, True])
def test_who_asks_for_now_ends_a_training_as_a_second_sigterm_does(signals, was_asked):
    with signals.deferred():
        if was_asked:
            signals.ask("ana asked to stop")
        with pytest.raises(SystemExit):
            signals.end_now("ana asked to stop at once")
    assert signals.asked == "ana asked to stop at once"


def test_who_asks_for_now_is_not_held_up_by_the_sigterm_that_came_before(signals):
    with signals.deferred() as reason:
        sigterm()
        assert reason() == "SIGTERM was received"
        with pytest.raises(SystemExit):
            signals.end_now("ana asked to stop at once")
    assert (signals.asked, signals.exit_code) == ("ana asked to stop at once", 143)


@pytest.mark.parametrize(
    ("job", "is_asked", "said"),
    [
        (None, True, "stopped at step 49; the same command goes on with step 50"),
        (4, True, "stopped at step 49; `seedbed resume 4` goes on with step 50"),
        (4, False, "stopped at step 49; the next attempt goes on with step 50"),
    ],
)
def test_who_submitted_a_job_is_told_what_goes_on_with_it(job, is_asked, said):
    assert told_of_a_job("stopped at step 49; the same command goes on with step 50", job, is_asked) == said
    lost = told_of_a_job("nothing is lost: run the same command again", 4, is_asked=False)
    assert lost == "nothing is lost: `seedbed retry 4`"
