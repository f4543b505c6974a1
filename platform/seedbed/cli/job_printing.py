"""What commands on jobs share: how a job is followed, warned of, and told."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.shown import shown
from seedbed.programs import typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedbed.registry.records import Job
    from seedbed.registry.registry import Registry

JobArgument = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="A job's number, a run's id or name: then its newest.",
        show_default=False,
        autocompletion=completion.jobs,
    ),
]
INTERRUPTED_EXIT_CODE = 130


def follow_to_the_end(registry: "Registry", job: "Job", source: str | None = "driver", tail: bool = False) -> int:
    """Show what the job prints until it is over; the exit code that goes with it. Ctrl-C leaves the job alone."""
    from seedbed.cli.printing import console
    from seedbed.following import TAIL_BYTES, JobLog, exit_code, follow
    from seedbed.job_table import next_command, rows_of

    def say(line: str) -> None:
        console().print(f"-- {line}", soft_wrap=True)

    log = JobLog(registry, job, source, TAIL_BYTES if tail else None)
    try:
        job = follow(log, say, Writer(with_names=source is None))
    except KeyboardInterrupt:
        say(f"job {job.id} goes on without you; follow it again with: {typed(f'seedbed logs -f {job.id}')}")
        return INTERRUPTED_EXIT_CODE
    [row] = rows_of(registry, [job])
    then = next_command(job, is_cluster_down=row.is_cluster_down, written=typed)
    console().print(f"next: {then}", soft_wrap=True)
    return exit_code(registry, job)


class Writer:
    """Puts out text of several sources, each line with its source's name where they are mixed."""

    def __init__(self, with_names: bool) -> None:
        self._with_names = with_names

    def __call__(self, source: str, text: str) -> None:
        text = shown(text)
        if self._with_names:
            text = "".join(f"{source}: {line}" for line in text.splitlines(keepends=True))
        sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
        sys.stdout.flush()


def print_queued_again(registry: "Registry", job: "Job", as_json: bool) -> None:
    """After `retry` and `resume`; with what `submit` tells of a cluster that does not answer."""
    from seedbed.cli.printing import console, print_json
    from seedbed.cluster_choice import what_it_waits_for
    from seedbed.job_table import next_command, rows_of

    note = what_it_waits_for(registry, job)
    if as_json:
        print_json({"job": job.id, "run": job.run_id, "state": job.state, "note": note})
        return
    [row] = rows_of(registry, [job])
    console().print(f"job {job.id} ({job.run_id}): queued again", soft_wrap=True)
    if note:
        console().print(note, soft_wrap=True)
    then = next_command(job, is_cluster_down=row.is_cluster_down, written=typed)
    console().print(f"next: {then}", soft_wrap=True)


def print_silence(registry: "Registry") -> None:
    """On standard error where the controller is not heard: what is shown may be old."""
    from seedbed.controller.silence import check_controller
    from seedbed.login import login_name

    silence = check_controller(registry, login_name())
    if silence is not None:
        print(f"warning: {silence}", file=sys.stderr)


def print_silent_clusters(registry: "Registry", jobs: "Sequence[Job]") -> None:
    """On standard error, each cluster of jobs that are not over, where it does not answer the controller."""
    from seedbed.job_description import moment
    from seedbed.registry.states import ClusterState

    needed = {job.cluster for job in jobs if not job.is_final}
    for cluster in registry.clusters():
        if cluster.name in needed and cluster.state == ClusterState.UNREACHABLE:
            heard = f" since {moment(cluster.heard_at)}" if cluster.heard_at else ""
            print(
                f"warning: the cluster {cluster.name} does not answer{heard}: its jobs are shown as they were then; see"
                f" `{typed('seedbed cluster status')}`",
                file=sys.stderr,
            )


def print_silent_mlflow(registry: "Registry", jobs: "Sequence[Job]") -> None:
    """On standard error, each MLflow server of jobs that are not over, where it does not answer. Of a cluster that was
    taken down nothing runs, and its MLflow is not missed."""
    from seedbed.job_description import mlflow_uri
    from seedbed.registry.states import ClusterState
    from seedbed.tracking.place import silent_servers

    clusters = {cluster.name: cluster for cluster in registry.clusters()}
    down = {name for name, cluster in clusters.items() if cluster.state == ClusterState.DOWN}
    at_work = [job for job in jobs if not job.is_final and job.cluster not in down]
    for uri in silent_servers(mlflow_uri(job, clusters.get(job.cluster)) for job in at_work):
        print(
            f"warning: MLflow at {uri} does not answer: jobs go on, and what it misses is sent later; see"
            f" `{typed('seedbed cluster status')}`",
            file=sys.stderr,
        )
