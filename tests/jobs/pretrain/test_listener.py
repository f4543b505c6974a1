"""Who is taken to hang."""

import pytest

from jobs.pretrain.listener import Listener

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
