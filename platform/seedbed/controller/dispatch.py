"""An attempt is given to Ray: its bundle, its command. Can be done again after any failure."""

import shlex
import sys
from urllib.parse import urlsplit

from seedbed import reports
from seedbed.bundle import FOLDER, fetch
from seedbed.cluster_api import api_of
from seedbed.registry.records import Attempt, Cluster, Job
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.submission import is_this_machine

PYTHON = "python"
"""On a cluster's machines: the image's own. On this machine it is the one that runs here."""


def dispatch(
    job: Job, attempt: Attempt, cluster: Cluster, store: Store, state: StateDirectory, dashboard_url: str | None
) -> bool:
    """Whether Ray did not have it yet. Raises RayError, StoreError and UsageError."""
    request = reports.read_request(store, job.run_id)
    if request is not None and request.job == job.id:
        reports.withdraw_request(store, job.run_id)  # it was meant for an earlier attempt
    bundle = fetch(store, job.bundle, state.folder(FOLDER))
    api = api_of(cluster)
    return api.submit(
        attempt.submission_id,
        entrypoint(job, attempt, cluster, dashboard_url),
        runtime_env={"working_dir": api.upload_package(bundle.path)},
        metadata={"seedbed_job": str(job.id), "seedbed_run": job.run_id, "job_name": job.name},
    )


def entrypoint(job: Job, attempt: Attempt, cluster: Cluster, dashboard_url: str | None = None) -> str:
    """The shell's command. `exec`: a signal that ends the driver is the job's, and so is its exit code.

    MLflow and dashboard are told here and not in the bundle: a retry goes to where they are now.
    """
    host = urlsplit(cluster.address).hostname or ""
    python = shlex.quote(sys.executable) if is_this_machine(host) else PYTHON
    command = (
        f"exec {python} -m jobs.submitted launch.json --bundle {job.bundle} --job {job.id} --attempt {attempt.number}"
        f" --submitted-at {attempt.started_at:.3f}"
    )
    more = {"--owner": job.owner, "--mlflow-uri": cluster.mlflow_uri, "--dashboard-url": dashboard_url}
    return command + "".join(f" {shlex.quote(f'{name}={value}')}" for name, value in more.items() if value)


def end_in_ray(submission_id: str, cluster: Cluster) -> bool:
    """SIGTERM; Ray sends SIGKILL where that does not end it. Raises RayError and UsageError."""
    return api_of(cluster).stop(submission_id)
