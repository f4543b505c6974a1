import time

from seedbed.dashboard.log_tail import MAX_LINE_CHARACTERS, MAX_LINES, MAX_NEW_BYTES, LogTail
from seedbed.reports import attempt_path
from seedbed.store import Store


def write(store, source, text):
    store.write(f"{attempt_path('r-1', 1)}/logs/{source}/000000.log", text.encode())


def test_viewers_who_came_at_different_times_get_what_they_miss(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\ntwo\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    last, lines = tail.lines()
    assert lines == [("driver", "one"), ("driver", "two")]
    write(store, "driver", "one\ntwo\nthree\n")
    write(store, "rank-00000", "hello\n")
    tail.look()
    [late] = tail.since(last)
    assert late.number == last + 2
    assert late.data == {"lines": [("driver", "three"), ("rank-00000", "hello")], "is_all": False}
    assert tail.since(last + 2) == []


def test_who_comes_back_after_a_new_start_of_the_server_is_told_all_anew(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\ntwo\n")
    before = LogTail(store, "r-1", 1, None)
    before.look()
    seen, _ = before.lines()
    time.sleep(0.01)
    after = LogTail(store, "r-1", 1, None)
    after.look()
    [told] = after.since(seen)
    assert told.data == {"lines": [("driver", "one"), ("driver", "two")], "is_all": True}


def test_who_has_seen_more_than_a_new_tail_counts_is_told_all_anew(tmp_path):
    """Lines that came faster than one a millisecond have carried the tail before ahead of the clock."""
    store = Store(str(tmp_path))
    write(store, "driver", "one\ntwo\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    [told] = tail.since(tail.number + 100_000)
    assert told.data == {"lines": [("driver", "one"), ("driver", "two")], "is_all": True}
    assert tail.since(told.number) == []


def test_one_source_alone(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\n")
    write(store, "rank-00000", "hello\n")
    tail = LogTail(store, "r-1", 1, "rank-00000")
    tail.look()
    assert tail.lines()[1] == [("rank-00000", "hello")]


def test_a_line_without_an_end_to_it_is_cut(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "x" * 50_000 + "\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    assert len(tail.lines()[1][0][1]) == MAX_LINE_CHARACTERS + 2


def test_a_tail_that_nobody_has_watched_shows_the_end_when_it_is_looked_at_again(tmp_path):
    store = Store(str(tmp_path))
    write(store, "driver", "one\n")
    tail = LogTail(store, "r-1", 1, None)
    tail.look()
    seen, _ = tail.lines()
    long = [f"line {n} {'x' * 90}\n" for n in range(3 * MAX_NEW_BYTES // 100)]
    for number, part in enumerate((["one\n", *long[:20_000]], long[20_000:])):
        store.write(f"{attempt_path('r-1', 1)}/logs/driver/{number:06d}.log", "".join(part).encode())
    tail.look()
    last, lines = tail.lines()
    assert lines[-1] == ("driver", long[-1].rstrip("\n"))
    assert len(lines) <= MAX_LINES
    [told] = tail.since(seen)  # who has seen the first line is told the end, in place of it
    assert told.data["is_all"]
    assert told.data["lines"] == lines
    assert tail.since(last) == []
