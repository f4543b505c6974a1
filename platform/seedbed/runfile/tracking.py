"""Where a run is tracked. Nothing here changes what a run makes, so it is in no step's fingerprint."""

import re
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/:\"'`]+$")]
"""What MLflow takes as the name of a model, and its search for the name of an experiment."""


class TrackingConfig(Strict):
    """MLflow: a SQLite file in the state directory, or a server. A server that is down neither fails nor slows a run.

    A server's user and password are no part of a run file: see docs/tracking.md.
    """

    enabled: bool = Field(default=True, description="send the run to MLflow")
    mlflow_uri: str | None = Field(
        default=None,
        description="`http(s)://` server, or `sqlite:////absolute/path.db`; none: `mlflow/mlflow.db` in the state "
        "directory, artifacts beside it",
    )
    experiment: Name | None = Field(default=None, description="MLflow experiment; none: the run's name")
    registered_model: Name | None = Field(
        default=None, description="name of the exported model in MLflow's registry; none: the run's name"
    )
    alias: str = Field(
        default="newest",  # MLflow keeps `latest` to itself
        pattern=r"^[A-Za-z0-9_-]+$",
        max_length=255,
        description="alias of the model version that was registered last",
    )
    dashboard_url: str | None = Field(
        default=None, description="`http(s)://` address of `seedbed dashboard`: the run's page in MLflow links to it"
    )
    system_metrics_every_s: float | None = Field(
        default=10.0,
        ge=1,
        description="seconds between two looks at CPU, memory, disk, network and GPUs of each machine",
    )
    final_wait_s: float = Field(
        default=30.0, ge=0, description="seconds that a run waits at its end for MLflow; what is left is sent later"
    )

    @model_validator(mode="after")
    def _mlflow_takes_it(self) -> Self:
        if self.mlflow_uri is not None:
            check_uri(self.mlflow_uri)
        if self.dashboard_url is not None:
            if _split("dashboard_url", self.dashboard_url).scheme not in ("http", "https"):
                raise ValueError("dashboard_url: expected http(s)://host:port, with a path at most")
            _check_server("dashboard_url", self.dashboard_url)
        if self.alias.lower() == "latest" or re.fullmatch(r"[vV]\d+", self.alias):
            raise ValueError(f"alias {self.alias}: MLflow keeps this name to itself; take another, such as newest")
        return self


def check_uri(uri: str) -> None:
    """Raises ValueError, which never repeats more of the address than its scheme: it may hold a password."""
    parts = _split("mlflow_uri", uri)
    if parts.scheme == "sqlite":
        if not re.fullmatch(r"sqlite:////[^?#]*[^/?#]", uri):
            raise ValueError(
                "mlflow_uri: expected sqlite://// and the absolute path of a file: sqlite:////data/mlflow.db"
            )
    elif parts.scheme in ("http", "https"):
        _check_server("mlflow_uri", uri)
    elif parts.scheme in ("file", ""):
        raise ValueError(
            "mlflow_uri: MLflow itself refuses stores of plain files, and they keep twice what is sent twice; take "
            "sqlite:////data/mlflow.db or a server"
        )
    else:
        raise ValueError(
            f"mlflow_uri: found the scheme {parts.scheme}, expected http, https or sqlite; put a server before another "
            "database: mlflow server --backend-store-uri ..."
        )


def _split(key: str, uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:  # its words repeat the part that may hold a password
        raise ValueError(f"{key}: this is no address; expected http(s)://host:port, with a path at most") from None


def _check_server(key: str, uri: str) -> None:
    parts = _split(key, uri)
    if "@" in parts.netloc:
        cure = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN) in the environment"
        raise ValueError(
            f"{key}: it holds a user or a password, which would be kept with the run; "
            + (f"set {cure} instead" if key == "mlflow_uri" else "take it away")
        )
    try:
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.query or parts.fragment or re.search(r"\s", uri):
        raise ValueError(f"{key}: expected http(s)://host:port, with a path at most")
