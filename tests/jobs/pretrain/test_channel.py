import threading

from jobs.pretrain import spool
from jobs.pretrain.channel import BEGIN, EVENT, RECORD, Channel


def kinds(heard):
    return [message.kind for message in heard.messages]


def test_what_was_not_confirmed_is_told_again():
    channel = Channel()
    channel.record({"step": 1})
    channel.record({"step": 2})
    assert [m.content["step"] for m in channel.exchange(0, None).messages] == [1, 2]
    assert [m.content["step"] for m in channel.exchange(0, None).messages] == [1, 2]  # the answer got lost
    assert [m.content["step"] for m in channel.exchange(1, None).messages] == [2]
    assert channel.exchange(2, None).messages == []


def test_a_checkpoint_carries_the_metrics_of_the_one_before_and_of_the_steps_since():
    channel = Channel()
    channel.begin(b'{"step":3}\n')
    channel.record({"step": 4})
    channel.event({"event": "something"})
    assert channel.metrics() == b'{"step":3}\n' + spool.line({"step": 4})
    heard = channel.exchange(0, None)
    assert kinds(heard) == [BEGIN, RECORD, EVENT]
    assert heard.messages[0].content == b'{"step":3}\n'
    assert heard.messages[2].content["time"] > 0


def test_who_waits_goes_on_when_all_that_was_said_is_confirmed():
    channel, went_on = Channel(heard_within_s=60), threading.Event()
    channel.begin(b"")
    channel.event({"event": "taken_up"})
    thread = threading.Thread(target=lambda: (channel.wait_until_heard(), went_on.set()))
    thread.start()
    assert len(channel.exchange(0, None).messages) == 2
    channel.exchange(1, None)
    assert not went_on.wait(0.2)
    channel.exchange(2, None)
    thread.join(timeout=10)
    assert went_on.is_set()


def test_who_waits_for_a_driver_that_does_not_ask_goes_on_in_the_end():
    channel = Channel(heard_within_s=0.05)
    channel.event({"event": "taken_up"})
    channel.wait_until_heard()
    assert len(channel.exchange(0, None).messages) == 1


def test_every_sign_of_life_counts():
    channel = Channel()
    before = channel.exchange(0, None).progress
    channel.progress("step 7")
    heard = channel.exchange(0, None)
    assert (heard.progress > before, heard.doing) == (True, "step 7")
    channel.record({"step": 7})
    assert channel.exchange(0, None).progress > heard.progress
    assert channel.exchange(0, None).progress == channel.exchange(0, None).progress


def test_the_first_reason_to_stop_stays():
    channel = Channel()
    assert channel.stop_requested() is None
    channel.exchange(0, "the budget is used up")
    channel.exchange(0, None)
    channel.exchange(0, "SIGTERM was received")
    assert channel.stop_requested() == "the budget is used up"


def test_what_is_said_while_somebody_asks_is_told_once():
    channel, heard, confirmed = Channel(), [], 0
    speaker = threading.Thread(target=lambda: [channel.record({"step": step}) for step in range(2000)])
    speaker.start()
    while len(heard) < 2000:
        for message in channel.exchange(confirmed, None).messages:
            heard.append(message.content["step"])
            confirmed = message.number
    speaker.join()
    assert heard == list(range(2000))
