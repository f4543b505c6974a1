"""Units on Ray: the only file of the data steps that knows it.

Ray schedules; what is done and what is not is decided by the reports in the store. A worker or node that is lost, or a
store that is out of reach, is tried again with growing pauses and then fails the run: it never costs data.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dataprep.errors import SeedbedError
from jobs.ending import Stopped, StopRequested
from jobs.unit import UnitTask, execute
from jobs.whereabouts import Nodes
from seedbed.artifact import Report
from seedbed.errors import GOES_ON, RUN_AGAIN, InfrastructureError
from seedbed.failures import FailureClass, classify

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

OnDone = Callable[[UnitTask, Report], None]


class Executor(Protocol):
    """Does units; calls `on_done` after each, in whatever order they end.

    Once `stop_requested` gives a reason, it ends those under way, begins no more, and raises Stopped.
    """

    def run(self, tasks: Iterable[UnitTask], on_done: OnDone, stop_requested: StopRequested = lambda: None) -> None: ...


class InlineExecutor:
    """In this process, one after another: for tests and for looking at a step in a debugger."""

    def run(self, tasks: Iterable[UnitTask], on_done: OnDone, stop_requested: StopRequested = lambda: None) -> None:
        for task in tasks:
            check_stop(stop_requested)
            on_done(task, execute(task))


def check_stop(stop_requested: StopRequested) -> None:
    """Raises Stopped where there is a reason to, between two units."""
    reason = stop_requested()
    if reason is not None:
        raise Stopped(f"{reason}: it has stopped between two units; {GOES_ON} from there")


@dataclass(eq=False)  # one try is like no other: comparing their tasks would cost more than doing them
class _Try:
    task: UnitTask
    number: int
    not_before: float = 0.0
    started: float = 0.0
    node: str | None = None  # where it was sent, on a cluster of several


class RayExecutor:
    """On the Ray that this process is connected to, `workers` units at once."""

    def __init__(self, workers: int, max_retries: int, timeout_s: float | None = None) -> None:
        import ray

        self._ray = ray
        # Ray's own retries are off: here the pauses between tries grow, and their number is the run file's.
        self._remote = ray.remote(num_cpus=1, max_retries=0)(execute)
        self._workers = workers
        self._max_retries = max_retries
        self._timeout_s = timeout_s
        self._nodes = Nodes()
        self._common: dict[str, Any] = {}
        self._in_store: Any = None  # a reference to it
        self.units_on: tuple[str | None, ...] = ()  # the node of each unit under way; another thread may read it

    def run(self, tasks: Iterable[UnitTask], on_done: OnDone, stop_requested: StopRequested = lambda: None) -> None:
        fresh = deque(_Try(task, 0) for task in tasks)
        again: list[_Try] = []  # few: those that wait for their pause to end
        running: dict = {}
        try:
            while fresh or again or running:
                if stop_requested() is None:
                    self._start(fresh, again, running)
                    self.units_on = tuple(attempt.node for attempt in running.values())
                elif not running:
                    check_stop(stop_requested)
                if not running:
                    time.sleep(0.05)
                    continue
                done, _ = self._ray.wait(list(running), num_returns=1, timeout=0.2)
                for reference in done:
                    retry = self._finish(reference, running.pop(reference), on_done)
                    if retry is not None:
                        again.append(retry)
                again += self._give_up_the_lost(running)
                self._end_overdue(running)
        finally:
            self.units_on = ()
            for reference in running:
                self._ray.cancel(reference, force=True)

    def _start(self, fresh: deque[_Try], again: list[_Try], running: dict) -> None:
        now = time.monotonic()
        while len(running) < self._workers:
            due = next((attempt for attempt in again if attempt.not_before <= now), None)
            if due is not None:
                again.remove(due)
            elif fresh:
                due = fresh.popleft()
            else:
                return
            due.started = now
            due.node = self._nodes.choose([attempt.node for attempt in running.values()], due.task.num_gpus)
            options = {"num_gpus": due.task.num_gpus} | self._nodes.strategy(due.node)
            task, common = replace(due.task, common={}), self._once(due.task.common)
            running[self._remote.options(**options).remote(task, common)] = due

    def _once(self, common: dict[str, Any]) -> Any:
        """A reference to what all units of a phase are given: a node fetches it once and not with each unit. With a
        hundred thousand shards it has megabytes."""
        if common is not self._common or self._in_store is None:
            self._common, self._in_store = common, self._ray.put(common)
        return self._in_store

    def _finish(self, reference: Any, attempt: _Try, on_done: OnDone) -> _Try | None:
        """Hand on the report, or return the next try. Raises what is not worth another one."""
        exceptions = self._ray.exceptions
        try:
            report = self._ray.get(reference)
        except exceptions.RayTaskError as error:
            if not isinstance(error.cause, SeedbedError):
                raise error.cause from error  # with its own name and message; the worker's traceback is in `error`
            if not error.cause.transient:
                raise error.cause from None
            return self._again(attempt, str(error.cause))
        except exceptions.UnserializableException:
            raise  # something unexpected, and of a kind that does not survive the way here
        except exceptions.TaskCancelledError:
            return self._again(attempt, f"it took more than cluster.shard_timeout_s, {self._timeout_s} s")
        except exceptions.RayError as error:
            first_line, *_ = [*str(error).splitlines(), ""]
            return self._again(attempt, f"{type(error).__name__}: {first_line}")
        on_done(attempt.task, report)
        return None

    def _again(self, attempt: _Try, why: str) -> _Try:
        task = attempt.task
        if attempt.number >= self._max_retries:
            given_up = InfrastructureError(
                f"{task.kind} {task.phase} {task.unit}: gave up after {attempt.number + 1} tries, the last time: {why};"
                f" nothing that was done is lost: {RUN_AGAIN}"
            )
            if classify((None, why)) is FailureClass.OUT_OF_MEMORY:
                given_up.failure = FailureClass.OUT_OF_MEMORY
            raise given_up
        pause = min(FIRST_PAUSE_S * 2**attempt.number, LONGEST_PAUSE_S)
        return _Try(task, attempt.number + 1, time.monotonic() + pause)

    def _give_up_the_lost(self, running: dict) -> list[_Try]:
        """New tries of what was sent to nodes that are gone: Ray itself waits for the answer of a worker that is cut
        off until its connection is given up, which takes minutes."""
        alive = self._nodes.alive()
        lost = [reference for reference, attempt in running.items() if attempt.node and attempt.node not in alive]
        for reference in lost:
            self._ray.cancel(reference, force=True)
        return [self._again(running.pop(reference), "its node was lost") for reference in lost]

    def _end_overdue(self, running: dict) -> None:
        if self._timeout_s is None:
            return
        for reference, attempt in running.items():
            if time.monotonic() - attempt.started > self._timeout_s:
                self._ray.cancel(reference, force=True)
