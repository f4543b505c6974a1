"""The queue in front of Ray, which has none: what may start now, and why the rest waits. Pure.

Order is priority, then submission, and strict: a job that waits for room lets nobody behind it pass, or a large one
would wait for ever. Who waits for something else (its turn to be tried again, another job, a cluster that is down, or
one that is larger than this one is now) holds nobody up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seedbed.registry.records import Job
from seedbed.registry.states import JobState


@dataclass(frozen=True)
class Room:
    """What a cluster gives out, in whole."""

    cpus: float
    gpus: float
    fault: str | None = None  # why nothing can be started on it now, as a sentence's end


@dataclass(frozen=True)
class Decision:
    """What follows for a queued job."""

    job: Job
    to: JobState  # STARTING, FAILED, or QUEUED: it waits
    reason: str


def in_order(queued: Iterable[Job]) -> list[Job]:
    return sorted(queued, key=lambda job: (-job.priority, job.id))


def arrange(
    queued: Iterable[Job],
    reserving: Iterable[Job],
    rooms: Mapping[str, Room],
    awaited: Mapping[int, Job],
    now: float,
) -> list[Decision]:
    """A decision for each queued job, in their order. `reserving` are the jobs that are on a cluster; `rooms` by the
    clusters' names; `awaited` are the jobs that others wait for, by id."""
    taken = list(reserving)
    held_up: dict[str, Job] = {}  # by cluster: the first job that waits for room
    decisions = []
    for job in in_order(queued):
        decision = _other_reasons(job, taken, rooms, awaited, now)
        if decision is None:
            ahead = held_up.get(job.cluster)
            if ahead is not None:
                decision = Decision(job, JobState.QUEUED, _behind(job, ahead))
            else:
                why = lack_of_room(job, rooms[job.cluster], [other for other in taken if other.cluster == job.cluster])
                if why is None:
                    taken.append(job)
                    decision = Decision(job, JobState.STARTING, f"there is room for it on {job.cluster}")
                else:
                    if not is_too_large(job, rooms[job.cluster]):
                        held_up[job.cluster] = job
                    decision = Decision(job, JobState.QUEUED, why)
        decisions.append(decision)
    return decisions


def _other_reasons(
    job: Job, taken: Iterable[Job], rooms: Mapping[str, Room], awaited: Mapping[int, Job], now: float
) -> Decision | None:
    if job.after is not None:
        before = awaited.get(job.after)
        if before is None or before.state in (JobState.FAILED, JobState.LOST):
            became = f"is {before.state} ({before.reason})" if before else "is not there"
            cure = f"`seedbed retry {job.after}`, then `seedbed retry {job.id}`"
            return Decision(job, JobState.FAILED, f"job {job.after}, after which it was to start, {became}: {cure}")
        if before.state == JobState.STOPPED:
            why = f"waits for job {before.id}, which is stopped: `seedbed resume {before.id}`"
            return Decision(job, JobState.QUEUED, why)
        if before.state != JobState.FINISHED:
            return Decision(job, JobState.QUEUED, f"waits until job {before.id} is finished; it is {before.state}")
    if job.not_before is not None and job.not_before > now:
        # Without the seconds that are left: the sentence would be another each second.
        return Decision(job, JobState.QUEUED, job.reason)
    same = next((other for other in taken if (other.run_id, other.store_url) == (job.run_id, job.store_url)), None)
    if same is not None:
        return Decision(job, JobState.QUEUED, f"waits for job {same.id}, which is at the same run")
    room = rooms.get(job.cluster)
    if room is None:
        return Decision(job, JobState.QUEUED, f"waits for the cluster {job.cluster}, which is not registered any more")
    if room.fault is not None:
        return Decision(job, JobState.QUEUED, f"waits for the cluster {job.cluster}, {room.fault}")
    return None


def _behind(job: Job, ahead: Job) -> str:
    higher = f" (priority {ahead.priority})" if ahead.priority != job.priority else ""
    return f"waits behind job {ahead.id}{higher}, which waits for room on {ahead.cluster}"


def is_too_large(job: Job, room: Room) -> bool:
    """Whether it would not have room with the whole cluster to itself: a node is gone, and may be for good."""
    return job.cpus > room.cpus or job.gpus > room.gpus


def lack_of_room(job: Job, room: Room, taken: Iterable[Job]) -> str | None:
    """Why the job cannot start beside those that have taken their room, with the arithmetic; None when it can."""
    there = list(taken)
    for unit, total, needed, of in (
        ("CPU", room.cpus, job.cpus, lambda other: other.cpus),
        ("GPU", room.gpus, job.gpus, lambda other: other.gpus),
    ):
        reserved = sum(of(other) for other in there)
        if needed <= total - reserved:
            continue
        if needed > total:
            return f"waits for {_units(needed, unit)}: {job.cluster} has {total:g} in all"
        holders = ", ".join(f"job {other.id} ({of(other):g})" for other in there if of(other))
        free = f"{total:g} - {reserved:g} = {total - reserved:g} free on {job.cluster}"
        return f"waits for {_units(needed, unit)}: {free}, reserved by {holders}"
    return None


def _units(number: float, unit: str) -> str:
    return f"{number:g} {unit}" + ("" if number == 1 else "s")
