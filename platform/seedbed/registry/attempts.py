"""Attempts: each start of a job on Ray."""

import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from seedbed.errors import StaleState
from seedbed.registry.database import Database
from seedbed.registry.events import write_event
from seedbed.registry.jobs import moved
from seedbed.registry.records import Attempt, Job
from seedbed.registry.schema import attempts
from seedbed.registry.states import ATTEMPT_TRANSITIONS, AttemptState, JobState

_CHANGEABLE = {column.name for column in attempts.c} - {"job_id", "number", "submission_id", "started_at"}


class Attempts:
    """The attempts of a registry's jobs."""

    id: str

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_attempt(self, job: Job, *, reason: str, actor: str, **changes: Any) -> tuple[Job, Attempt]:
        """The job moved from queued to starting and its next attempt, in one transaction: the submission id
        (`seedbed-<registry id>-<job>-<attempt>`) is known before Ray hears of it. Raises as `move` does."""
        now = time.time()
        with self._database.write() as connection:
            number = 1 + (connection.scalar(_newest_number(job.id)) or 0)
            changes = {"not_before": None, "started_at": job.started_at or now} | changes
            job = moved(
                connection,
                job,
                JobState.STARTING,
                reason=reason,
                actor=actor,
                details={"attempt": number},
                **changes,
            )
            values = {
                "job_id": job.id,
                "number": number,
                "submission_id": f"seedbed-{self.id}-{job.id}-{number}",
                "state": AttemptState.STARTING,
                "started_at": now,
                "reason": "",
                "progress": {},
            }
            attempt = _as_attempt(connection.execute(sa.insert(attempts).values(values).returning(*attempts.c)).one())
            write_event(
                connection,
                "attempt",
                f"{job.id}.{number}",
                to_state=attempt.state,
                reason=f"to be given to Ray as {attempt.submission_id}",  # why is what the job's event says
                actor=actor,
                details={"submission_id": attempt.submission_id},
            )
            return job, attempt

    def update_attempt(self, attempt: Attempt, *, actor: str = "", **changes: Any) -> Attempt:
        """The attempt with other fields. A changed state writes an event (`actor`, `reason`); mere progress does not.

        Raises StaleState where `state` is to change and somebody else has changed it, ValueError where the new
        one may not follow.
        """
        if all(getattr(attempt, name) == value for name, value in changes.items()):
            return attempt
        with self._database.write() as connection:
            return _updated(connection, attempt, actor, changes)

    def end_attempt(
        self,
        job: Job,
        attempt: Attempt,
        *,
        to: JobState,
        reason: str,
        actor: str,
        attempt_reason: str | None = None,
        attempt_state: AttemptState = AttemptState.ENDED,
        failure: str | None = None,
        exit_code: int | None = None,
        ended_at: float | None = None,
        note: tuple[str, dict[str, Any]] | None = None,
        **changes: Any,
    ) -> tuple[Job, Attempt]:
        """Attempt and job after the attempt's end, in one transaction; `changes` are the job's. `to` is the job's
        state: final, or queued for a retry; `reason` is the job's, and the attempt's where it has none of its own;
        `note` is reason and details of one more event of the attempt, before that of its end. Raises as `move` does.
        """
        ended = {
            "state": attempt_state,
            "reason": reason if attempt_reason is None else attempt_reason,
            "failure": failure,
            "exit_code": exit_code,
            "ended_at": time.time() if ended_at is None else ended_at,
        }
        details = {"attempt": attempt.number, "failure": failure, "exit_code": exit_code}
        with self._database.write() as connection:
            if note is not None:
                name = f"{attempt.job_id}.{attempt.number}"
                write_event(connection, "attempt", name, reason=note[0], actor=actor, details=note[1])
            attempt = _updated(connection, attempt, actor, ended, _how_it_left(failure, exit_code))
            job = moved(connection, job, to, reason=reason, actor=actor, details=details, **changes)
            return job, attempt

    def attempts(self, job_id: int) -> list[Attempt]:
        """All attempts of a job, the first one first."""
        query = sa.select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.number)
        with self._database.read() as connection:
            return [_as_attempt(row) for row in connection.execute(query)]

    def latest_attempts(self, job_ids: Collection[int]) -> dict[int, Attempt]:
        """The newest attempt of each job that has one, by job: one query for a whole table."""
        query = sa.select(attempts).where(
            attempts.c.job_id.in_(job_ids),
            attempts.c.number == _newest_number(attempts.c.job_id).scalar_subquery(),
        )
        with self._database.read() as connection:
            return {row.job_id: _as_attempt(row) for row in connection.execute(query)}


def _newest_number(job_id: Any) -> sa.Select[tuple[int | None]]:
    of_job = attempts.alias("of_job")
    return sa.select(sa.func.max(of_job.c.number)).where(of_job.c.job_id == job_id)


def _how_it_left(failure: str | None, exit_code: int | None) -> str:
    """What the attempt's event says: the sentence on why stands in the job's, of the same moment."""
    left = "without an exit code" if exit_code is None else f"with exit code {exit_code}"
    return left + (f": {failure.replace('_', ' ')}" if failure else "")


def _updated(
    connection: sa.Connection, attempt: Attempt, actor: str, changes: dict[str, Any], told: str | None = None
) -> Attempt:
    """`told` is the event's reason where it is another than the attempt's."""
    if unknown := changes.keys() - _CHANGEABLE:
        raise TypeError(f"nobody changes {', '.join(sorted(unknown))} of an attempt")
    name = f"{attempt.job_id}.{attempt.number}"
    to = changes.get("state", attempt.state)
    query = sa.update(attempts).where(attempts.c.job_id == attempt.job_id, attempts.c.number == attempt.number)
    if to != attempt.state:
        if to not in ATTEMPT_TRANSITIONS[attempt.state]:
            raise ValueError(f"attempt {name} is {attempt.state}: {to} does not follow")
        query = query.where(attempts.c.state == attempt.state)
    row = connection.execute(query.values(changes).returning(*attempts.c)).one_or_none()
    if row is None:
        raise StaleState(f"attempt {name} was {attempt.state} when it was read, and is not any more")
    if to != attempt.state:
        write_event(
            connection,
            "attempt",
            name,
            from_state=attempt.state,
            to_state=to,
            reason=changes.get("reason", "") if told is None else told,
            actor=actor,
            details={key: changes[key] for key in ("failure", "exit_code", "node") if key in changes},
        )
    return _as_attempt(row)


def _as_attempt(row: sa.Row[Any]) -> Attempt:
    values = dict(row._mapping)
    return Attempt(**values | {"state": AttemptState(values["state"])})
