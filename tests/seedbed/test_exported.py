import pytest

from dataprep.errors import CorruptDataError
from seedbed.artifact import Artifact, write_file
from seedbed.errors import UsageError
from seedbed.exported import copy_export
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store


@pytest.fixture
def plan(run_file, store_url):
    return make_plan(load_run(run_file), Store(store_url))


@pytest.fixture
def artifact(plan, store_url):
    """An export of two files."""
    made = Artifact(Store(store_url), "export", plan.step("export").fingerprint)
    files = [write_file(made, "model/config.json", b"{}"), write_file(made, "model/README.md", b"# tiny\n")]
    made.commit({"files": [vars(entry) for entry in files]})
    return made


def test_the_files_of_an_export_are_copied_out(artifact, plan, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "deep" / "new", tmp_path / "empty"):
        assert copy_export(artifact.store, plan, folder) == ["README.md", "config.json"]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            "README.md": b"# tiny\n",
            "config.json": b"{}",
        }


def test_a_folder_that_holds_something_is_left_alone(artifact, plan, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "full", tmp_path / "file"):
        with pytest.raises(UsageError) as refused:
            copy_export(artifact.store, plan, path)
        assert str(refused.value) == f"{path} is there and not empty: name a new folder"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]


def test_a_run_without_an_export_says_so(plan, store_url, tmp_path):
    with pytest.raises(UsageError) as refused:
        copy_export(Store(store_url), plan, tmp_path / "out")
    assert str(refused.value) == (f"run {plan.run_id} has no export yet: `seedbed show {plan.run_id}` says where it is")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_what_was_committed_is_refused(artifact, plan, tmp_path):
    artifact.store.write(f"{artifact.path}/model/config.json", b"[]")
    with pytest.raises(CorruptDataError) as refused:
        copy_export(artifact.store, plan, tmp_path / "out")
    assert str(refused.value) == (
        f"{artifact.path}/model/config.json is not what was committed: remove it and run again"
    )
