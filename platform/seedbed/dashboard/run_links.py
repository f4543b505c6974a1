"""Where else a run can be looked at: MLflow and Ray."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.dashboard.page import is_web
from seedbed.dashboard.rows import Row
from seedbed.dashboard.watch import View
from seedbed.plan import Plan
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory
from seedbed.tracking.place import tracking_place
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
    mlflow = _mlflow(view, plan, state, cluster) if plan.run.tracking.enabled else None
    found = [] if mlflow is None else [mlflow]
    attempt = None if row.job is None else view.attempts.get(row.job.id)
    if cluster is not None and attempt is not None:
        gone = "" if cluster.state == ClusterState.UP else f"the cluster is {cluster.state}"
        page = f"{cluster.address.rstrip('/')}/#/jobs/{attempt.submission_id}"
        found.append(Link("Ray", page, gone) if is_web(page) else Link("Ray", None, cluster.address))
    return found


def _mlflow(view: View, plan: Plan, state: StateDirectory, cluster: Cluster | None) -> Link | None:
    """None where the run is in a SQLite file that is not on this machine."""
    if cluster is not None and cluster.mlflow_uri and plan.run.tracking.mlflow_uri is None:
        return _link("MLflow", cluster.mlflow_uri, view)
    place = tracking_place(plan, state)
    if not place.is_server and not Path(place.uri.removeprefix("sqlite:///")).exists():
        return None
    shipped = Memory(state, plan.run_id, place.uri).shipped
    where = place.where_to_look(shipped.experiment_id, shipped.run)
    return _link("MLflow", where, view)


def _link(name: str, where: str, view: View) -> Link:
    if not is_web(where):
        return Link(name, None, where)
    return Link(name, where, "does not answer" if view.mlflow.get(where) is False else "")
