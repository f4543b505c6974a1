"""Which steps stayed. The property: whatever is lost and taken again, the run gets each step once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from seedbed.tracking.settle import FAILED, FINISHED, KILLED, RUNNING, Lineage


class Story:
    """Writes a journal as drivers, ranks and checkpoints do, and folds it."""

    def __init__(self):
        self.clock = 1000.0
        self.lines = []
        self.lineage = Lineage()
        self.taken, self.settled, self.attempts = [], [], []

    def tell(self, **line):
        self.clock += 1
        self.lines.append({"time": self.clock, **line})
        step, settled = self.lineage.feed(self.lines[-1])
        if step is not None:
            self.taken.append(step)
        self.settled += settled
        if self.lineage.attempt is not None and self.lineage.attempt not in self.attempts:
            self.attempts.append(self.lineage.attempt)

    def start(self, at=0, run="a-1"):
        self.tell(event="driver_started", run=run, cluster={"training_ranks": 2}, peak_flops_per_second=None)
        self.restart(at)

    def restart(self, at):
        self.tell(event="started", num_ranks=2)
        self.tell(event="taken_up", step=at)

    def steps(self, first, last, **more):
        for number in range(first, last + 1):
            self.tell(step=number, seconds=0.5, loss=float(len(self.lines)), **more)

    @property
    def numbers(self):
        return [step.record["step"] for step in self.settled]


def test_steps_wait_for_a_checkpoint_and_the_rest_for_the_end():
    story = Story()
    story.start()
    story.steps(1, 3)
    assert story.numbers == []
    story.tell(event="checkpoint", step=2)
    assert story.numbers == [1, 2]
    story.tell(event="finished")
    assert story.numbers == [1, 2, 3]
    assert [attempt.status for attempt in story.attempts] == [FINISHED]


def test_of_steps_taken_twice_the_run_gets_those_that_stayed_and_the_attempts_both():
    story = Story()
    story.start()
    story.steps(1, 5)
    story.tell(event="checkpoint", step=3)
    story.tell(event="restart", reason="rank 1 was lost")
    story.restart(at=3)
    story.steps(4, 6)
    story.tell(event="finished")
    assert story.numbers == [1, 2, 3, 4, 5, 6]
    taken = [(step.record["step"], story.attempts.index(step.attempt)) for step in story.taken]
    assert taken == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (4, 1), (5, 1), (6, 1)]
    lost = {step.record["loss"] for step in story.taken[3:5]}
    assert lost.isdisjoint(step.record["loss"] for step in story.settled)
    assert [(a.status, a.reason, a.first_step) for a in story.attempts] == [
        (FAILED, "rank 1 was lost", 0),
        (FINISHED, None, 3),
    ]


def test_a_checkpoint_that_nobody_told_of_settles_when_it_is_taken_up():
    story = Story()
    story.start()
    story.steps(1, 4)
    story.start(at=3)  # the driver was killed
    assert story.numbers == [1, 2, 3]
    assert [attempt.status for attempt in story.attempts] == [KILLED, RUNNING]
    assert story.attempts[0].reason == "its driver was lost"


def test_steps_settled_by_a_checkpoint_that_turned_out_broken_do_not_come_again():
    story = Story()
    story.start()
    story.steps(1, 4)
    story.tell(event="checkpoint", step=2)
    story.tell(event="checkpoint", step=4)
    story.tell(event="restart", reason="node lost")
    story.tell(event="checkpoint_broken", name="step-4")
    story.restart(at=2)
    story.steps(3, 5)
    story.tell(event="finished")
    assert story.numbers == [1, 2, 3, 4, 5]
    assert story.settled[3].record == story.taken[3].record


def test_steps_of_another_machine_come_from_the_checkpoint():
    story = Story()
    story.tell(event="driver_started", run="a-1")
    story.tell(event="started", num_ranks=2)
    for number in (1, 2):
        story.tell(event="restored", record={"step": number, "time": 5.0, "seconds": 1.0})
    story.tell(event="taken_up", step=2)
    story.steps(3, 3)
    story.tell(event="finished")
    assert story.numbers == [1, 2, 3]
    assert [step.goodput is None for step in story.settled] == [True, True, False]


def test_what_a_committed_training_says_fills_what_the_journal_lacks():
    story = Story()
    story.start()
    story.steps(1, 3)
    story.tell(event="checkpoint", step=2)
    records = [step.record for step in story.taken[:2]] + [{"step": n, "time": 1.0, "loss": 0.0} for n in (3, 4)]
    assert [step.record["step"] for step in story.lineage.finish(records)] == [3, 4]
    assert Lineage().finish(records)[0].record == records[0]


def test_goodput_is_the_share_of_the_drivers_time_in_steps_that_stayed():
    story = Story()
    story.start()  # at 1001, 1002, 1003
    story.steps(1, 4)  # 1004 to 1007, half a second each
    story.tell(event="checkpoint", step=2)
    assert story.settled[1].goodput == 2 * 0.5 / (1005 - 1001)
    story.clock += 1000  # nobody was at it
    story.start(at=2)
    story.steps(3, 3)
    story.tell(event="finished")
    first_session, second_session = 1008 - 1001, 3
    assert story.settled[2].goodput == 3 * 0.5 / (first_session + second_session)


def test_the_share_of_clipped_steps_counts_those_that_stayed():
    story = Story()
    story.start()
    story.steps(1, 1, clip_coefficient=1.0)
    story.steps(2, 2, clip_coefficient=0.2)
    story.steps(3, 3)
    story.tell(event="finished")
    assert [step.clipped_share for step in story.settled] == [0.0, 0.5, None]


def test_a_training_that_was_told_to_stop_did_not_fail():
    story = Story()
    story.start()
    story.tell(event="driver_ended", stopped="Stopped: SIGTERM")
    story.start()
    story.tell(event="driver_ended", error="TrainingDiverged: the loss is nan")
    assert [(a.status, a.reason) for a in story.attempts] == [
        (KILLED, "Stopped: SIGTERM"),
        (FAILED, "TrainingDiverged: the loss is nan"),
    ]


def test_attempts_know_whose_they_are():
    story = Story()
    story.start(run="a-1")
    story.start(run="a-2")
    assert [attempt.run for attempt in story.attempts] == ["a-1", "a-2"]
    assert len({attempt.key for attempt in story.attempts}) == 2


moves = st.lists(st.sampled_from(["step", "step", "step", "checkpoint", "restart", "driver", "broken"]), max_size=60)


@given(moves)
def test_the_run_gets_each_step_once_in_order_whatever_happens(moves):
    story = Story()
    checkpoints, at, settled_before_break = [0], 0, False
    story.start()
    for move in moves:
        if move == "step":
            at += 1
            story.steps(at, at)
        elif move == "checkpoint":
            if checkpoints[-1] != at:
                checkpoints.append(at)
            story.tell(event="checkpoint", step=at)
        else:
            if move == "broken" and len(checkpoints) > 1:
                settled_before_break = True
                checkpoints.pop()
            at = checkpoints[-1]
            story.start(at) if move == "driver" else story.restart(at)
    story.tell(event="finished")
    assert story.numbers == sorted(set(story.numbers))
    assert set(range(1, at + 1)) <= set(story.numbers)
    if not settled_before_break:
        assert story.numbers == list(range(1, at + 1))
        last = {step.record["step"]: step.record for step in story.taken}
        assert [step.record for step in story.settled] == [last[number] for number in story.numbers]


@given(moves, st.integers(0, 60))
def test_the_same_lines_give_the_same_steps_wherever_reading_stopped(moves, cut):
    story, at = Story(), 0
    story.start()
    for move in moves:
        at = at + 1 if move == "step" else at
        story.steps(at, at) if move == "step" else story.tell(event="checkpoint", step=at)
    again = Lineage()
    settled = [step for line in story.lines[:cut] for step in again.feed(line)[1]]
    mark = again.settled_step
    anew = Lineage()
    later = [step for line in story.lines for step in anew.feed(line)[1] if step.record["step"] > mark]
    assert [s.record["step"] for s in settled + later] == story.numbers
    assert [s.goodput for s in settled + later] == [s.goodput for s in story.settled]
