"""Holds a training to its budget while it goes: counts what it spends, keeps the count, and asks it to stop."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from jobs.pretrain import spool
from jobs.pretrain.listener import TAKEN_AGAIN
from seedbed import kept_spending
from seedbed.artifact import Artifact
from seedbed.errors import BudgetPassed, StoreError
from seedbed.plan import Plan
from seedbed.spending import limit_ahead, passed_limit

KEEP_EVERY_S = 10.0  # what a killed driver forgets of the time at most; on an object store each is a request


class BudgetWatch:
    """What one call of the training spends, added to what earlier calls have spent on the same artifact."""

    def __init__(
        self,
        artifact: Artifact,
        plan: Plan,
        state_dir: str,
        over_budget: str | None,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._artifact, self._plan, self._over_budget = artifact, plan, over_budget
        self._events = spool.events_path(state_dir, artifact.fingerprint)
        self._price = kept_spending.price_of(plan)
        self._num_ranks = plan.run.cluster.training_ranks
        self._say, self._clock = say, clock
        self._seen = self._kept = clock()
        self._checkpoint: int | None = None  # step of the newest that this call was told of
        self._said_over_budget = self._said_ahead = False
        self.spending = kept_spending.read(artifact)

    def hear(self, record: dict[str, Any]) -> None:
        """A step's metrics or an event, as `launch.train` tells them."""
        self._tick()
        event = record.get("event")
        if event is None or event == TAKEN_AGAIN:
            self.spending.take_step(record["step"], record["seconds"])
        elif event == "started":
            self._num_ranks = record["num_ranks"]
        elif event == "checkpoint":
            self._checkpoint = record["step"]
        elif event == "taken_up":
            self.spending.take_up(record["step"])
            self._checkpoint = record["step"]

    def stop_requested(self) -> str | None:
        """Which limit is passed by now, in words; None where there is a reason to be over it.

        Asked some times a second, it is what keeps the count as well.
        """
        self._tick()
        passed = passed_limit(self._plan.run.budget, self.spending, self._price)
        if passed is None or self._over_budget is None:
            return passed
        if not self._said_over_budget:
            self._said_over_budget = True
            self._event({"event": "over_budget", "reason": self._over_budget, "passed": passed})
        return None

    def require(self) -> None:
        """Raises BudgetPassed where a limit is passed, and says how to go on."""
        passed = self.stop_requested()
        if passed is None:
            return
        step = self.spending.step if self._checkpoint is None else self._checkpoint
        where = f"it has stopped at its checkpoint of step {step:,}" if step else "it has stopped before its first step"
        raise BudgetPassed(
            f"run {self._plan.run_id}: {passed}; {where}; raise the limit to go on from there, or run it again with"
            ' --over-budget "reason"'
        )

    def keep(self) -> None:
        """Write the count into the store, and what it comes to into the spool."""
        self._count_time()
        with contextlib.suppress(StoreError):  # the training has its own answer to a store that is out of reach
            kept_spending.write(self._artifact, self.spending)
        self._kept = self._clock()
        self._event({"event": "spending", **self.summary()})
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Tell once that the training will not get to its end within its budget."""
        ahead = limit_ahead(self._plan.run.budget, self.spending, self._price)
        if ahead is not None and not self._said_ahead:
            self._said_ahead = True
            self._event({"event": "over_budget_ahead", "message": ahead})
            then = "it will stop at a checkpoint there" if self._over_budget is None else "there is a reason to go on"
            self._say(f"  budget: warn: {ahead}; {then}")

    def summary(self) -> dict[str, Any]:
        """What it comes to, by name."""
        return self.spending.summary(self._price)

    def _event(self, event: dict[str, Any]) -> None:
        spool.append(self._events, event | {"time": time.time()})

    def _tick(self) -> None:
        self._count_time()
        if self._seen - self._kept >= KEEP_EVERY_S:
            self.keep()

    def _count_time(self) -> None:
        now = self._clock()
        self.spending.pass_time(now - self._seen, self._num_ranks)
        self._seen = now
