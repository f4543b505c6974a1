"""What a training has spent so far, over all of its attempts, and what it will have spent at its end.

    records and events of the training, and the clock --> Spending --> spent and forecast --> the limit that is passed

Pure arithmetic. Kept beside the checkpoints, so that what was spent before a restart, by an earlier command or on
another machine counts. Wall time runs while a command trains: it includes the start of the ranks, validation,
checkpoints and waiting, and none of the time between two commands. The data steps are left out.
"""

from dataclasses import asdict, dataclass
from typing import Any

from seedbed.runfile.budget import BudgetConfig

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Price:
    """What the steps of a run cost; the same for each of them."""

    num_steps: int  # of the whole run
    flops_per_step: int
    price_per_device_hour: float | None


@dataclass(frozen=True)
class Spent:
    """A sum, of what is spent or of what will be. Written into the metrics under these names."""

    steps_taken: int  # steps that a restart takes again count twice
    flops: int
    wall_hours: float
    device_hours: float
    cost: float | None  # in the price's currency; None without a price


@dataclass
class Spending:
    """The counts that all else follows from. `to_json` is what is kept."""

    step: int = 0  # the last step that counts
    steps_lost: int = 0  # taken after the newest checkpoint when the ranks were lost, and taken again
    wall_s: float = 0.0
    device_s: float = 0.0
    steps_timed: int = 0  # steps that count and whose time is known: all, if none was taken before the count began
    step_s: float = 0.0  # of the wall time, in those

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Spending":
        return cls(**value)

    def take_up(self, step: int) -> None:
        """The ranks go on from the checkpoint of `step`: what they did beyond it is lost."""
        lost = max(self.step - step, 0)
        timed = max(self.steps_timed - lost, 0)
        self.step_s *= timed / max(self.steps_timed, 1)
        self.steps_lost += lost
        self.step, self.steps_timed = step, timed

    def take_step(self, step: int, seconds: float) -> None:
        """One more step counts, and took so long; what was told before is not counted again."""
        if step > self.step:
            self.step = step
            self.steps_timed += 1
            self.step_s += seconds

    def pass_time(self, seconds: float, num_ranks: int) -> None:
        self.wall_s += seconds
        self.device_s += seconds * num_ranks

    @property
    def goodput(self) -> float | None:
        """The share of the wall time that went into steps that count."""
        return self.step_s / self.wall_s if self.wall_s else None

    def spent(self, price: Price) -> Spent:
        return self._sum(price, self.step + self.steps_lost, self.wall_s, self.device_s)

    def forecast(self, price: Price) -> Spent | None:
        """At the end of the run, if nothing more is lost; None before the first step.

        The steps that are left take as long as those that count did on average, without what comes between them.
        """
        if not self.steps_timed or not self.wall_s:
            return None
        left = price.num_steps - self.step
        seconds = left * self.step_s / self.steps_timed
        ranks = self.device_s / self.wall_s
        taken = self.step + self.steps_lost + left
        return self._sum(price, taken, self.wall_s + seconds, self.device_s + seconds * ranks)

    def summary(self, price: Price) -> dict[str, Any]:
        """Numbers by name: what is spent, and `forecast_...` of the whole run; for events, manifests and `show`."""
        forecast = self.forecast(price)
        later = {} if forecast is None else {f"forecast_{name}": value for name, value in asdict(forecast).items()}
        return asdict(self.spent(price)) | {"steps_lost": self.steps_lost, "goodput": self.goodput} | later

    def _sum(self, price: Price, steps: int, wall_s: float, device_s: float) -> Spent:
        hours = device_s / SECONDS_PER_HOUR
        cost = None if price.price_per_device_hour is None else hours * price.price_per_device_hour
        return Spent(steps, steps * price.flops_per_step, wall_s / SECONDS_PER_HOUR, hours, cost)


def passed_limit(budget: BudgetConfig, spending: Spending, price: Price) -> str | None:
    """Which limit the training has passed, with the arithmetic, as a sentence without its full stop; None if none."""
    spent = spending.spent(price)
    again = f", {spending.steps_lost:,} of them lost to restarts and taken again," if spending.steps_lost else ""
    hours = f"{spending.wall_s:,.1f} s / 3,600 = {spent.wall_hours:.4g} hours"
    device_hours = f"{spending.device_s:,.1f} device seconds / 3,600 = {spent.device_hours:.4g} device hours"
    for name, allowed, measured, arithmetic in (
        (
            "max_flops",
            budget.max_flops,
            spent.flops,
            f"{spent.steps_taken:,} steps{again} x {price.flops_per_step:,} = {spent.flops:.4g} FLOPs",
        ),
        ("max_wall_hours", budget.max_wall_hours, spent.wall_hours, hours),
        ("max_device_hours", budget.max_device_hours, spent.device_hours, device_hours),
        (
            "max_cost",
            budget.max_cost,
            spent.cost or 0.0,
            f"{device_hours} x {price.price_per_device_hour or 0:g} = {spent.cost or 0:.4g}",
        ),
    ):
        if allowed is not None and measured > allowed:
            return f"the training has spent {arithmetic}, which is more than budget.{name} {allowed:g}"
    return None


def limit_ahead(budget: BudgetConfig, spending: Spending, price: Price) -> str | None:
    """Which limit the whole training would pass at its pace so far, as a sentence without its full stop."""
    later = spending.forecast(price)
    if later is None:
        return None
    for name, allowed, value, unit in (
        ("max_flops", budget.max_flops, later.flops, " FLOPs"),
        ("max_wall_hours", budget.max_wall_hours, later.wall_hours, " hours"),
        ("max_device_hours", budget.max_device_hours, later.device_hours, " device hours"),
        ("max_cost", budget.max_cost, later.cost or 0.0, " of money"),
    ):
        if allowed is not None and value > allowed:
            return (
                f"at this pace the whole training takes {value:.4g}{unit}, which is more than budget.{name} {allowed:g}"
            )
    return None
