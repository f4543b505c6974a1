import errno
import gzip
import io
import os

import pyarrow as pa
import pytest
from fsspec.implementations.local import LocalFileSystem

from dataprep.reading.formats import ReaderConfig, read_records
from seedbed.errors import SourceError
from seedbed.runfile.data import DataConfig
from seedbed.source_stream import open_source
from seedbed.sources import list_sources


def only_file(path):
    """The one file of the source at `path`, as planned."""
    [file] = list_sources(DataConfig.model_validate({"sources": {"docs": {"path": str(path)}}})).files
    return file


@pytest.fixture
def planned(tmp_path):
    """A function that writes a file and gives its address and version, as a plan has them."""

    def plan(name="a.jsonl", content=b'{"text": "one"}\n'):
        path = tmp_path / name
        path.write_bytes(content)
        file = only_file(path)
        return path, file.url, file.version

    return plan


def test_a_file_is_read_as_it_was_planned_with(planned):
    _, url, version = planned()
    with open_source(url, version) as stream:
        assert stream.read(5) == b'{"tex'
        stream.seek(0)
        assert stream.read() == b'{"text": "one"}\n'
        assert stream.tell() == 16


@pytest.mark.parametrize("name", ["a::b.jsonl", "a b.jsonl", "ü한.jsonl", "a#1.jsonl", "x[1]?.jsonl", "%41.jsonl"])
def test_whatever_a_file_is_called_it_is_found(planned, name):
    _, url, version = planned(name)
    with open_source(url, version) as stream:
        assert stream.read(2) == b'{"'


def test_a_link_is_followed_and_its_version_is_that_of_the_plan(planned, tmp_path):
    path, _, _ = planned("far.jsonl")
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "near.jsonl").symlink_to(path)
    file = only_file(tmp_path / "crawl")
    with open_source(file.url, file.version) as stream:
        assert stream.read(2) == b'{"'


def refusal(url, version):
    with pytest.raises(SourceError) as refused, open_source(url, version) as stream:
        stream.read()
    assert not refused.value.transient
    return str(refused.value)


def test_a_file_that_is_not_what_was_planned_with_is_refused(planned):
    path, url, version = planned()
    os.utime(path, (1, 1))
    assert (
        refusal(url, version)
        == f"{url} was changed after the run was planned ({version}, now mtime:1.000000): plan again"
    )
    path.unlink()
    assert refusal(url, version) == f"{url} was there when the run was planned and is gone: put it back, or plan again"
    path.mkdir()
    assert refusal(url, version) == f"{url} was a file when the run was planned: put it back, or plan again"


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


class Breaking(io.BytesIO):
    """A connection that is lost after some reads."""

    reads = 0

    def read(self, size=-1):
        self.reads += 1
        if self.reads > 2:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_connection_that_is_lost_is_no_damage_to_the_file_and_may_be_tried_again(planned, name, monkeypatch):
    noise = os.urandom(3 << 20)
    content = gzip.compress(noise) if name.endswith("z") else zstd(noise) if name.endswith("zst") else noise
    _, url, version = planned(name, content)
    monkeypatch.setattr(LocalFileSystem, "open", lambda *_: Breaking(content))
    with pytest.raises(SourceError) as refused, open_source(url, version) as stream:
        list(read_records(stream, name, ReaderConfig(), 1 << 20))
    assert refused.value.transient
    assert str(refused.value) == (
        f"cannot read {url}: [Errno 5] Input/output error; check that it can be reached, "
        "then run the same command again"
    )


@pytest.mark.slow
def test_an_object_is_read_as_it_was_planned_with(s3_url):
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    store.pipe_file(f"{s3_url}/a.jsonl", b"0123456789" * 10)
    file = only_file(f"{s3_url}/a.jsonl")
    with open_source(file.url, file.version) as stream:
        stream.seek(95)
        assert stream.read() == b"56789"
    store.pipe_file(f"{s3_url}/a.jsonl", b"9876543210" * 10)
    assert "was changed after the run was planned (etag:" in refusal(file.url, file.version)
    store.rm(f"{s3_url}/a.jsonl")
    assert "was there when the run was planned and is gone" in refusal(file.url, file.version)
