"""What this user may not read is refused when a run is planned, not left out in silence."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedbed.errors import SourceError
from seedbed.runfile.data import DataConfig
from seedbed.sources import list_sources

NOBODY = 65534


@pytest.fixture
def crawl():
    """A folder that everybody may read: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        crawl = Path(folder) / "crawl"
        for name in ("a.warc", "b.warc", "deep/c.warc", ".git/d.warc"):
            (crawl / name).parent.mkdir(parents=True, exist_ok=True)
            (crawl / name).write_bytes(b"x")
        Path(folder).chmod(0o755)
        yield crawl


@contextmanager
def closed(path):
    """Nobody but root may look into it."""
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(mode)


def listed(path):
    """What a user finds who is not root."""
    data = DataConfig.model_validate({"sources": {"docs": {"path": str(path)}}})
    me = os.geteuid()
    if me == 0:
        os.seteuid(NOBODY)
    try:
        return [file.path for file in list_sources(data).files]
    finally:
        os.seteuid(me)


def refusal(path):
    with pytest.raises(SourceError) as refused:
        listed(path)
    return str(refused.value).removeprefix("data.sources.docs.path: ")


def test_what_may_be_read_is_listed(crawl):
    assert listed(crawl) == ["a.warc", "b.warc", "deep/c.warc"]


def test_a_file_that_may_not_be_read_is_told(crawl):
    cure = "give this user the right to read it, or take it out of the source"
    says = f"cannot read {crawl}/b.warc: Permission denied; {cure}"
    with closed(crawl / "b.warc"):
        for path in (crawl, crawl / "*.warc", crawl / "b.warc"):
            assert refusal(path) == says
        with closed(crawl / "a.warc"):
            assert refusal(crawl).startswith(f"cannot read {crawl}/a.warc and 1 more: Permission denied")


def test_a_folder_within_that_may_not_be_looked_into_is_told_and_a_glob_can_leave_it_out(crawl):
    with closed(crawl / "deep"):
        assert refusal(crawl) == (
            f"cannot look into {crawl}/deep: Permission denied; give this user the right to read it, "
            "or take a glob that leaves it out"
        )
        assert listed(crawl / "*.warc") == ["a.warc", "b.warc"]


def test_a_hidden_folder_does_not_matter(crawl):
    with closed(crawl / ".git"):
        assert listed(crawl) == ["a.warc", "b.warc", "deep/c.warc"]


@pytest.mark.parametrize("path", ["a.warc", "*.warc", "deep/*.warc", "deep"])
def test_what_lies_in_a_closed_folder_is_not_said_to_be_missing(crawl, path):
    with closed(crawl):
        assert refusal(crawl / path) == (
            f"cannot look into {crawl}: Permission denied; give this user the right to read it"
        )
