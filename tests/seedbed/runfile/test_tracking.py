import pytest
from pydantic import ValidationError

from seedbed.errors import RunFileError
from seedbed.runfile.load import load_run
from seedbed.runfile.tracking import TrackingConfig


@pytest.mark.parametrize("uri", ["http://localhost:5000", "https://mlflow.example/team", "sqlite:////data/mlflow.db"])
def test_a_server_and_a_sqlite_file_are_taken(uri):
    assert TrackingConfig(mlflow_uri=uri).mlflow_uri == uri


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("file:///data/mlruns", "refuses stores of plain files"),
        ("mlruns", "refuses stores of plain files"),
        ("sqlite:///mlflow.db", "the absolute path"),
        ("sqlite:////data/", "the absolute path"),
        ("sqlite://", "the absolute path"),
        ("postgresql://host/db", "found the scheme postgresql"),
        ("databricks", "refuses stores of plain files"),
        ("http://", "expected http(s)://host:port"),
        ("http://host:port", "expected http(s)://host:port"),
        ("http://host:99999", "expected http(s)://host:port"),
        ("http://host/?a=b", "expected http(s)://host:port"),
        ("http://a host", "expected http(s)://host:port"),
    ],
)
def test_what_mlflow_would_not_take_is_an_error_at_once(uri, said):
    with pytest.raises(ValidationError) as refused:
        TrackingConfig(mlflow_uri=uri)
    assert said in str(refused.value)


def test_the_dashboards_address_is_one_without_a_password():
    assert TrackingConfig(dashboard_url="http://head:8780/seedbed").dashboard_url == "http://head:8780/seedbed"
    for wrong in ("head:8780", "ftp://head", "http://", "http://head/?a=b", "http://joe:s3cret@head"):
        with pytest.raises(ValidationError) as refused:
            TrackingConfig(dashboard_url=wrong)
        assert "Value error, dashboard_url: " in str(refused.value)
        assert "MLFLOW" not in str(refused.value)


@pytest.mark.parametrize("alias", ["latest", "Latest", "v3", "new est", ""])
def test_an_alias_that_mlflow_keeps_to_itself_is_an_error(alias):
    with pytest.raises(ValidationError):
        TrackingConfig(alias=alias)


@pytest.mark.parametrize("uri", ["http://joe:s3cret@h\u2100st:5000", "http://joe:s3cret@[host:5000"])
def test_an_address_that_cannot_be_read_is_repeated_nowhere(run_file, uri):
    """urlsplit refuses both; of the first it repeats user and password."""
    run_file.write_text(f"{run_file.read_text()}tracking: {{mlflow_uri: {uri!r}}}\n", encoding="utf-8")
    with pytest.raises(RunFileError) as refused:
        load_run(run_file)
    assert "mlflow_uri: this is no address" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_password_is_refused_and_repeated_nowhere(run_file):
    uri = "http://joe:s3cret@host:5000"
    run_file.write_text(f"{run_file.read_text()}tracking: {{mlflow_uri: {uri!r}}}\n")
    with pytest.raises(RunFileError) as in_file:
        load_run(run_file)
    with pytest.raises(RunFileError) as on_command_line:
        load_run(run_file, [f"tracking.mlflow_uri={uri}"])
    for refused in (in_file, on_command_line):
        assert "MLFLOW_TRACKING_PASSWORD" in str(refused.value)
        assert "s3cret" not in str(refused.value)
        assert "joe" not in str(refused.value)


def test_tracking_is_in_no_fingerprint_and_in_no_run_id(run_file, tmp_path):
    from seedbed.plan import make_plan
    from seedbed.store import Store

    store = Store(str(tmp_path / "store"))
    plain = make_plan(load_run(run_file), store)
    tracked = make_plan(load_run(run_file, ["tracking.mlflow_uri=http://host:5000", "tracking.alias=best"]), store)
    assert tracked.run_id == plain.run_id
    assert [step.fingerprint for step in tracked.steps] == [step.fingerprint for step in plain.steps]
