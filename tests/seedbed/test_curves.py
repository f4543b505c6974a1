import pytest

from seedbed.curves import Curves


def feed(curves, attempt, *steps, loss=lambda step: 10.0 - step):
    for step in steps:
        curves.feed(attempt, {"step": step, "time": 0.0, "loss": loss(step)})


def taken_up(curves, attempt, step):
    curves.feed(attempt, {"event": "taken_up", "time": 5.0, "step": step})


def points(curves, name="loss"):
    return [(point.step, point.value) for point in curves.series(name)]


def test_a_step_is_a_point_while_there_are_few():
    curves = Curves()
    taken_up(curves, 1, 0)
    feed(curves, 1, 1, 2, 3)
    assert points(curves) == [(1, 9.0), (2, 8.0), (3, 7.0)]
    assert curves.names() == ["loss"]
    assert (curves.step, curves.last["loss"]) == (3, 7.0)


def test_thinned_to_so_many_points_with_no_spike_left_out():
    curves = Curves(max_points=4)
    taken_up(curves, 1, 0)
    feed(curves, 1, *range(1, 9), loss=lambda step: 100.0 if step == 6 else 1.0)
    assert curves.stride == 2
    # Steps 5 and 6: (1 + 100) / 2
    assert points(curves) == [(2, 1.0), (4, 1.0), (6, 50.5), (8, 1.0)]
    [spike] = [point for point in curves.series("loss") if point.high > 1]
    assert (spike.low, spike.high) == (1.0, 100.0)
    feed(curves, 1, 9)
    assert curves.stride == 4
    assert [step for step, _ in points(curves)] == [4, 8, 9]


def test_what_a_restart_takes_again_replaces_what_was_lost():
    curves = Curves()
    taken_up(curves, 1, 0)
    feed(curves, 1, 1, 2, 3, 4)
    taken_up(curves, 2, 2)
    assert points(curves) == [(1, 9.0), (2, 8.0)]
    feed(curves, 2, 3, loss=lambda step: 0.5)
    assert points(curves) == [(1, 9.0), (2, 8.0), (3, 0.5)]
    assert [(mark.event, mark.attempt, mark.step) for mark in curves.marks] == [("taken_up", 1, 0), ("taken_up", 2, 2)]


def test_late_words_of_an_earlier_attempt_change_nothing_that_was_taken_again():
    curves = Curves()
    taken_up(curves, 2, 2)
    feed(curves, 2, 3, loss=lambda step: 0.5)
    feed(curves, 1, 1, 2, 3, 4)
    assert points(curves) == [(1, 9.0), (2, 8.0), (3, 0.5)]


def test_steps_that_only_a_checkpoint_remembers_are_filled_in():
    curves = Curves()
    feed(curves, 1, 1)
    for step in (1, 2):
        curves.feed(2, {"event": "restored", "record": {"step": step, "loss": 77.0}})
    assert points(curves) == [(1, 9.0), (2, 77.0)]


def test_what_is_no_number_is_no_curve():
    curves = Curves()
    curves.feed(1, {"step": 1, "loss": float("nan"), "samples": [0, 8], "applied": True, "gradient_norm": None, "a": 1})
    assert curves.names() == ["a"]
    curves.feed_line(1, b'{"step": 2, "lo')
    curves.feed_line(1, b"[1]")
    assert curves.step == 1


@pytest.mark.parametrize("number", [3000, 100_000])
def test_memory_is_bounded(number):
    curves = Curves(max_points=100)
    feed(curves, 1, *range(1, number + 1))
    assert 50 <= len(curves.series("loss")) <= 100
    assert sum(point.low == 10.0 - number for point in curves.series("loss")) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"time": 1.0, "loss": 3.0}',
        b'{"step": "two", "loss": 3.0}',
        b'{"step": null, "loss": 3.0}',
        b'{"event": "restored"}',
        b'{"event": "restored", "record": {"loss": 3.0}}',
        b'{"event": "taken_up", "time": 1.0}',
        b'{"event": ["a"]}',
        b'{"step": 2, "lo',
        b"[2]",
    ],
)
def test_a_damaged_line_is_left_out_and_counted(line):
    curves = Curves()
    curves.feed_line(1, b'{"step": 1, "time": 0.0, "loss": 9.0}')
    curves.feed_line(1, line)
    curves.feed_line(1, b'{"step": 3, "time": 0.0, "loss": 7.0}')
    curves.feed_line(1, b'{"event": "finished", "time": 1.0}')
    assert points(curves) == [(1, 9.0), (3, 7.0)]
    assert curves.num_damaged == 1
