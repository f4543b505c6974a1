import pytest

from seedbed.cluster_registration import register
from seedbed.errors import UsageError
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("http://me:secret@mlflow:5000", "mlflow_uri: it holds a user or a password"),
        ("http://mlflow:abc", "mlflow_uri: expected http(s)://host:port"),
        ("postgresql://me:secret@db/mlflow", "mlflow_uri: found the scheme postgresql"),
    ],
)
def test_an_mlflow_that_no_run_can_be_sent_to_is_refused_before_anything_is_asked_or_kept(tmp_path, uri, fault):
    state = StateDirectory(tmp_path)
    registry = open_registry(None, state)
    with pytest.raises(UsageError) as refused:
        register(
            state, registry, None, name="far", address="http://127.0.0.1:1", token_file=None, mlflow_uri=uri, say=print
        )
    assert str(refused.value).startswith(f"--mlflow-uri: {fault}")
    assert "secret" not in str(refused.value)
    assert registry.clusters() == []
    registry.close()
