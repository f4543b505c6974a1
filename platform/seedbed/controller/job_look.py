"""A look at what attempts have left in a store: heartbeats, last words, results, and requests to stop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dataprep.errors import CorruptDataError
from seedbed import reports, runs
from seedbed.artifact import Artifact
from seedbed.errors import SeedbedError
from seedbed.registry.records import Attempt, Job
from seedbed.reports import Request
from seedbed.steps import STEPS
from seedbed.store import Store


@dataclass
class Place:
    """Where an attempt of the registry stands among those of its run; found once it has reported."""

    number: int | None = None
    of_others: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Question:
    """What to look for."""

    job: Job
    attempt: Attempt
    place: Place
    is_over: bool  # by Ray's word: is there a result?


@dataclass(frozen=True)
class JobLook:
    """What the store has of an attempt."""

    began_at: float
    number: int | None = None  # among the run's attempts
    heartbeat: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    request: Request | None = None
    is_over: bool = False  # the next two were looked for
    run_state: str | None = None
    is_complete: bool = False
    damage: str | None = None  # why these two cannot be told, for good
    fault: str | None = None  # why nothing of it can be read, though the store answers: a right that is missing


def look_at_store(store: Store, questions: Sequence[Question]) -> dict[str, JobLook]:
    """By submission id. Raises StoreError for a store that is out of reach."""
    found = {}
    for question in questions:
        try:
            found[question.attempt.submission_id] = _look(store, question)
        except SeedbedError as error:
            if error.transient:
                raise
            found[question.attempt.submission_id] = JobLook(time.time(), fault=str(error))
    return found


def _look(store: Store, question: Question) -> JobLook:
    began_at, job, place = time.time(), question.job, question.place
    heartbeat = _find(store, job, question.attempt, place)
    end = None if place.number is None else reports.read_end(store, job.run_id, place.number)
    request = reports.read_request(store, job.run_id)
    if not question.is_over or end is not None:
        return JobLook(began_at, place.number, heartbeat, end, request)
    run_state, is_complete, damage = None, False, None
    try:
        record = runs.load(store, job.run_id)
        run_state = record.state if record else None
        is_complete = _is_complete(store, job)
    except CorruptDataError as error:
        damage = str(error)
    return JobLook(began_at, place.number, heartbeat, end, request, True, run_state, is_complete, damage)


def _find(store: Store, job: Job, attempt: Attempt, place: Place) -> dict[str, Any] | None:
    """Its newest heartbeat. What belongs to others is read once."""
    if place.number is not None:
        return reports.read_heartbeat(store, job.run_id, place.number)
    for number in reversed(reports.attempts(store, job.run_id)):
        if number in place.of_others:
            continue
        heartbeat = reports.read_heartbeat(store, job.run_id, number)
        if heartbeat is None:
            continue
        if (heartbeat.get("job"), heartbeat.get("attempt")) == (job.id, attempt.number):
            place.number = number
            return heartbeat
        place.of_others.add(number)
    return None


def _is_complete(store: Store, job: Job) -> bool:
    last = last_step(job)
    plan = runs.load_plan(store, job.run_id)
    return Artifact(store, last, plan.step(last).fingerprint).manifest() is not None


def last_step(job: Job) -> str:
    return job.until or STEPS[-1].kind


def is_partial(job: Job) -> bool:
    return last_step(job) != STEPS[-1].kind
