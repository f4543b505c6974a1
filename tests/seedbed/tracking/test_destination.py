import os
from types import SimpleNamespace

import pytest

from seedbed.tracking.destination import Destination, Refused, Unreachable, _patience_for


def test_a_large_file_has_the_time_that_it_takes_and_what_comes_after_it_has_not(monkeypatch):
    """MLflow reads its timeout, in whole seconds, from the environment at each request."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")  # put back at the end
    with _patience_for(10_000_000_000):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "2015"  # 15 s, and 10 GB at 5 MB/s
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "15"
    with _patience_for(1):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "16"


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ModuleNotFoundError("No module named 'boto3'"), "ModuleNotFoundError: No module named 'boto3'"),
        (PermissionError("not yours"), "not yours"),
        (Refused("for ever"), None),
    ],
)
def test_an_error_of_an_artifact_store_s_own_client_may_pass(tmp_path, raised, said):
    """Its client talks to it in this process where no server stands before it; botocore's errors are no OSError."""

    def log_artifact(run, path, folder):
        raise raised

    destination = Destination.__new__(Destination)
    destination._client = SimpleNamespace(log_artifact=log_artifact)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(Refused if said is None else Unreachable, match=said):
        destination.upload_file("run", "run", tmp_path / "plan.json")
