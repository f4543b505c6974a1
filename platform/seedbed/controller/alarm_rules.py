"""Alarms: what a person should look at. Pure: from what is known now to what should stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seedbed.registry.records import Alarm, Job
from seedbed.registry.states import Level

CLUSTER_UNREACHABLE = "cluster_unreachable"
STORE_UNREACHABLE = "store_unreachable"
JOB_UNREADABLE = "job_unreadable"
HEARTBEAT_OLD = "heartbeat_old"
JOB_LOST = "job_lost"
BUDGET_NEAR = "budget_near"
CONTROLLER_SILENT = "controller_silent"
"""Raised by readers, as nobody else is there to do it."""

OURS = (CLUSTER_UNREACHABLE, STORE_UNREACHABLE, JOB_UNREADABLE, HEARTBEAT_OLD, JOB_LOST, BUDGET_NEAR)

HEARTBEAT_WARNING_S, HEARTBEAT_CRITICAL_S = 60.0, 600.0
NOT_HEARD_WARNING_S = 300.0  # since its start: Ray unpacks, Python imports, or another driver is at the run
BUDGET_SHARE = 0.9  # of a limit

LIMITS = {
    "max_flops": ("flops", "FLOPs"),
    "max_wall_hours": ("wall_hours", "hours"),
    "max_device_hours": ("device_hours", "device hours"),
    "max_cost": ("cost", "of money"),
}
"""Key of the run file's budget -> what a heartbeat's spending calls it, and its unit."""


@dataclass(frozen=True)
class DueAlarm:
    """An alarm as it should stand."""

    kind: str
    subject_kind: str
    subject_id: str
    level: Level
    message: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.subject_kind, self.subject_id


def cluster_unreachable(name: str, why: str, since_s: float, cure: str) -> DueAlarm:
    level = Level.CRITICAL if since_s >= HEARTBEAT_WARNING_S else Level.WARNING
    message = f"the cluster {name} does not answer: {why}; its jobs stay as they are until it does; next: {cure}"
    return DueAlarm(CLUSTER_UNREACHABLE, "cluster", name, level, message)


def store_unreachable(url: str, why: str) -> DueAlarm:
    return DueAlarm(STORE_UNREACHABLE, "store", url, Level.CRITICAL, why)


def job_unreadable(job: Job, why: str) -> DueAlarm:
    message = f"job {job.id} ({job.run_id}) stays {job.state}, as what it left in its store cannot be read: {why}"
    return DueAlarm(JOB_UNREADABLE, "job", str(job.id), Level.CRITICAL, message)


def of_job(job: Job, silent_s: float | None, spending: Mapping[str, Any] | None) -> list[DueAlarm]:
    """`silent_s` since the newest heartbeat was new, None before the first; `spending` as heartbeats have it."""
    found = []
    name = f"{job.id}"
    if silent_s is not None and silent_s >= HEARTBEAT_WARNING_S:
        critical = silent_s >= HEARTBEAT_CRITICAL_S
        # A round time: the sentence would be another each second.
        at_least = HEARTBEAT_CRITICAL_S if critical else HEARTBEAT_WARNING_S
        message = f"job {name} ({job.run_id}) is silent for more than {at_least:.0f} s, and Ray says that it runs"
        found.append(DueAlarm(HEARTBEAT_OLD, "job", name, Level.CRITICAL if critical else Level.WARNING, message))
    for words in near_limits(job.summary.get("budget") or {}, spending or {}):
        found.append(DueAlarm(BUDGET_NEAR, "job", name, Level.WARNING, f"job {name} ({job.run_id}): {words}"))
        break  # one of a kind stands
    return found


def not_heard(job: Job, since_s: float) -> list[DueAlarm]:
    """Of an attempt that Ray runs and that has not reported."""
    if since_s < NOT_HEARD_WARNING_S:
        return []
    message = (
        f"job {job.id} ({job.run_id}) has not reported within {NOT_HEARD_WARNING_S:.0f} s of its start: see"
        f" `seedbed logs {job.id}`; another driver may be at the same run"
    )
    return [DueAlarm(HEARTBEAT_OLD, "job", str(job.id), Level.WARNING, message)]


def job_lost(job: Job) -> DueAlarm:
    message = f"job {job.id} ({job.run_id}) is lost: {job.reason}; next: seedbed retry {job.id}"
    return DueAlarm(JOB_LOST, "job", str(job.id), Level.CRITICAL, message)


def near_limits(limits: Mapping[str, Any], spending: Mapping[str, Any]) -> list[str]:
    """Limits that are spent to BUDGET_SHARE, or will be passed at the pace so far, each as a sentence."""
    found = []
    for key, (name, unit) in LIMITS.items():
        limit, spent, later = limits.get(key), spending.get(name), spending.get(f"forecast_{name}")
        if limit is None or spent is None:
            continue
        if spent >= BUDGET_SHARE * limit:
            found.append(f"{BUDGET_SHARE:.0%} of budget.{key} {limit:g} {unit} are spent")
        elif later is not None and later > limit:
            found.append(f"at its pace it will pass budget.{key} {limit:g} {unit}")
    return found


def changes(
    standing: Iterable[Alarm], wanted: Iterable[DueAlarm], undecided: frozenset[tuple[str, str, str]]
) -> tuple[list[DueAlarm], list[Alarm]]:
    """(what to raise, what to clear) of our kinds; on what is undecided nothing is known yet, and it stays."""
    due = {alarm.key: alarm for alarm in wanted}
    known = {(alarm.kind, alarm.subject_kind, alarm.subject_id): alarm for alarm in standing}
    clear = [alarm for key, alarm in known.items() if alarm.kind in OURS and key not in due and key not in undecided]
    new = [
        alarm
        for key, alarm in due.items()
        if key not in known or (known[key].level, known[key].message) != (alarm.level, alarm.message)
    ]
    return new, clear
