"""Who is taken to hang, and that no step goes untold."""

import pytest

from jobs.pretrain import spool
from jobs.pretrain.channel import BEGIN, EVENT, RECORD, Message
from jobs.pretrain.listener import Listener, Recorder

pytestmark = pytest.mark.slow  # importing Ray takes seconds


def test_a_rank_that_is_done_rests_while_another_is_still_at_it():
    """One node has its shards, another fetches them for an hour; then both begin to train."""
    now = 0.0
    listener = Listener([None, None], None, lambda: now)
    listener.begins(0)
    listener.begins(1)
    now = 1000.0
    assert listener.idle()[0] == 1000.0
    listener.ends(0)
    listener.begins(1)
    now = 3600.0
    assert listener.idle()[0] == 2600.0
    listener.ends(1)
    assert listener.idle()[0] == 0.0
    listener.begins(0)
    now = 3601.0
    assert listener.idle() == (1.0, {0: "its start", 1: "its start"})


def test_a_step_that_only_the_checkpoint_of_a_lost_rank_knows_is_told_too(make_task):
    told = []
    recorder = Recorder(make_task(), told.append)

    def hear(kind, content):
        recorder.hear(Message(0, kind, content))

    hear(BEGIN, spool.line({"step": 1}))  # which an earlier call took, and told
    hear(EVENT, {"event": "taken_up", "step": 1})
    hear(RECORD, {"step": 2})
    hear(RECORD, {"step": 3})
    # The rank saves step 4 and is lost, before the driver asks again.
    hear(BEGIN, b"".join(spool.line({"step": step}) for step in (1, 2, 3, 4)))
    hear(EVENT, {"event": "taken_up", "step": 4})
    hear(RECORD, {"step": 5})
    assert [record["step"] for record in told if "event" not in record] == [2, 3, 4, 5]
