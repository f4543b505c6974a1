"""Which steps of a training stayed: the journal, folded line by line. It decides and touches nothing.

A step is *settled* when a checkpoint covers it or the training has ended: no restart takes it again. The attempts of a
run in MLflow get every step that they took; the run itself gets settled steps, in ascending order, each once. Where a
checkpoint turns out broken and steps are taken again that were settled, the first ones stay in the run, as MLflow
cannot take values back, and the attempts show both.
"""

from dataclasses import dataclass, field
from typing import Any

RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"  # as MLflow calls them


@dataclass
class Attempt:
    """One start of the group of ranks, until it ended or was lost."""

    run: str | None  # the run whose driver started it
    key: str  # when it started, in milliseconds: its name for ever
    started_at: float  # seconds since 1970
    num_ranks: int | None
    cluster: dict[str, Any]  # `cluster` of the run file
    peak_flops_per_second: float | None  # of one device; None where it is unknown
    first_step: int | None = None  # of the checkpoint taken up; None before
    status: str = RUNNING
    ended_at: float | None = None
    reason: str | None = None  # why it ended, where that was no success


@dataclass(frozen=True)
class Step:
    """One optimizer step. `wall_s`: what drivers of this state directory had spent when it ended."""

    record: dict[str, Any]
    attempt: Attempt | None = None  # None of a step that was taken on another machine
    wall_s: float | None = None
    goodput: float | None = None  # known of settled steps only, as is what follows
    clipped_share: float | None = None


@dataclass
class Lineage:
    """What the lines so far add up to. `feed` each line in order; the same lines give the same steps."""

    settled_step: int = 0
    attempt: Attempt | None = None
    _driver: dict[str, Any] = field(default_factory=dict)  # the line of the driver that is at it
    _pending: dict[int, Step] = field(default_factory=dict)
    _past_sessions_s: float = 0.0
    _session: tuple[float, float] | None = None  # first and last time of the driver that is at it
    _kept_s: float = 0.0
    _num_with_coefficient: int = 0
    _num_clipped: int = 0

    def feed(self, line: dict[str, Any]) -> tuple[Step | None, list[Step]]:
        """The step that the line tells of, if it does, and the steps that it settles, ascending."""
        event = line.get("event")
        if event is None:
            return self._take(line)
        if event == "restored":
            record = line["record"]
            if record["step"] > self.settled_step:
                self._pending[record["step"]] = Step(record)
            return None, []
        if event == "driver_started":
            self._begin_session(line)
        self._tick(line.get("time"))
        if event == "driver_ended":
            failed = line.get("error") is not None
            self._end_attempt(FAILED if failed else KILLED, line.get("error") or line.get("stopped"), line["time"])
        elif event == "started":
            self._end_attempt(KILLED, "another start took the run over", line["time"])
            self.attempt = self._attempt(line)
        elif event == "restart":
            self._end_attempt(FAILED, str(line.get("reason")), line["time"])
        elif event == "taken_up":
            return None, self._take_up(line["step"])
        elif event == "checkpoint":
            return None, self._settle(line["step"])
        elif event == "finished":
            self._end_attempt(FINISHED, None, line["time"])
            return None, self._settle(None)
        return None, []

    def finish(self, records: list[dict[str, Any]]) -> list[Step]:
        """The training has ended with these records, one for each step: those that were not settled yet."""
        for record in records:
            known = self._pending.get(record["step"])
            if known is None or known.record != record:
                self.feed({"event": "restored", "record": record})
        return self._settle(None)

    def _take(self, record: dict[str, Any]) -> tuple[Step, list[Step]]:
        self._tick(record["time"])
        wall_s = self._past_sessions_s + record["time"] - self._session[0] if self._session else None
        step = Step(record, self.attempt, wall_s)
        self._pending[record["step"]] = step
        return step, []

    def _take_up(self, at: int) -> list[Step]:
        if self.attempt is not None:
            self.attempt.first_step = at
        self._pending = {number: step for number, step in self._pending.items() if number <= at}
        return self._settle(at)

    def _settle(self, until: int | None) -> list[Step]:
        numbers = sorted(number for number in self._pending if until is None or number <= until)
        steps = [self._pending.pop(number) for number in numbers]
        return [self._counted(step) for step in steps if step.record["step"] > self.settled_step]

    def _counted(self, step: Step) -> Step:
        self.settled_step = step.record["step"]
        coefficient = step.record.get("clip_coefficient")
        if coefficient is not None:
            self._num_with_coefficient += 1
            self._num_clipped += coefficient < 1
        goodput = None
        if step.wall_s:
            self._kept_s += step.record.get("seconds", 0.0)
            goodput = min(self._kept_s / step.wall_s, 1.0)
        share = self._num_clipped / self._num_with_coefficient if coefficient is not None else None
        return Step(step.record, step.attempt, step.wall_s, goodput, share)

    def _begin_session(self, line: dict[str, Any]) -> None:
        """The pause before it was no driver's time."""
        if self._session is not None:
            self._end_attempt(KILLED, "its driver was lost", self._session[1])
            self._past_sessions_s += self._session[1] - self._session[0]
        self._driver = line
        self._session = (line["time"], line["time"])

    def _attempt(self, started: dict[str, Any]) -> Attempt:
        return Attempt(
            run=self._driver.get("run"),
            key=f"{started['time'] * 1000:.0f}",
            started_at=started["time"],
            num_ranks=started.get("num_ranks"),
            cluster=self._driver.get("cluster", {}),
            peak_flops_per_second=self._driver.get("peak_flops_per_second"),
        )

    def _tick(self, at: float | None) -> None:
        if self._session is not None and at is not None:
            self._session = (self._session[0], max(self._session[1], at))

    def _end_attempt(self, status: str, reason: str | None, at: float) -> None:
        if self.attempt is not None and self.attempt.status == RUNNING:
            self.attempt.status, self.attempt.reason, self.attempt.ended_at = status, reason, at
