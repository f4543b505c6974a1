"""What a job prints, read from the store while it goes and long after: it survives the cluster."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from seedbed.controller.follow_up import PRINTED_LAST
from seedbed.errors import RegistryUnreachable, StoreError, UsageError
from seedbed.job_table import TRAINING, rows_of
from seedbed.registry.records import Attempt, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import JobState
from seedbed.reports import LogReader, find_attempt
from seedbed.store import Store

POLL_S = 1.0
TAIL_BYTES = 1 << 16
"""Of each source, where somebody begins to follow a job that has run for long."""

EXIT_CODES = {JobState.FINISHED: 0, JobState.STOPPED: 0}
"""Of a job that left none of its own."""


@dataclass
class JobLog:
    """What one job printed, attempt by attempt."""

    registry: Registry
    job: Job
    source: str | None = None  # None: the driver and all ranks
    tail_bytes: int | None = None  # of the attempt that is read first
    _readers: dict[int, LogReader] = field(default_factory=dict)
    _store: Store | None = None

    def attempts(self) -> list[Attempt]:
        return self.registry.attempts(self.job.id)

    def new(self, attempt: Attempt) -> Iterator[tuple[str, str]]:
        """(source, text) of what came since in this attempt. Raises StoreError."""
        reader = self._reader(attempt)
        while reader is not None and (found := reader.new()):
            yield from found

    def printed_last(self, attempt: Attempt) -> str | None:
        """What Ray kept of a driver that did not live to report."""
        for event in self.registry.events(f"attempt {attempt.job_id}.{attempt.number}"):
            if PRINTED_LAST in event.details:
                return str(event.details[PRINTED_LAST])
        return None

    def _reader(self, attempt: Attempt) -> LogReader | None:
        if attempt.number not in self._readers:
            if self._store is None:
                self._store = Store(self.job.store_url)
            number = attempt.progress.get("store_attempt")
            if number is None:
                number = find_attempt(self._store, self.job.run_id, attempt.job_id, attempt.number)
            if number is None:
                return None
            reader = LogReader(self._store, self.job.run_id, number, self.source)
            if self.tail_bytes is not None and not self._readers:
                reader.skip_to_end(self.tail_bytes)
            self._readers[attempt.number] = reader
        return self._readers[attempt.number]


def attempt_of(attempts: list[Attempt], number: int | None, job: Job) -> Attempt:
    """The attempt of this number, or the newest. Raises UsageError."""
    if not attempts:
        raise UsageError(f"job {job.id} has not been started: {job.reason}")
    if number is None:
        return attempts[-1]
    found = [attempt for attempt in attempts if attempt.number == number]
    if not found:
        raise UsageError(f"job {job.id} has no attempt {number}; it has {len(attempts)}")
    return found[0]


def why_empty(job: Job, attempt: Attempt, rank: int | None) -> str:
    """Why the store has nothing that this rank (None: the driver) has printed in the attempt."""
    number = job.summary.get("training_ranks")
    if rank is None:
        return f"the driver has printed nothing in attempt {attempt.number}"
    if number is not None and rank >= number:
        there = "its only one is rank 0" if number == 1 else f"its ranks are 0 to {number - 1}"
        return f"job {job.id} has no rank {rank}: {there}"
    progress = attempt.progress
    if TRAINING in job.summary.get("cached", ()):
        return f"no rank was started in attempt {attempt.number}: the training was done before"
    if progress.get("training") is None and TRAINING not in (progress.get("steps_done") or ()):
        at = f": it is at {progress['step']}" if progress.get("step") and not job.is_final else ""
        return f"the training has not begun in attempt {attempt.number}{at}"
    return f"rank {rank} has printed nothing in attempt {attempt.number}"


def follow(log: JobLog, say: Callable[[str], None], write: Callable[[str, str], None]) -> Job:
    """Pass on what the job prints, attempt after attempt, and how its state changes, until it is over or its cluster
    was taken down; the job.

    A store or a registry that is out of reach for a while is waited for.
    """
    told: tuple[str, str] | None = None
    attempt: Attempt | None = None
    while True:
        try:
            [row] = rows_of(log.registry, [log.registry.job(log.job.id)])
            job, attempts = row.job, log.attempts()
        except RegistryUnreachable as error:
            say(str(error))
            time.sleep(POLL_S)
            continue
        if attempts and attempt is not None and attempts[-1].number != attempt.number:
            _drain(log, attempt, say, write)  # its last words came after the last look
            say(f"attempt {attempts[-1].number}")
        if attempts:
            attempt = attempts[-1]
            _drain(log, attempt, say, write)
        if job.is_final and attempt is not None and not attempt.progress and (printed := log.printed_last(attempt)):
            write("driver", printed)
        if (job.state, job.reason) != told:
            told = (job.state, job.reason)
            say(f"job {job.id} is {job.state}" + (f": {job.reason}" if job.reason else ""))
        if job.is_final:
            return job
        if row.is_cluster_down:
            say(f"the cluster {job.cluster} is down, and nothing of job {job.id} runs: it {row.why(time.time())}")
            return job
        time.sleep(POLL_S)


def _drain(log: JobLog, attempt: Attempt, say: Callable[[str], None], write: Callable[[str, str], None]) -> None:
    try:
        for source, text in log.new(attempt):
            write(source, text)
    except StoreError as error:
        if not error.transient:
            raise
        say(f"the store does not answer: {error}")


def exit_code(registry: Registry, job: Job) -> int:
    """What a command that waited for the job leaves with: the code of its last attempt."""
    attempts = registry.attempts(job.id)
    if job.state in EXIT_CODES and not (attempts and attempts[-1].failure):
        return EXIT_CODES[job.state]
    code = attempts[-1].exit_code if attempts else None
    return code if code is not None and 0 < code < 256 else 1
