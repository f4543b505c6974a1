from seedbed.dashboard.log_tail import MAX_LINE_CHARACTERS, LogTail
from seedbed.reports import attempt_path
from seedbed.store import Store


def write(store, source, text):
    store.write(f"{attempt_path('r-1', 1)}/logs/{source}/000000.log", text.encode())


def test_viewers_who_came_at_different_times_get_what_they_miss(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\ntwo\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    assert tail.lines() == (2, [("driver", "one"), ("driver", "two")])
    write(store, "driver", "one\ntwo\nthree\n")
    write(store, "rank-00000", "hello\n")
    tail.look()
    [late] = tail.since(2)
    assert (late.number, late.data) == (4, [("driver", "three"), ("rank-00000", "hello")])
    assert tail.since(4) == []
    assert len(tail.since(0)[0].data) == 4


def test_one_source_alone(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\n")
    write(store, "rank-00000", "hello\n")
    tail = LogTail(store, "r-1", 1, "rank-00000")
    tail.look()
    assert tail.lines() == (1, [("rank-00000", "hello")])


def test_a_line_without_an_end_to_it_is_cut(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "x" * 50_000 + "\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    assert len(tail.lines()[1][0][1]) == MAX_LINE_CHARACTERS + 2
