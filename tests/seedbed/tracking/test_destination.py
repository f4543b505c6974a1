import os

from seedbed.tracking.destination import _patience_for


def test_a_large_file_has_the_time_that_it_takes_and_what_comes_after_it_has_not(monkeypatch):
    """MLflow reads its timeout, in whole seconds, from the environment at each request."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")  # put back at the end
    with _patience_for(10_000_000_000):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "2015"  # 15 s, and 10 GB at 5 MB/s
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "15"
    with _patience_for(1):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "16"
