"""Jobs: submissions, from the queue to their end. Each change is a compare-and-set that writes its event."""

import dataclasses
import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from seedbed.errors import StaleState, UsageError
from seedbed.registry.database import Database
from seedbed.registry.events import MAX_LISTED, write_event
from seedbed.registry.records import Job, NewJob
from seedbed.registry.schema import IS_NOT_OVER, jobs
from seedbed.registry.states import FINAL, JOB_TRANSITIONS, Desired, JobState

_FIXED = {"id", "key", "run_id", "name", "store_url", "submitted_at", "revision", "state", "state_since", "reason"}
_CHANGEABLE = {column.name for column in jobs.c} - _FIXED
_NUM_KNOWN_SHOWN = 5


class Jobs:
    """The jobs of a registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_job(self, new: NewJob, *, actor: str) -> tuple[Job, bool]:
        """The job of this key, and whether it is new: one that is there and not over comes back as it is.

        Raises UsageError where the job that it is to wait for is not there.
        """
        with self._database.write() as connection:
            found = _not_over(connection, new.key)
            if found is not None:
                return found, False
            if new.after is not None:
                _job(connection, new.after)
            now = time.time()
            values = dataclasses.asdict(new) | {"submitted_at": now, "state_since": now}
            values |= {"state": JobState.QUEUED, "desired": Desired.RUN, "reason": "submitted", "revision": 1}
            values |= {"infrastructure_faults": 0, "user_faults": 0}
            job = as_job(connection.execute(sa.insert(jobs).values(values).returning(*jobs.c)).one())
            write_event(
                connection,
                "job",
                job.id,
                to_state=job.state,
                reason=f"submitted as run {job.run_id} to cluster {job.cluster}",
                actor=actor,
                details={"run": job.run_id, "cluster": job.cluster, "priority": job.priority},
            )
            return job, True

    def job(self, job_id: int) -> Job:
        """Raises UsageError where there is none."""
        with self._database.read() as connection:
            return _job(connection, job_id)

    def jobs(
        self,
        *,
        states: Collection[JobState] | None = None,
        project: str | None = None,
        run_id: str | None = None,
        store_url: str | None = None,
        limit: int | None = MAX_LISTED,
    ) -> list[Job]:
        """The newest jobs, newest first; `limit` None for all, which is meant for `states=ACTIVE`."""
        query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(limit)
        if project is not None:
            query = query.where(jobs.c.project == project)
        if run_id is not None:
            query = query.where(jobs.c.run_id == run_id)
        if store_url is not None:
            query = query.where(jobs.c.store_url == store_url)
        # One query a state: each walks an index backwards and ends after `limit` rows.
        queries = [query] if states is None else [query.where(jobs.c.state == state) for state in states]
        with self._database.read() as connection:
            found = [as_job(row) for each in queries for row in connection.execute(each)]
        return sorted(found, key=lambda job: -job.id)[:limit]

    def find_job(self, text: str) -> Job:
        """The job with this id, or the newest of this run id or name. Raises UsageError with what is known."""
        newest = sa.select(jobs).order_by(jobs.c.id.desc()).limit(1)
        named = [jobs.c.run_id == text, jobs.c.name == text]
        if text.isascii() and text.isdigit() and int(text) < 1 << 31:
            named.insert(0, jobs.c.id == int(text))
        with self._database.read() as connection:
            for condition in named:
                row = connection.execute(newest.where(condition)).one_or_none()
                if row is not None:
                    return as_job(row)
            known = connection.execute(newest.limit(_NUM_KNOWN_SHOWN)).all()
        if not known:
            raise UsageError(f"no job {text!r}: nothing was submitted yet; `seedbed submit RUN.yaml` does")
        latest = ", ".join(f"{row.id} ({row.run_id})" for row in known)
        raise UsageError(f"no job {text!r}; the latest are {latest}: give an id, a run id or a run's name")

    def move(
        self,
        job: Job,
        to: JobState,
        *,
        reason: str,
        actor: str,
        details: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Job:
        """The job in state `to`, with other fields changed beside it, and the event (with `details`).

        Raises StaleState where the job is not any more as `job` says (somebody moved it, or asked something of it);
        ValueError where `to` may not follow; UsageError where it would become a second job of one key.
        """
        with self._database.write() as connection:
            return moved(connection, job, to, reason=reason, actor=actor, details=details, **changes)

    def ask(self, job: Job, desired: Desired, *, reason: str, actor: str) -> Job:
        """The job with what a person wants of it, whatever state it got into meanwhile, and the event.

        Raises UsageError where it is over. Asking the same again, or for less than was asked for before, changes
        nothing and writes no event.
        """
        with self._database.write() as connection:
            now = _job(connection, job.id)
            if now.is_final:
                raise UsageError(f"job {job.id} is {now.state} already ({now.reason}): there is nothing to {desired}")
            if now.desired in (desired, Desired.STOP_NOW):
                return now
            changed = {"desired": desired, "revision": now.revision + 1}
            query = sa.update(jobs).where(jobs.c.id == job.id).values(changed).returning(*jobs.c)
            asked = as_job(connection.execute(query).one())
            details = {"desired": desired, "before": now.desired}
            write_event(connection, "job", job.id, reason=reason, actor=actor, details=details)
            return asked

    def explain(self, job: Job, reason: str) -> Job:
        """The job with a sentence on why it waits. No event, and no new revision: it is true for a moment only.

        Nothing happens where the job is not any more as `job` says.
        """
        if job.reason == reason:
            return job
        with self._database.write() as connection:
            is_same = sa.and_(jobs.c.id == job.id, jobs.c.revision == job.revision)
            connection.execute(sa.update(jobs).where(is_same).values(reason=reason))
            return _job(connection, job.id)

    def hurry(self, job: Job, *, reason: str, actor: str) -> Job:
        """The queued job, which need not wait for its next try any more. Raises as `move` does."""
        with self._database.write() as connection:
            changed = {"not_before": None, "reason": reason, "revision": job.revision + 1}
            query = sa.update(jobs).where(jobs.c.id == job.id, jobs.c.revision == job.revision).values(changed)
            row = connection.execute(query.returning(*jobs.c)).one_or_none()
            if row is None:
                raise StaleState(f"job {job.id} is not as it was when it was read")
            write_event(connection, "job", job.id, reason=reason, actor=actor)
            return as_job(row)


def as_job(row: sa.Row[Any]) -> Job:
    """The record of a row of the table `jobs`."""
    values = dict(row._mapping)
    return Job(**values | {"state": JobState(values["state"]), "desired": Desired(values["desired"])})


def moved(
    connection: sa.Connection,
    job: Job,
    to: JobState,
    *,
    reason: str,
    actor: str,
    details: dict[str, Any] | None = None,
    **changes: Any,
) -> Job:
    """`Jobs.move` within a transaction."""
    if unknown := changes.keys() - _CHANGEABLE:
        raise TypeError(f"a move does not change {', '.join(sorted(unknown))}")
    if to not in JOB_TRANSITIONS[job.state]:
        raise ValueError(f"job {job.id} is {job.state}: {to} does not follow")
    now = time.time()
    if to in FINAL:
        changes = {"ended_at": now} | changes
    elif job.is_final:
        other = _not_over(connection, job.key)
        if other is not None:
            raise UsageError(f"job {other.id} is the same submission as job {job.id}, and it is {other.state}")
        changes = {"ended_at": None} | changes
    changes |= {"state": to, "state_since": now, "reason": reason, "revision": job.revision + 1}
    is_same = sa.and_(jobs.c.id == job.id, jobs.c.revision == job.revision)
    row = connection.execute(sa.update(jobs).where(is_same).values(changes).returning(*jobs.c)).one_or_none()
    if row is None:
        there = _job(connection, job.id)
        raise StaleState(
            f"job {job.id} was {job.state} ({job.desired} asked) when it was read, and is now {there.state} "
            f"({there.desired} asked): {there.reason}"
        )
    write_event(
        connection, "job", job.id, from_state=job.state, to_state=to, reason=reason, actor=actor, details=details
    )
    return as_job(row)


def _job(connection: sa.Connection, job_id: int) -> Job:
    row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise UsageError(f"no job {job_id}: `seedbed jobs` lists those that there are")
    return as_job(row)


def _not_over(connection: sa.Connection, key: str) -> Job | None:
    query = sa.select(jobs).where(jobs.c.key == key, IS_NOT_OVER)
    row = connection.execute(query).one_or_none()
    return None if row is None else as_job(row)
