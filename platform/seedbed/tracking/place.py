"""Which MLflow a run goes to, and how a person gets there."""

import shlex
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedbed.programs import typed

if TYPE_CHECKING:  # commands on jobs look at servers and at no plan, which takes half a second to load
    from seedbed.plan import Plan
    from seedbed.state import StateDirectory

_PROBE_TIMEOUT_S = 1.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class TrackingPlace:
    """An experiment of an MLflow."""

    uri: str
    experiment: str
    artifacts: Path | None  # for SQLite: where a new experiment keeps its files

    @property
    def is_server(self) -> bool:
        return self.artifacts is None

    def answers(self) -> bool:
        """Whether somebody listens at the server's port; waits a second at most. A SQLite file needs nobody."""
        if not self.is_server:
            return True
        try:
            parts = urlsplit(self.uri)
            with socket.create_connection((parts.hostname, parts.port or _PORTS[parts.scheme]), _PROBE_TIMEOUT_S):
                return True
        except (OSError, ValueError):  # ValueError: an address that names no port, of an older registry
            return False

    def where_to_look(self, experiment_id: str | None, run: str | None) -> str:
        """The run's page, or the command that shows it."""
        if not self.is_server:
            return typed(f"mlflow ui --backend-store-uri {shlex.quote(self.uri)}")
        # Without the last part, MLflow 3 shows its pages for chatbots around the run.
        page = f"/#/experiments/{experiment_id}/runs/{run}?workflowType=machine_learning" if run else ""
        return f"{self.uri.rstrip('/')}{page}"


def is_server(uri: str) -> bool:
    """Whether it is an address of the web. Only such a one may be a link: it could as well be `javascript:`."""
    return uri.lower().startswith(("http://", "https://"))


def silent_servers(uris: Iterable[str | None]) -> list[str]:
    """Those of these MLflow servers at whose port nobody listens; each is asked once."""
    servers = sorted({uri for uri in uris if uri and is_server(uri)})
    return [uri for uri in servers if not TrackingPlace(uri, "", None).answers()]


def tracking_place(plan: "Plan", state: "StateDirectory") -> TrackingPlace:
    """Where the run file sends the run. Not by `plan.run`, so that runs of an older Seedbed are found, too."""
    config = plan.config.get("tracking", {})
    uri = config.get("mlflow_uri") or f"sqlite:///{state.root}/mlflow/mlflow.db"
    artifacts = None
    if uri.startswith("sqlite:"):
        artifacts = Path(uri.removeprefix("sqlite:///")).parent / "artifacts"
    return TrackingPlace(uri, config.get("experiment") or plan.name, artifacts)
