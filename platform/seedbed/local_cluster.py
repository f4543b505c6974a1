"""A cluster of this machine that stays up: brought up, mended, taken down.

`bring_up` starts what does not run and leaves alone what does, so it can be repeated; what it began and could not
finish it ends again. `take_down` ends what `bring_up` began and nothing else. Both hold the lease `cluster`.
"""

import shutil
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from seedbed import cluster_record, processes
from seedbed.cluster_api import is_of_another_machine
from seedbed.cluster_record import LocalCluster
from seedbed.cluster_services import CONTROLLER, JOB_STOP_WAIT_S, MLFLOW, RAY, Service, ray_folder, services
from seedbed.controller.last_round import record_ends
from seedbed.errors import InfrastructureError, RayError, RegistryError, UsageError
from seedbed.programs import typed
from seedbed.ray_api import RayApi, read_token
from seedbed.registry.records import Cluster, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import ACTIVE, ClusterState, JobState
from seedbed.state import StateDirectory

Say = Callable[[str], None]

ACTOR = "seedbed cluster"
LOCAL = "local"
"""The cluster of this machine, in a registry that no other machine has."""
SLOW_S = 60.0  # what runs already and does not answer is given this long
POLL_S = 0.3
TELL_EVERY_S = 10.0  # of what is waited for
_UNFINISHED = ("PENDING", "RUNNING")  # of Ray's job states


def default_name(state: StateDirectory, registry: Registry) -> str:
    """As before; the first time `local`, or the machine's name where several share the registry."""
    known = cluster_record.read(state)
    if known is not None and known.name is not None:
        return known.name
    return LOCAL if registry.is_of_this_machine else socket.gethostname()


def bring_up(
    state: StateDirectory,
    registry: Registry,
    registry_url: str | None,
    *,
    name: str,
    cpus: int | None = None,
    gpus: int | None = None,
    mlflow_store: str | None = None,
    say: Say,
) -> bool:
    """Bring Ray, MLflow and the controller up and put the cluster into the registry; False where all of it was up.

    Raises UsageError where another cluster, or this one with other settings, is up here, or one of this name on another
    machine, and InfrastructureError when something does not come up.
    """
    require_not_another_machines(next((row for row in registry.clusters() if row.name == name), None))
    with state.lease("cluster", on_wait=lambda holder: say(f"waiting for another `seedbed cluster`: {holder}")):
        cluster = _settled(state, name, cpus, gpus, mlflow_store)
        cluster_record.make_token(cluster)
        end_remains(cluster)  # else they keep the ports, and the service would get others
        keep = {"mlflow"} if _runs(cluster, MLFLOW) else set()
        if _runs(cluster, RAY):
            keep |= set(cluster.ports) - {"mlflow"}
        cluster = cluster_record.with_free_ports(cluster, frozenset(keep))
        cluster_record.write(cluster)
        return start_services(cluster, registry, registry_url, say)


def _settled(
    state: StateDirectory, name: str, cpus: int | None, gpus: int | None, mlflow_store: str | None
) -> LocalCluster:
    """The record of the cluster as it is to be; settings that are not given stay what they were."""
    folder = cluster_record.cluster_folder(state)
    for inner in ("logs", "mlflow"):
        (folder / inner).mkdir(mode=0o700, exist_ok=True)
    known = cluster_record.read(state)
    if known is None or not known.has_ray:
        ports = known.ports if known else {}
        return LocalCluster(folder, name, cpus, gpus, mlflow_store, ports)
    asked: dict[str, Any] = {"name": name, "cpus": cpus, "gpus": gpus, "mlflow_store": mlflow_store}
    wanted = replace(known, **{key: value for key, value in asked.items() if value is not None})
    ray = (wanted.name, wanted.cpus, wanted.gpus) != (known.name, known.cpus, known.gpus) and _runs(known, RAY)
    if ray or (wanted.mlflow_store != known.mlflow_store and _runs(known, MLFLOW)):
        raise UsageError(
            f"the cluster {known.name} is up in {state.root}, with other settings: `seedbed cluster down` first, or"
            " take another --state for a second cluster"
        )
    return wanted


def start_services(cluster: LocalCluster, registry: Registry, registry_url: str | None, say: Say) -> bool:
    """Start what does not run, wait until all of it answers, and register the cluster; whether anything was to be done.

    Raises InfrastructureError for what does not answer; what was begun here is ended then.
    """
    begun: list[Service] = []
    changed = False
    try:
        first = [service for service in services(cluster, registry, registry_url) if service.name in (RAY, MLFLOW)]
        _start_missing(cluster, first, begun, say)
        _await(cluster, first, begun, say)
        changed = cluster.has_ray and _register(cluster, registry)
        # The controller comes last: it looks for its clusters in the registry.
        rest = [service for service in services(cluster, registry, registry_url) if service.name not in (RAY, MLFLOW)]
        _start_missing(cluster, rest, begun, say)
        _await(cluster, rest, begun, say)
    except BaseException:
        _end(cluster, begun)
        if changed and any(service.name == RAY for service in begun):
            with suppress(RegistryError):  # what failed first is what is told
                _register_end(cluster, registry, "did not come up")
        raise
    return changed or bool(begun)


def _start_missing(cluster: LocalCluster, wanted: Sequence[Service], begun: list[Service], say: Say) -> None:
    """Start what does not run, and note it in `begun` before."""
    for service in wanted:
        if _runs(cluster, service.name):
            if service.keeps_work or _answers(service, SLOW_S):
                continue
            say(f"{service.name} does not answer: ended, to be started anew")
        _end(cluster, [service])  # what a dead one has left
        if service.name == RAY:
            _forget_old_sessions(cluster)
        begun.append(service)
        log = cluster.log(service.name)
        say(f"starting {service.name} (log: {log})")
        pid = processes.start(service.command, cluster.mark(service.name), service.environment, log)
        cluster_record.write_private(cluster.folder / f"{service.name}.pid", str(pid))


def _await(cluster: LocalCluster, wanted: Sequence[Service], begun: Sequence[Service], say: Say) -> None:
    """Wait until all of them answer. Raises InfrastructureError as soon as one of them has ended or is too slow."""
    began = told_at = time.monotonic()
    waiting = list(wanted)
    while waiting:
        tells = time.monotonic() - told_at >= TELL_EVERY_S
        told_at = time.monotonic() if tells else told_at
        for service in list(waiting):
            ended = not _runs(cluster, service.name)
            fault = "its process has ended" if ended else service.fault()
            passed_s = time.monotonic() - began
            if fault is None:
                waiting.remove(service)
                if service in begun:
                    say(f"{service.name} is up after {passed_s:.0f} s")
            elif ended or passed_s > (service.start_timeout_s if service in begun else SLOW_S):
                raise InfrastructureError(_complaint(cluster, service, fault, service in begun))
            elif tells:
                say(f"waiting for {service.name} since {passed_s:.0f} s: {fault}")
        if waiting:
            time.sleep(POLL_S)


def _complaint(cluster: LocalCluster, service: Service, fault: str, begun: bool) -> str:
    log = cluster.log(service.name)
    if begun:
        return f"{service.name} did not come up: {fault}; its log is {log}"
    return (
        f"{service.name} runs and does not answer: {fault}; its log is {log}. It may be busy: try again."
        " `seedbed cluster down --now`, then `up`, starts it anew and ends what runs on it"
    )


def _answers(service: Service, seconds: float) -> bool:
    """Whether it answers within this time."""
    deadline = time.monotonic() + seconds
    while service.fault() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _runs(cluster: LocalCluster, service: str) -> bool:
    pid = cluster.pid(service)
    return pid is not None and processes.find(pid, cluster.mark(service)) is not None


def _end(cluster: LocalCluster, unwanted: Sequence[Service]) -> None:
    """End them, at the same time: each waits for its own processes for seconds."""

    def end(service: Service) -> None:
        processes.end(cluster.mark(service.name), cluster.pid(service.name), service.stop_grace_s)
        (cluster.folder / f"{service.name}.pid").unlink(missing_ok=True)

    with ThreadPoolExecutor() as pool:
        list(pool.map(end, unwanted))


def end_remains(cluster: LocalCluster) -> None:
    """End what Ray and MLflow have left where their main process is gone: a child may live on and hold its port."""
    for name in (RAY, MLFLOW):
        if not _runs(cluster, name):
            processes.end(cluster.mark(name), None, 0.0)


def _forget_old_sessions(cluster: LocalCluster) -> None:
    """Remove what Ray left in its folder, but for the newest session: its logs say why the last head ended."""
    folder = ray_folder(cluster)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != cluster.folder.stat().st_uid:
        raise InfrastructureError(f"{folder} belongs to somebody else: remove it, or set TMPDIR")
    folder.chmod(0o700)
    for session in sorted(path for path in folder.glob("session_2*") if not path.is_symlink())[:-1]:
        shutil.rmtree(session, ignore_errors=True)


def _register(cluster: LocalCluster, registry: Registry) -> bool:
    """Put the cluster into the registry; False where it stands there as it is."""
    assert cluster.name is not None
    known = next((row for row in registry.clusters() if row.name == cluster.name), None)
    require_not_another_machines(known)
    addresses: dict[str, Any] = {
        "address": cluster.job_server,
        "gcs_address": cluster.gcs_address,
        "mlflow_uri": cluster.mlflow_uri,
        "token_file": str(cluster.token_file),
        "host": own_host(registry),
    }
    if known and known.state == ClusterState.UP and all(getattr(known, key) == addresses[key] for key in addresses):
        return False
    row = Cluster(name=cluster.name, state=ClusterState.UP, heard_at=time.time(), **addresses)
    registry.save_cluster(row, reason="brought up on this machine", actor=ACTOR)
    return True


def own_host(registry: Registry) -> str | None:
    """What a row says of the machine that a loopback address is of; a registry that only this one has need not say."""
    return None if registry.is_of_this_machine else socket.gethostname()


def require_not_another_machines(row: Cluster | None) -> None:
    """Raises UsageError for a cluster of this name that is up on another machine."""
    if row is not None and row.state != ClusterState.DOWN and is_of_another_machine(row):
        raise UsageError(
            f"a cluster {row.name} is up on {row.host}, which has the same registry: choose another --name. Where that"
            f" machine is gone, `seedbed cluster down --name {row.name}` takes its cluster out of use afterwards"
        )


def _register_end(cluster: LocalCluster, registry: Registry, reason: str) -> None:
    for row in registry.clusters():
        if row.name == cluster.name and row.state != ClusterState.DOWN and not is_of_another_machine(row):
            registry.update_cluster(row.name, state=ClusterState.DOWN, actor=ACTOR, reason=reason)


def take_down(
    state: StateDirectory, registry: Registry, registry_url: str | None, *, now: bool = False, say: Say
) -> bool:
    """End the services of this state directory; jobs are told to stop first and have time for a checkpoint, unless
    `now`. False where nothing ran. What becomes of the cluster's jobs is said.

    Raises UsageError where drivers are connected that nobody submitted: they are not Ray's to stop.
    """
    with state.lease("cluster", on_wait=lambda holder: say(f"waiting for another `seedbed cluster`: {holder}")):
        cluster = cluster_record.read(state)
        if cluster is None:
            return False
        all_services = services(cluster, registry, registry_url)
        ran = [service for service in all_services if processes.marked(cluster.mark(service.name))]
        api = RayApi(cluster.job_server, read_token(cluster.token_file)) if cluster.has_ray else None
        if api is not None and not now and _runs(cluster, RAY):
            _require_no_drivers(api)
        _end(cluster, [service for service in all_services if service.name == CONTROLLER])  # it would start them anew
        stopped = api is not None and not now and _runs(cluster, RAY) and _stop_jobs(api, say)
        _end(cluster, [service for service in all_services if service.name != CONTROLLER])
        try:
            before = [job for job in registry.jobs(states=ACTIVE, limit=None) if job.cluster == cluster.name]
            if cluster.name is not None and _is_ours(cluster.name, registry):
                record_ends(registry, cluster.name, say)
        finally:  # its Ray is gone, whatever its jobs came to
            _register_end(cluster, registry, "taken down")
        if ran and cluster.name is not None:
            for job in sorted(before, key=lambda job: job.id):
                say(_left_behind(job, registry.job(job.id), stopped))
        return bool(ran)


def _is_ours(name: str, registry: Registry) -> bool:
    return any(row.name == name and not is_of_another_machine(row) for row in registry.clusters())


def _left_behind(before: Job, job: Job, stopped: bool) -> str:
    """What became of a job that was not over `before`; `stopped`: Ray has ended all of them before its end.

    That they left a checkpoint is not known here: one that has no time for it is killed.
    """
    named, name = f"job {job.id} ({job.run_id})", job.cluster
    if before.state == JobState.QUEUED:
        return f"{named} waits in the queue until {name} is up again"
    by_itself, by_force = "was told to stop at a checkpoint and has ended", "was ended with its Ray"
    ended = by_itself if stopped else f"{by_force}, and loses what it did after its newest checkpoint"
    if job.state == JobState.QUEUED:
        return f"{named} {ended}; it goes on when {name} is up again"
    if job.is_final:
        return f"{named} {ended}; it is {job.state}: {job.reason}"
    return f"{named} {ended}; what follows is decided when {name} is up again: {typed(f'seedbed describe {job.id}')}"


def _require_no_drivers(api: RayApi) -> None:
    try:
        jobs = api.jobs()
    except RayError:
        return  # with its job server gone, nobody can be asked
    drivers = [job for job in jobs if job.get("type") == "DRIVER" and job.get("status") in _UNFINISHED]
    if drivers:
        pids = ", ".join(str((job.get("driver_info") or {}).get("pid")) for job in drivers)
        raise UsageError(
            f"processes {pids} work on this cluster, and nobody submitted them: they would lose their Ray. End them"
            " first (SIGTERM lets a run checkpoint), or take it down with --now"
        )


def _stop_jobs(api: RayApi, say: Say) -> bool:
    """Tell every job to stop, and wait until Ray has ended them all, by SIGKILL where they take too long; whether it
    has."""
    deadline = time.monotonic() + JOB_STOP_WAIT_S + SLOW_S
    told: set[str] = set()
    try:
        while time.monotonic() < deadline:
            running = [job for job in api.jobs() if job.get("type") == "SUBMISSION" and job["status"] in _UNFINISHED]
            if not running:
                return True
            for submission_id in {str(job["submission_id"]) for job in running} - told:
                say(f"stopping job {submission_id} at a checkpoint")
                api.stop(submission_id)
                told.add(submission_id)
            time.sleep(POLL_S)
    except RayError as error:
        say(f"jobs could not be told to stop: {error}")
    return False
