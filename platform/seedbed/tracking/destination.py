"""MLflow, as the shipper sees it: the only file that imports it. Every call may be made twice and does its work once.

What makes that so, read in MLflow 3.17 (store/tracking/sqlalchemy_store.py) and held by tests: the primary key of a
metric is run, name, time, step and value, and `log_batch` leaves out rows that are there already; params that are there
with the same value are passed over, tags overwrite, dataset inputs are found by name and digest. A server hands all of
it to the same code. Only runs and model versions have names that MLflow makes up: they are found by our tags.
"""

import json
import logging
import math
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.tracking.description import Dataset

MAX_METRICS = 1000  # in one batch; MLflow's limits, utils/validation.py
MAX_PARAMS_OR_TAGS = 100
_REQUEST_TIMEOUT_S = 15  # MLflow's own 120 s and 7 tries would hold a run's end up
_MIN_UPLOAD_BYTES_PER_S = 5e6  # what a server takes at least: a model of 10 GB may take 2,000 s
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"  # read anew at each request
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the shipper tries again, and looks first at what has arrived
    _TIMEOUT: str(_REQUEST_TIMEOUT_S),
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",  # what is too long was dealt with, or is an error
}
_MAY_PASS = (408, 429)  # of the answers that say that the request is wrong: try again


class Unreachable(Exception):
    """MLflow did not answer, or said that it cannot now: the same call may succeed later."""


class Refused(Exception):
    """MLflow will not take this, however often it is sent."""


class Point(NamedTuple):
    """One value of a metric. The time is in milliseconds since 1970."""

    name: str
    value: float
    time_ms: int
    step: int


class Destination:
    """One experiment of one MLflow."""

    def __init__(self, uri: str, experiment: str, artifacts: Path | None) -> None:
        """`artifacts`: where a new experiment keeps its files; None leaves it to the server. Loads MLflow: seconds."""
        os.environ.update(_ENVIRONMENT)
        warnings.simplefilter("ignore")
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        self.uri, self._name, self._artifacts = uri, experiment, artifacts
        from mlflow.tracking.client import MlflowClient

        with _understood():
            self._client: Any = MlflowClient(uri, uri)
            self.experiment_id = self._experiment()

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._name)
        if found is None:
            with self._made_by_another():
                place = None if self._artifacts is None else (self._artifacts / self._name).as_uri()
                kind = {"mlflow.experimentKind": "custom_model_development"}  # else its page is that of chatbots
                return str(self._client.create_experiment(self._name, place, kind))
            found = self._client.get_experiment_by_name(self._name)
        if found.lifecycle_stage != "active":
            raise Refused(f"its experiment {self._name} was deleted: restore it, or set tracking.experiment")
        return str(found.experiment_id)

    @contextmanager
    def _made_by_another(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def find_run(self, tags: dict[str, str]) -> str | None:
        """The run that has all these tags."""
        return next(iter(self._runs(tags)), None)

    def _runs(self, tags: dict[str, str]) -> list[str]:
        """Those with metrics first. There are several where the answer to a creation was lost, and it came about."""
        condition = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        with _understood():
            found = self._client.search_runs([self.experiment_id], condition, max_results=100)
        return [run.info.run_id for run in sorted(found, key=lambda run: (not run.data.metrics, run.info.run_id))]

    def has_run(self, run: str) -> bool:
        from mlflow.exceptions import MlflowException

        with _understood():
            try:
                self._client.get_run(run)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return False
        return True

    def count_runs(self, tags: dict[str, str]) -> int:
        return len(self._runs(tags))

    def remove_twins(self, run: str, tags: dict[str, str]) -> None:
        """Delete the other runs with these tags that have no metrics: made by a creation whose answer was lost."""
        for twin in self._runs(tags):
            with _understood():
                if twin != run and not self._client.get_run(twin).data.metrics:
                    self._client.delete_run(twin)

    def create_run(self, name: str, tags: dict[str, str], started_at: float) -> str:
        with _understood():
            made = self._client.create_run(self.experiment_id, int(started_at * 1000), tags, name)
            return str(made.info.run_id)

    def log(self, run: str, points: Sequence[Point]) -> None:
        """At most MAX_METRICS at once: all of them arrive, or none."""
        from mlflow.entities import Metric

        with _understood():
            self._client.log_batch(run, metrics=[Metric(p.name, p.value, p.time_ms, p.step) for p in points])

    def describe(self, run: str, params: dict[str, str], tags: dict[str, str]) -> None:
        """Params that the run has keep their values, as MLflow's cannot change; what they would be now is a tag."""
        from mlflow.entities import Param, RunTag

        with _understood():
            known = self._client.get_run(run).data.params
            changed = {
                f"seedbed.changed.{key}": value for key, value in params.items() if known.get(key, value) != value
            }
            new = [Param(key, value) for key, value in params.items() if key not in known]
            all_tags = [RunTag(key, value) for key, value in {**tags, **changed}.items()]
            for start in range(0, len(new), MAX_PARAMS_OR_TAGS):
                self._client.log_batch(run, params=new[start : start + MAX_PARAMS_OR_TAGS])
            for start in range(0, len(all_tags), MAX_PARAMS_OR_TAGS):
                self._client.log_batch(run, tags=all_tags[start : start + MAX_PARAMS_OR_TAGS])

    def inputs(self, run: str, datasets: Sequence[Dataset]) -> None:
        from mlflow.entities import Dataset as MlflowDataset
        from mlflow.entities import DatasetInput, InputTag

        with _understood():
            given = [
                DatasetInput(
                    MlflowDataset(
                        d.name,
                        d.digest,
                        _source_type(d.source),
                        json.dumps({"uri": d.source}),
                        None,
                        json.dumps(d.profile),
                    ),
                    [InputTag("mlflow.data.context", d.context)],
                )
                for d in datasets
            ]
            self._client.log_inputs(run, given)

    def upload(self, run: str, place: str, data: bytes) -> None:
        """Put a file at `place` (`folder/name`) among the run's artifacts, in the place of what is there."""
        folder, _, name = place.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            local = Path(temporary) / name
            local.write_bytes(data)
            self.upload_file(run, folder, local)

    def upload_file(self, run: str, folder: str, local: Path) -> None:
        """Straight into the artifact store where the server does not stand before it."""
        try:
            with _understood(), _patience_for(local.stat().st_size):
                self._client.log_artifact(run, str(local), folder or None)
        except (Refused, Unreachable):
            raise
        except Exception as error:  # of that store's client, such as botocore's, or that it is not installed
            raise Unreachable(f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]) from error

    def set_status(self, run: str, status: str, ended_at: float | None) -> None:
        """RUNNING, or how and when it ended."""
        with _understood():
            if status == "RUNNING":
                self._client.update_run(run, status=status)
            else:
                self._client.set_terminated(run, status, None if ended_at is None else int(ended_at * 1000))

    def last_step(self, run: str, metric: str) -> int:
        """The greatest step of a metric; 0 where there is none."""
        with _understood():
            if metric not in self._client.get_run(run).data.metrics:
                return 0
            return max(point.step for point in self._client.get_metric_history(run, metric))

    def register(self, name: str, alias: str, source: str, run: str, tags: dict[str, str]) -> str:
        """The version of model `name` with these tags, registered if there is none. The alias only moves forward."""
        condition = " and ".join([f"name = '{name}'", *(f"tags.`{key}` = '{value}'" for key, value in tags.items())])
        with _understood():
            with self._made_by_another():
                self._client.create_registered_model(name, description="Exported by Seedbed; Hugging Face format.")
            found = self._client.search_model_versions(condition)
            version = min((int(found_one.version) for found_one in found), default=None)
            if version is None:
                if source.startswith("runs:/"):
                    from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

                    source = RunsArtifactRepository.get_underlying_uri(source, tracking_uri=self.uri)
                made = self._client.create_model_version(name, source, run, tags=tags, await_creation_for=0)
                version = int(made.version)
            newest = self._client.get_registered_model(name).aliases.get(alias)
            if newest is None or int(newest) < version:
                self._client.set_registered_model_alias(name, alias, str(version))
        return str(version)

    def version_tags(self, name: str, version: str) -> dict[str, str]:
        with _understood():
            return dict(self._client.get_model_version(name, version).tags)

    def tag_version(self, name: str, version: str, tags: dict[str, str]) -> None:
        with _understood():
            for key, value in tags.items():
                self._client.set_model_version_tag(name, version, key, value)


@contextmanager
def _patience_for(num_bytes: int) -> Iterator[None]:
    """A server answers an upload when it has handed all of it on, which takes as long as the file is large."""
    try:
        os.environ[_TIMEOUT] = str(_REQUEST_TIMEOUT_S + math.ceil(num_bytes / _MIN_UPLOAD_BYTES_PER_S))
        yield
    finally:
        os.environ[_TIMEOUT] = str(_REQUEST_TIMEOUT_S)


def _source_type(source: str) -> str:
    scheme, found, _ = source.partition("://")
    return scheme if found else "local"


@contextmanager
def _understood() -> Iterator[None]:
    """MLflow's errors as one of ours."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        said = " ".join(str(error).split())[:500]
        code = error.get_http_status_code()
        if 400 <= code < 500 and code not in _MAY_PASS:
            raise Refused(said) from error
        raise Unreachable(said) from error
    except (OSError, SQLAlchemyError) as error:  # what `requests` raises is an OSError
        raise Unreachable(" ".join(str(error).split())[:500] or type(error).__name__) from error
