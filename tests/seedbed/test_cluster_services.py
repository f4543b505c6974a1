import pytest

from seedbed import cluster_services
from seedbed.cluster_record import LocalCluster
from seedbed.cluster_services import MAX_TEMP_DIR_LENGTH, ray_folder, services
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory

PORTS = {"gcs": 2001, "job_server": 2002, "agent": 2003, "client_server": 2004, "mlflow": 2005}
STORE = "postgresql://me:secret@host/mlflow"


@pytest.fixture
def wanted(tmp_path, monkeypatch):
    """The services of a cluster by name, in the environment that a test sets first."""
    registry = open_registry(None, StateDirectory(tmp_path / "state"))

    def make(name: str | None = "local", registry_url: str = "postgresql://r:secret@host/r", **environment: str):
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        cluster = LocalCluster(tmp_path / "state" / "cluster", name, 4, None, STORE, PORTS)
        return {service.name: service for service in services(cluster, registry, registry_url)}

    yield make
    registry.close()


def test_no_way_into_a_database_reaches_ray_whose_jobs_inherit_its_environment(wanted):
    given = {
        "SEEDBED_REGISTRY": "postgresql://secret",
        "SEEDBED_MLFLOW_STORE": "postgresql://secret",
        "PGPASSWORD": "secret",
        "RAY_AUTH_TOKEN": "secret",
    }
    environment = wanted(**given, RAY_ADDRESS="other:1", AWS_PROFILE="store")["ray"].environment
    assert not any("secret" in value for value in environment.values())
    assert "RAY_ADDRESS" not in environment
    assert environment["AWS_PROFILE"] == "store"  # nodes read and write the store
    assert environment["RAY_AUTH_MODE"] == "token"


def test_a_longer_wait_for_a_checkpoint_can_be_asked_for(wanted):
    assert wanted()["ray"].environment["RAY_JOB_STOP_WAIT_TIME_S"] == "600"
    assert wanted(RAY_JOB_STOP_WAIT_TIME_S="1800")["ray"].environment["RAY_JOB_STOP_WAIT_TIME_S"] == "1800"


def test_no_secret_stands_in_a_command_line(wanted):
    found = wanted()
    assert not any("secret" in word for service in found.values() for word in service.command)
    assert found["mlflow"].environment["MLFLOW_BACKEND_STORE_URI"] == STORE
    assert found["mlflow"].environment["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_without_a_ray_here_only_the_controller_is_wanted(wanted):
    assert set(wanted(name=None)) <= {"controller"}


def test_paths_mean_the_same_in_the_working_directory_of_a_service(wanted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert wanted(PYTHONPATH="here:/there")["ray"].environment["PYTHONPATH"] == f"{tmp_path}/here:/there"
    controller = wanted(registry_url="sqlite:///reg.db")["controller"].environment
    assert controller["SEEDBED_REGISTRY"] == f"sqlite:///{tmp_path}/reg.db"
    assert wanted()["controller"].environment["SEEDBED_REGISTRY"] == "postgresql://r:secret@host/r"


def test_rays_folder_is_short_enough_for_sockets_wherever_temporary_files_go(tmp_path, monkeypatch):
    cluster = LocalCluster(tmp_path, "local", None, None, None, PORTS)
    monkeypatch.setattr(cluster_services.tempfile, "gettempdir", lambda: "/a/folder/that/has/a/long/name/of/its/own")
    assert len(str(ray_folder(cluster))) <= MAX_TEMP_DIR_LENGTH
    monkeypatch.setattr(cluster_services.tempfile, "gettempdir", lambda: "/t")
    assert str(ray_folder(cluster)).startswith("/t/seedbed-")
