"""The registry: one source of truth for jobs, attempts, events, alarms, clusters and runs.

Every change is one transaction that also writes its event. Writers take turns, so event ids ascend in the order in which
they become visible: who has read up to an id misses nothing. Safe for threads; every process opens its own.
"""

from collections.abc import Collection, Sequence
from typing import Any

from seedbed.registry.records import Alarm, Attempt, Cluster, Event, Job, NewJob, Run
from seedbed.registry.states import AttemptState, Desired, JobState, Level

MAX_LISTED = 500
"""Rows that a list gives unless told otherwise."""


class Registry:
    """Opened by `seedbed.registry.database.open_registry`. Where the database is out of reach or busy for longer than
    its patience every method raises RegistryUnreachable (`transient`)."""

    id: str
    """8 hex digits, drawn when the registry was made: part of submission ids, which so differ between registries."""

    def add_job(self, new: NewJob, *, actor: str) -> tuple[Job, bool]:
        """The job of this key, and whether it is new: one that is there and not over comes back as it is."""
        raise NotImplementedError

    def job(self, job_id: int) -> Job:
        """Raises UsageError where there is none."""
        raise NotImplementedError

    def jobs(
        self,
        *,
        states: Collection[JobState] | None = None,
        project: str | None = None,
        run_id: str | None = None,
        limit: int | None = MAX_LISTED,
    ) -> list[Job]:
        """The newest jobs, newest first; `limit` None for all, which is meant for `states=ACTIVE`."""
        raise NotImplementedError

    def find_job(self, text: str) -> Job:
        """The job with this id, or the newest of this run id or name. Raises UsageError with what is known."""
        raise NotImplementedError

    def move(self, job: Job, to: JobState, *, reason: str, actor: str, **changes: Any) -> Job:
        """The job in state `to`, with other fields changed beside it, and the event.

        Raises StaleState where the job is not any more as `job` says (somebody moved it, or asked something of it);
        ValueError where `to` may not follow; UsageError where it would become a second job of one key.
        """
        raise NotImplementedError

    def ask(self, job: Job, desired: Desired, *, reason: str, actor: str) -> Job:
        """The job with what a person wants of it, whatever state it got into meanwhile, and the event.

        Raises UsageError where it is over. Asking the same again changes nothing and writes no event.
        """
        raise NotImplementedError

    def explain(self, job: Job, reason: str) -> Job:
        """The job with a sentence on why it waits. No event, and no new revision: it is true for a moment only."""
        raise NotImplementedError

    def begin_attempt(self, job: Job, *, reason: str, actor: str, **changes: Any) -> tuple[Job, Attempt]:
        """The job moved from queued to starting and its next attempt, in one transaction: the submission id
        (`seedbed-<registry id>-<job>-<attempt>`) is known before Ray hears of it. Raises as `move` does."""
        raise NotImplementedError

    def update_attempt(self, attempt: Attempt, *, actor: str = "", **changes: Any) -> Attempt:
        """The attempt with other fields. A changed state writes an event (`actor`, `reason`); mere progress does not.

        Raises StaleState where `state` is to change and somebody else has changed it.
        """
        raise NotImplementedError

    def end_attempt(
        self,
        job: Job,
        attempt: Attempt,
        *,
        to: JobState,
        reason: str,
        actor: str,
        attempt_state: AttemptState = AttemptState.ENDED,
        failure: str | None = None,
        exit_code: int | None = None,
        ended_at: float | None = None,
        **changes: Any,
    ) -> tuple[Job, Attempt]:
        """Attempt and job after the attempt's end, in one transaction; `changes` are the job's. `to` is the job's
        state: final, or queued for a retry. Raises as `move` does."""
        raise NotImplementedError

    def attempts(self, job_id: int) -> list[Attempt]:
        """All attempts of a job, the first one first."""
        raise NotImplementedError

    def latest_attempts(self, job_ids: Collection[int]) -> dict[int, Attempt]:
        """The newest attempt of each job that has one: one query for a whole table."""
        raise NotImplementedError

    def event(
        self, subject_kind: str, subject_id: str, *, reason: str, actor: str, details: dict[str, Any] | None = None
    ) -> Event:
        """Write down something that changed no state."""
        raise NotImplementedError

    def events(
        self,
        subject: str | Sequence[str] | None = None,
        *,
        after_id: int = 0,
        limit: int = MAX_LISTED,
        newest_first: bool = False,
    ) -> list[Event]:
        """Events after an id, of all subjects, of one (`job 12`) or of several: the first `limit`, or the last ones."""
        raise NotImplementedError

    def raise_alarm(
        self, kind: str, subject_kind: str, subject_id: str, *, level: Level, message: str, actor: str
    ) -> Alarm:
        """The standing alarm of this kind and subject. One that stands already gets the new message; an event is
        written when it is new or its level changes."""
        raise NotImplementedError

    def clear_alarm(self, kind: str, subject_kind: str, subject_id: str, *, reason: str, actor: str) -> bool:
        """Whether there was such an alarm; it is over, with an event."""
        raise NotImplementedError

    def acknowledge(self, alarm_id: int, *, actor: str) -> Alarm:
        """The alarm, seen by a person; it stands on. Raises UsageError where there is none."""
        raise NotImplementedError

    def alarms(self, *, standing: bool = True, limit: int = MAX_LISTED) -> list[Alarm]:
        """The newest alarms, newest first; `standing` False for those that are over as well."""
        raise NotImplementedError

    def save_cluster(self, cluster: Cluster, *, reason: str, actor: str) -> Cluster:
        """Insert or replace the cluster of this name; an event when it is new or its state or address changes."""
        raise NotImplementedError

    def update_cluster(self, name: str, *, actor: str = "", reason: str = "", **changes: Any) -> Cluster:
        """The cluster with other fields (snapshot, heard_at, controller ..); an event when its state changes."""
        raise NotImplementedError

    def cluster(self, name: str) -> Cluster:
        """Raises UsageError with the names that are known."""
        raise NotImplementedError

    def clusters(self) -> list[Cluster]:
        """By name."""
        raise NotImplementedError

    def see_run(self, run: Run, *, actor: str) -> Run:
        """Insert or update; an event when it is new or its state changed. Nothing is written when nothing changed."""
        raise NotImplementedError

    def run(self, run_id: str, store_url: str | None = None) -> Run:
        """The run of this id, the newest where several stores hold it. Raises UsageError where there is none."""
        raise NotImplementedError

    def runs(
        self,
        *,
        state: str | None = None,
        project: str | None = None,
        store_url: str | None = None,
        limit: int | None = MAX_LISTED,
    ) -> list[Run]:
        """The newest runs, newest first."""
        raise NotImplementedError

    def lead(self, name: str, holder: str, *, seconds: float) -> bool:
        """Whether `holder` leads `name` from now on for `seconds`: taken when nobody does, renewed by the same holder,
        by the database's clock. One that was suspended for longer is stopped by revisions and submission ids."""
        raise NotImplementedError

    def stop_leading(self, name: str, holder: str) -> None:
        """Give the lead up, if `holder` has it."""
        raise NotImplementedError

    def leader(self, name: str) -> str | None:
        """Who leads `name` now."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError
