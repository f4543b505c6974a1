"""Where else a run can be looked at: MLflow and Ray."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.dashboard.rows import Row
from seedbed.dashboard.watch import View
from seedbed.plan import Plan
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory
from seedbed.tracking.place import TrackingPlace, is_server, tracking_place
from seedbed.tracking.shipped import Memory


@dataclass(frozen=True)
class Link:
    """A place outside; without `url`, what to type to get there."""

    name: str
    url: str | None
    note: str = ""


def links(view: View, row: Row, plan: Plan, state: StateDirectory) -> list[Link]:
    """MLflow, and of a job Ray's own page."""
    cluster = next((c for c in view.clusters if row.job is not None and c.name == row.job.cluster), None)
    is_tracked = plan.config.get("tracking", {}).get("enabled", True)  # not by `plan.run`: see `tracking_place`
    mlflow = _mlflow(view, row, plan, state, cluster) if is_tracked else None
    found = [] if mlflow is None else [mlflow]
    attempt = None if row.job is None else view.attempts.get(row.job.id)
    if cluster is not None and attempt is not None:
        gone = "" if cluster.state == ClusterState.UP else f"the cluster is {cluster.state}"
        page = f"{cluster.address.rstrip('/')}/#/jobs/{attempt.submission_id}"
        found.append(Link("Ray", page, gone) if is_server(page) else Link("Ray", None, cluster.address))
    return found


def _mlflow(view: View, row: Row, plan: Plan, state: StateDirectory, cluster: Cluster | None) -> Link | None:
    """The run's page: a job's driver says which, and the registry where its server is now. None where the run is in a
    SQLite file that is not on this machine."""
    uri = plan.config.get("tracking", {}).get("mlflow_uri") or (cluster.mlflow_uri if cluster is not None else None)
    if row.job is not None and uri and is_server(uri):
        attempt = view.attempts.get(row.job.id)
        told = (row.heartbeat.get("mlflow") or (attempt.progress.get("mlflow") if attempt else None)) or {}
        page = TrackingPlace(uri, "", None).where_to_look(told.get("experiment_id"), told.get("run"))
        return _link("MLflow", page, view, uri)
    if cluster is not None and uri and not is_server(uri):
        return _link("MLflow", uri, view, uri)
    place = tracking_place(plan, state)
    if not place.is_server and not Path(place.uri.removeprefix("sqlite:///")).exists():
        return None
    shipped = Memory(state, plan.run_id, place.uri).shipped
    where = place.where_to_look(shipped.experiment_id, shipped.run)
    return _link("MLflow", where, view, place.uri)


def _link(name: str, where: str, view: View, uri: str) -> Link:
    if not is_server(where):
        return Link(name, None, where)
    return Link(name, where, "does not answer" if view.mlflow.get(uri) is False else "")
