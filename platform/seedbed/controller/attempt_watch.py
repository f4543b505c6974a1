"""What the controller knows of an attempt from its looks so far: the facts that it is judged by."""

import math
import time
from dataclasses import dataclass, field

from seedbed.controller.cluster_watch import ClusterWatch
from seedbed.controller.job_look import JobLook, Place, Question, is_partial
from seedbed.controller.judge import ENDED, SILENT_AFTER_REMOTE_S, SILENT_AFTER_S, Facts, RayWord, Verdict
from seedbed.registry.records import Attempt, Cluster, Job
from seedbed.registry.states import ClusterState, JobState

MAX_SEND_FAULTS = 5


@dataclass
class AttemptWatch:
    """Times are this process's own: a driver's clock may be another."""

    place: Place = field(default_factory=Place)
    look: JobLook | None = None  # the newest that could be read
    fault: str | None = None  # why a newer one could not
    sequence: int | None = None  # of the newest heartbeat
    new_at: float = 0.0  # when a look first saw it
    moves: bool = False  # it was seen to change: an old one is old since then, and not since this process began
    word: RayWord | None = None
    over_since: float | None = None  # Ray says that it has ended, or that it does not know it
    unknown_since: float = 0.0
    num_unknown: int = 0
    heard_ray_at: float = 0.0
    sent_at: float = 0.0
    send_faults: int = 0
    verdict: Verdict | None = None  # what sending it came to
    told_ray: set[str] = field(default_factory=set)  # what of a person's requests Ray was told

    def hear_store(self, look: JobLook) -> bool:
        """Whether there is a new heartbeat. What cannot be read says nothing: neither that there is no result, nor that
        the attempt is silent."""
        self.fault = look.fault
        if look.fault is not None:
            return False
        self.look = look
        sequence = (look.heartbeat or {}).get("sequence")
        if sequence is None or sequence == self.sequence:
            return False
        self.moves = self.sequence is not None
        self.sequence, self.new_at = sequence, look.began_at
        return True

    def hear_ray(self, watch: ClusterWatch, row: Cluster, submission_id: str, now: float) -> None:
        """Take in the cluster's newest answer, once. A cluster that was taken down knows nothing."""
        is_down = row.state == ClusterState.DOWN
        if not is_down and (watch.look is None or watch.num_failed or submission_id not in watch.look.words):
            return
        asked_at = now if is_down or watch.look is None else watch.look.began_at
        heard_at = now if is_down or watch.look is None else watch.look.ended_at
        if asked_at <= max(self.heard_ray_at, self.sent_at):
            return
        self.heard_ray_at = heard_at
        self.word = None if is_down or watch.look is None else watch.look.words[submission_id]
        if self.word is None:
            self.unknown_since = self.unknown_since if self.num_unknown else heard_at
            self.num_unknown += 1
        else:
            self.num_unknown = 0
        if self.word is not None and self.word.status not in ENDED:
            self.over_since = None
        elif self.over_since is None:
            self.over_since = heard_at

    def is_sent(self, now: float) -> None:
        """What Ray answered before does not count any more."""
        self.sent_at, self.num_unknown, self.over_since = now, 0, None

    def question(self, job: Job, attempt: Attempt) -> Question:
        return Question(job, attempt, self.place, self.over_since is not None)

    @property
    def silent_s(self) -> float | None:
        """Since the newest heartbeat was new, as far as the store was read; None before the first."""
        if self.look is None or self.sequence is None:
            return None
        return self.look.began_at - self.new_at

    def facts(
        self, job: Job, attempt: Attempt, watch: ClusterWatch, row: Cluster, is_local: bool, asked_by: str
    ) -> Facts:
        look = self.look
        # Of a lost one the heartbeat that a new controller finds may be the one after which it was lost.
        is_known_silent = job.state == JobState.LOST and not self.moves
        is_read = look is not None and look.is_over and self.over_since is not None
        return Facts(
            ray_answers=row.state == ClusterState.DOWN or watch.answers,
            ray=self.word if watch.answers or row.state == ClusterState.DOWN else None,
            unknown_probes=self.num_unknown,
            unknown_s=self.heard_ray_at - self.unknown_since if self.num_unknown else 0.0,
            is_heard=self.sequence is not None,
            silent_s=math.inf if is_known_silent else self.silent_s or 0.0,
            silent_after_s=SILENT_AFTER_S if is_local else SILENT_AFTER_REMOTE_S,
            end=look.end if look else None,
            is_store_read=is_read and look is not None and look.began_at >= (self.over_since or 0.0),
            run_state=look.run_state if look else None,
            is_complete=look.is_complete if look else False,
            is_partial=is_partial(job),
            damage=look.damage if look else None,
            age_s=time.time() - attempt.started_at,
            asked_by=asked_by,
        )
