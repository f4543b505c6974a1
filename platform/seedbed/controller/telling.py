"""What the controller tells those who read the registry: that it lives, what clusters are doing, what is wrong."""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.controller import alarm_rules
from seedbed.controller.attempt_watch import AttemptWatch
from seedbed.controller.cluster_watch import ClusterWatch
from seedbed.controller.follow_up import ACTOR
from seedbed.registry.records import Alarm, Attempt, Cluster, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import ClusterState, JobState

STARTED = (JobState.STARTING, JobState.RUNNING, JobState.STOPPING)
"""States of jobs that are on a cluster."""
MAX_LOST = 100
"""Newest lost jobs that alarms are raised for; those of older ones stand as long as they are lost."""

Followed = Sequence[tuple[Job, Attempt, AttemptWatch]]


def report(
    registry: Registry, rows: Mapping[str, Cluster], watches: Mapping[str, ClusterWatch], followed: Followed
) -> None:
    """Bring the clusters' rows up to date, with the time as a sign of life."""
    registry.clear_alarm(
        alarm_rules.CONTROLLER_SILENT, "controller", "registry", reason="it is heard again", actor=ACTOR
    )
    controller = {"host": socket.gethostname(), "pid": os.getpid(), "at": time.time()}
    for name, row in rows.items():
        watch = watches[name]
        changes: dict[str, Any] = {"controller": controller}
        if watch.look is not None and watch.answers and row.state != ClusterState.DOWN:
            here = [
                _on_cluster(job, attempt)
                for job, attempt, _ in followed
                if job.cluster == name and job.state in STARTED
            ]
            changes |= {"snapshot": watch.look.snapshot() | {"jobs": here}, "heard_at": watch.look.ended_at}
        state = watch.state(row)
        if state != row.state:
            changes["state"] = state
        registry.update_cluster(name, actor=ACTOR, reason=watch.fault or "it answers again", **changes)


def _on_cluster(job: Job, attempt: Attempt) -> dict[str, Any]:
    return {
        "job": job.id,
        "run": job.run_id,
        "owner": job.owner,
        "state": job.state,
        "attempt": attempt.number,
        "cpus": job.cpus,
        "gpus": job.gpus,
        "node": attempt.progress.get("ray_node"),
    }


def raise_alarms(
    registry: Registry,
    rows: Mapping[str, Cluster],
    watches: Mapping[str, ClusterWatch],
    followed: Followed,
    store_faults: Mapping[str, str],
) -> None:
    """Raise what is wrong now, and clear what is not any more."""
    wanted = [alarm for name, row in rows.items() if (alarm := watches[name].alarm(row))]
    wanted += [alarm_rules.store_unreachable(url, why) for url, why in store_faults.items()]
    standing = registry.alarms()
    wanted += _lost(registry, standing)
    undecided = {
        (alarm_rules.CLUSTER_UNREACHABLE, "cluster", name)
        for name, row in rows.items()
        if row.state != ClusterState.DOWN and not watches[name].answers
    }
    for job, attempt, watch in followed:
        if watch.fault is not None:
            wanted.append(alarm_rules.job_unreadable(job, watch.fault))
        elif watch.look is None:
            undecided.add((alarm_rules.JOB_UNREADABLE, "job", str(job.id)))
        if watch.look is None or (watch.silent_s is not None and not watch.moves):
            undecided.add((alarm_rules.HEARTBEAT_OLD, "job", str(job.id)))
        if job.state not in STARTED:
            continue
        if not watches[job.cluster].answers:
            kinds = (alarm_rules.HEARTBEAT_OLD, alarm_rules.BUDGET_NEAR)
            undecided.update((kind, "job", str(job.id)) for kind in kinds)
            continue
        if watch.sequence is None and watch.look is not None:
            wanted += alarm_rules.not_heard(job, watch.look.began_at - attempt.started_at)
        wanted += alarm_rules.of_job(job, watch.silent_s, attempt.progress.get("spending"))
    new, over = alarm_rules.changes(standing, wanted, frozenset(undecided))
    for alarm in new:
        about = (alarm.kind, alarm.subject_kind, alarm.subject_id)
        registry.raise_alarm(*about, level=alarm.level, message=alarm.message, actor=ACTOR)
    for old in over:
        about = (old.kind, old.subject_kind, old.subject_id)
        registry.clear_alarm(*about, reason=f"over: {old.message}", actor=ACTOR)


def _lost(registry: Registry, standing: Sequence[Alarm]) -> list[alarm_rules.DueAlarm]:
    """Of the newest lost jobs, and of those whose alarm stands."""
    lost = {job.id: job for job in registry.jobs(states={JobState.LOST}, limit=MAX_LOST)}
    told = {int(alarm.subject_id) for alarm in standing if alarm.kind == alarm_rules.JOB_LOST}
    older = [job for number in told - lost.keys() if (job := registry.job(number)).state == JobState.LOST]
    found = []
    for job in (*lost.values(), *older):
        [newest] = registry.jobs(run_id=job.run_id, store_url=job.store_url, limit=1)
        if newest.id == job.id:  # else its run was submitted again
            found.append(alarm_rules.job_lost(job))
    return found
