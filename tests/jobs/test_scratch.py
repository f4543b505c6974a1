import os

import pytest

from jobs import scratch
from seedbed.errors import InfrastructureError


def test_a_configured_folder_is_taken(tmp_path):
    assert scratch.scratch_folder(str(tmp_path / "fast"), "staging/run") == tmp_path / "fast" / "staging" / "run"
    assert (tmp_path / "fast" / "staging" / "run").is_dir()


def test_without_one_it_is_closed_to_others_and_under_tmpdir(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = scratch.scratch_folder(None, "shards")
    assert folder == tmp_path / f"seedbed-{os.getuid()}" / "shards"
    assert folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make what belongs to another")
def test_one_that_belongs_to_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / f"seedbed-{os.getuid()}"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    with pytest.raises(InfrastructureError, match="belongs to somebody else"):
        scratch.scratch_folder(None, "shards")
