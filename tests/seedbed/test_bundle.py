import json
import re
import shutil
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from seedbed import bundle
from seedbed.bundle import check_unpacked, fetch, gather, keep
from seedbed.errors import UsageError
from seedbed.launch import Launch
from seedbed.store import Store

LAUNCH = Launch("s3://bucket/store", "", "tiny-0123abcd", "shards", None, cluster={"address": "auto"})


@pytest.fixture
def packages(tmp_path):
    """Three small packages with what a working folder gathers around its code."""
    made = {}
    for name in bundle.PACKAGES:
        folder = tmp_path / "checkout" / name
        (folder / "inner").mkdir(parents=True)
        (folder / "__init__.py").write_text(f'"""{name}"""\n')
        (folder / "inner" / "numbers.toml").write_text("a = 1\n")
        made[name] = folder
    return made


def test_the_same_code_has_the_same_digest_wherever_and_whenever(packages, tmp_path):
    first = gather(LAUNCH, "name: tiny\n", packages).pack(tmp_path / "a")
    shutil.copytree(tmp_path / "checkout", tmp_path / "elsewhere")
    moved = {name: tmp_path / "elsewhere" / name for name in reversed(packages)}
    for folder in moved.values():
        (folder / "__init__.py").touch()
        for junk in ("__pycache__/x.cpython-311.pyc", "k.nbi", ".DS_Store", "notes.txt~", ".idea/x.py", "inner/.#n.py"):
            (folder / junk).parent.mkdir(exist_ok=True)
            (folder / junk).write_text("junk")
    another_attempt = replace(LAUNCH, state_root="/var/state", at=1.7e9, job=3, attempt=2)
    second = gather(another_attempt, "name: tiny\n", moved).pack(tmp_path / "b")
    assert second.digest == first.digest
    assert second.path.read_bytes() == first.path.read_bytes()
    assert first.path.name == f"{first.digest}.zip"


@pytest.mark.parametrize("change", ["code", "name", "run file", "launch"])
def test_another_content_has_another_digest(packages, tmp_path, change):
    first = gather(LAUNCH, "name: tiny\n", packages).pack(tmp_path)
    launch, run_file = LAUNCH, "name: tiny\n"
    if change == "code":
        (packages["jobs"] / "__init__.py").write_text("changed = True\n")
    elif change == "name":
        (packages["jobs"] / "inner" / "numbers.toml").rename(packages["jobs"] / "inner" / "other.toml")
    elif change == "run file":
        run_file = "name: other\n"
    else:
        launch = replace(LAUNCH, until="export")
    assert gather(launch, run_file, packages).pack(tmp_path).digest != first.digest


def test_what_was_unpacked_is_what_was_submitted(packages, tmp_path):
    made = gather(LAUNCH, "name: tiny\n", packages).pack(tmp_path)
    root = tmp_path / "unpacked"
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(root)
    (root / "jobs" / "__pycache__").mkdir()
    (root / "jobs" / "__pycache__" / "x.pyc").write_text("of this Python")
    check_unpacked(root, made.digest)
    (root / "jobs" / "__init__.py").write_text("changed = True\n")
    with pytest.raises(UsageError, match=f"is not what was submitted: its digest is [0-9a-f]{{32}}, not {made.digest}"):
        check_unpacked(root, made.digest)


def test_the_bundle_of_this_checkout_has_what_its_jobs_read(tmp_path):
    """Whatever lies in the packages and is no page of the dashboard is either code or named here."""
    made = gather(LAUNCH, "name: tiny\n").pack(tmp_path)
    with zipfile.ZipFile(made.path) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("launch.json"))["run_id"] == "tiny-0123abcd"
    assert {"run.yaml", "launch.json", "jobs/submitted.py", "seedbed/scaling/hardware.toml"} <= names
    assert {"dataprep/kernels/unicode_classes.npz", "seedbed/__init__.py", "dataprep/errors.py"} <= names
    assert {name.split("/")[0] for name in names} == {"run.yaml", "launch.json", "jobs", "seedbed", "dataprep"}
    assert not any("__pycache__" in name for name in names)
    for package in ("dataprep", "jobs"):
        folder = Path(find_spec(package).origin).parent
        left_out = {path.suffix for path in folder.rglob("*.*") if path.is_file()} - set(bundle.SUFFIXES)
        assert left_out <= {".pyc", ".nbi", ".nbc"}
    assert re.fullmatch("[0-9a-f]{32}", made.digest)


def test_a_store_keeps_a_bundle_for_those_who_try_again(packages, tmp_path):
    store = Store(str(tmp_path / "store"))
    made = gather(LAUNCH, "name: tiny\n", packages).pack(tmp_path / "here")
    assert keep(made, store, "tiny-0123abcd") == f"bundles/{made.digest}.zip"
    assert keep(made, store, "tiny-0123abcd") == f"bundles/{made.digest}.zip"
    again = fetch(store, made.digest, tmp_path / "there")
    assert again.path.read_bytes() == made.path.read_bytes()
