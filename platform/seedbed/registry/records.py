"""What the registry remembers, as frozen records. Times are seconds since the epoch, UTC."""

from dataclasses import dataclass, field
from typing import Any

from seedbed.registry.states import FINAL, AttemptState, ClusterState, Desired, JobState, Level


@dataclass(frozen=True)
class NewJob:
    """A submission before it has an id."""

    key: str  # two submissions with one key are one job, while it is not over
    run_id: str
    name: str
    project: str
    owner: str
    cluster: str  # name
    store_url: str  # Store.place
    bundle: str  # digest
    cpus: float
    gpus: float
    priority: int = 0  # higher first
    after: int | None = None  # the job that must be finished before
    max_retries: int = 0
    until: str | None = None  # the step after which it ends
    over_budget: str | None = None  # why it may start though the budget refuses it
    summary: dict[str, Any] = field(
        default_factory=dict
    )  # num_steps, tokens, predicted seconds and cost, git commit ..


@dataclass(frozen=True)
class Job(NewJob):
    """One submission of a run to a cluster."""

    id: int = 0
    revision: int = 0  # counts transitions and requests; a change made from an older one is refused
    state: JobState = JobState.QUEUED
    state_since: float = 0.0
    desired: Desired = Desired.RUN
    reason: str = ""  # a sentence: why it waits, why it failed
    not_before: float | None = None  # of a retry: when it may start
    submitted_at: float = 0.0
    started_at: float | None = None  # of its first attempt
    ended_at: float | None = None
    infrastructure_faults: int = 0
    user_faults: int = 0

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True)
class Attempt:
    """One start of a job on Ray."""

    job_id: int
    number: int  # from 1
    submission_id: str  # what Ray knows it by
    state: AttemptState
    started_at: float
    failure: str | None = None  # a value of seedbed.failures.FailureClass
    reason: str = ""
    exit_code: int | None = None
    node: str | None = None
    heard_at: float | None = None  # its newest heartbeat
    ended_at: float | None = None
    progress: dict[str, Any] = field(default_factory=dict)  # its newest heartbeat


@dataclass(frozen=True)
class Event:
    """Something that happened. Never changed, never removed; ids ascend in the order in which events became visible."""

    id: int
    at: float
    actor: str  # a person, or a part of Seedbed
    subject_kind: str  # job, attempt, run, cluster
    subject_id: str
    from_state: str | None
    to_state: str | None  # None where no state changed
    reason: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """`job 12`, `attempt 12.1`, `run demo-0a1b2c3d`, `cluster local`."""
        return f"{self.subject_kind} {self.subject_id}"


@dataclass(frozen=True)
class Alarm:
    """Something that a person should look at; it stands until it is cleared."""

    id: int
    kind: str
    subject_kind: str
    subject_id: str
    level: Level
    message: str
    raised_at: float
    cleared_at: float | None = None
    acknowledged_by: str | None = None

    @property
    def subject(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"


@dataclass(frozen=True)
class Cluster:
    """A Ray that is up, or was."""

    name: str
    address: str  # Ray's job server, http://host:port
    gcs_address: str  # host:port
    state: ClusterState
    mlflow_uri: str | None = None
    token_file: str | None = None  # a path: the token itself is never in the registry
    host: str | None = None  # the machine that its address is of alone, in a registry of several; None: of any
    heard_at: float | None = None
    snapshot: dict[str, Any] = field(default_factory=dict)  # nodes and their use, as the controller saw them
    controller: dict[str, Any] = field(default_factory=dict)  # host, pid, at


@dataclass(frozen=True)
class Run:
    """A run that a store holds. One run id may stand in several stores."""

    run_id: str
    store_url: str  # Store.place
    name: str
    created_at: float
    state: str  # of `seedbed.runs`, GONE or DAMAGED
    reason: str = ""
    seen_at: float = 0.0  # when the store was last looked at and something had changed
    stamp: str = ""  # what tells this run.json from a later one without reading it
    summary: dict[str, Any] = field(default_factory=dict)
