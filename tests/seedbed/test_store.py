import errno
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.errors import StoreError
from seedbed.store import TEMPORARY, Store


def elsewhere(code, *arguments, check=True):
    """Runs `code` in a process of its own, as another machine would."""
    return subprocess.run([sys.executable, "-c", code, *arguments], check=check, timeout=60)


def refusal(call):
    with pytest.raises(StoreError) as refused:
        call()
    return refused.value


def test_what_is_written_is_read_back(store):
    store.write("steps/a/one", b"12345")
    assert store.read("steps/a/one") == b"12345"
    assert store.size("steps/a/one") == 5
    assert store.exists("steps/a/one")
    store.write("steps/a/one", b"")
    assert store.read("steps/a/one") == b""
    assert store.size("steps/a/one") == 0
    assert store.exists("steps/a/one")


def test_what_is_not_there_is_told_as_such(store, tmp_path):
    store.write("folder/file", b"1")
    for path in ("nowhere", "folder", "folder/other"):
        assert store.size(path) is None
        assert not store.exists(path)
    assert store.names("nowhere") == []
    assert store.files("nowhere") == {}
    store.delete("nowhere")
    for call in (
        lambda: store.read("nowhere"),
        lambda: store.open("nowhere"),
        lambda: store.download("nowhere", tmp_path / "copy"),
    ):
        error = refusal(call)
        assert str(error).startswith(f"cannot read {store.url}/nowhere: ")
        assert str(error).endswith("; nothing is there")
        assert not error.transient


def test_a_range_of_a_file_can_be_read(store):
    store.write("file", bytes(range(200)))
    with store.open("file") as file:
        assert file.seek(100) == 100
        assert file.read(3) == bytes([100, 101, 102])
        assert file.tell() == 103
        file.seek(-2, os.SEEK_END)
        assert file.read() == bytes([198, 199])
        assert file.read() == b""
        file.seek(0)
        assert file.read() == bytes(range(200))
    assert file.closed


def test_a_stamp_tells_a_file_from_a_later_one_of_the_same_size(store):
    assert store.stamp("a.txt") is None
    store.write("a.txt", b"one")
    first = store.stamp("a.txt")
    assert store.stamp("a.txt") == Store(store.url).stamp("a.txt") == first
    store.write("a.txt", b"two")
    assert store.stamp("a.txt") not in (None, first)


def test_a_store_has_one_place_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store("store").place == Store(f"file://{tmp_path}/store/").place == f"{tmp_path}/store"
    assert Store("memory://bucket/prefix/").place == Store("memory://bucket/prefix").place


def test_names_are_what_is_directly_inside_in_order(store):
    for path in ("b/2", "b/1", "b/deep/er/3", "bb/4", "5"):
        store.write(path, b"x")
    assert store.names("b") == ["1", "2", "deep"]
    assert store.names("") == ["5", "b", "bb"]
    assert store.names("b/1") == []


def test_files_are_what_is_inside_at_any_depth_with_their_bytes(store):
    for path, size in (("b/2", 2), ("b/1", 1), ("b/deep/er/3", 3), ("bb/4", 4), ("5", 5)):
        store.write(path, b"x" * size)
    assert store.files("b") == {"b/1": 1, "b/2": 2, "b/deep/er/3": 3}
    assert store.files("") == {"5": 5, "b/1": 1, "b/2": 2, "b/deep/er/3": 3, "bb/4": 4}
    assert store.files("b/2") == {"b/2": 2}


def test_a_folder_is_deleted_with_all_in_it_and_nothing_beside_it(store):
    for path in ("steps/a-1/x/1", "steps/a-1/2", "steps/a-12/1", "steps/a-1.json"):
        store.write(path, b"x")
    store.delete("steps/a-1")
    assert list(store.files("")) == ["steps/a-1.json", "steps/a-12/1"]
    store.delete("steps/a-12/1")
    assert list(store.files("")) == ["steps/a-1.json"]


def test_a_folder_is_moved_with_all_in_it(store):
    store.write("steps/a/one", b"12345")
    store.write("steps/a/b/two", b"67")
    store.write("steps/ab/three", b"8")
    store.move("steps/a", "steps/c")
    assert store.files("steps") == {"steps/ab/three": 1, "steps/c/b/two": 2, "steps/c/one": 5}
    assert store.read("steps/c/one") == b"12345"


def test_a_local_file_is_moved_into_the_store(store, tmp_path):
    (tmp_path / "made").write_bytes(b"made here")
    store.upload(tmp_path / "made", "steps/a/made")
    assert store.read("steps/a/made") == b"made here"
    assert not (tmp_path / "made").exists()
    assert store.names("steps/a") == ["made"]
    assert not refusal(lambda: store.upload(tmp_path / "made", "steps/a/again")).transient
    assert store.names("steps/a") == ["made"]


def test_a_file_is_copied_out_of_the_store(store, tmp_path):
    store.write("steps/a/made", b"made there")
    store.download("steps/a/made", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"made there"


def test_a_pickled_store_opens_the_same_place_elsewhere(store):
    store.write("here", b"1")
    pickled = pickle.dumps(store)
    assert len(pickled) < 200  # a URL, no connection
    assert pickle.loads(pickled).read("here") == b"1"
    elsewhere("import pickle, sys; pickle.loads(bytes.fromhex(sys.argv[1])).write('there', b'2')", pickled.hex())
    assert store.read("there") == b"2"


def test_what_another_process_writes_is_seen_at_once(store):
    store.write("steps/mine", b"1")
    assert store.names("steps") == ["mine"]
    assert store.files("steps") == {"steps/mine": 1}
    elsewhere("import sys; from seedbed.store import Store; Store(sys.argv[1]).write('steps/yours', b'22')", store.url)
    assert store.exists("steps/yours")
    assert store.names("steps") == ["mine", "yours"]
    assert store.files("steps") == {"steps/mine": 1, "steps/yours": 2}


def test_of_several_who_create_a_file_one_succeeds(store, start):
    create = "import sys; from seedbed.store import Store; print(Store(sys.argv[1]).create('x', sys.argv[2].encode()))"
    said = [conversation.says() for conversation in [start(create, store.url, who) for who in "abc"]]
    assert sorted(said) == ["False", "False", "True"]
    assert store.read("x").decode() == "abc"[said.index("True")]
    assert store.create("x", b"d") is False
    assert store.create("deep/y", b"d") is True


FOLDERS = ("", "a", "ab", "b", "a/b", "b/a")
paths = st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), st.sampled_from(FOLDERS), st.sampled_from("xy"))
operations = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "upload"]), paths, st.binary(max_size=3)),
        st.tuples(st.just("delete"), st.one_of(paths, st.sampled_from(FOLDERS[1:])), st.none()),
    ),
    max_size=12,
)


def agrees_with_a_dict(url, steps):
    store, model = Store(url), {}
    with tempfile.TemporaryDirectory() as scratch:
        for operation, path, data in steps:
            if operation == "write":
                store.write(path, data)
                model[path] = data
            elif operation == "upload":
                (Path(scratch) / "made").write_bytes(data)
                store.upload(Path(scratch) / "made", path)
                model[path] = data
            else:
                store.delete(path)
                model = {p: d for p, d in model.items() if p != path and not p.startswith(f"{path}/")}
    assert {path: store.read(path) for path in store.files("")} == model
    for folder in FOLDERS:
        inside = {p: d for p, d in model.items() if not folder or p.startswith(f"{folder}/")}
        assert store.files(folder) == {path: len(data) for path, data in inside.items()}
        names = {path[len(folder) :].lstrip("/").split("/")[0] for path in inside}
        # A folder that was emptied is still there on a disk.
        assert [n for n in store.names(folder) if store.files(f"{folder}/{n}".lstrip("/"))] == sorted(names)
    for path in ("x", "a/x", "a/b/y"):
        assert store.exists(path) == (path in model)


@given(operations)
@settings(deadline=None)
def test_a_folder_behaves_like_a_dict(steps):
    with tempfile.TemporaryDirectory() as root:
        agrees_with_a_dict(f"{root}/store", steps)


@pytest.mark.slow
@given(operations)
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_object_store_behaves_like_a_dict(s3_url, steps):
    agrees_with_a_dict(f"{s3_url}/{uuid.uuid4().hex[:8]}", steps)


KILLED_BEFORE_THE_RENAME = """
import os, signal, sys
from pathlib import Path
from seedbed.store import Store
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
store, how = Store(sys.argv[1]), sys.argv[2]
if how == "write":
    store.write("steps/part", b"12345")
else:
    store.upload(Path(sys.argv[3]), "steps/part")
"""


@pytest.mark.parametrize("how", ["write", "upload"])
def test_a_write_that_is_killed_leaves_an_incomplete_file_and_no_target(tmp_path, how):
    store = Store(str(tmp_path / "store"))
    (tmp_path / "made").write_bytes(b"12345")
    done = elsewhere(KILLED_BEFORE_THE_RENAME, store.url, how, str(tmp_path / "made"), check=False)
    assert done.returncode == -signal.SIGKILL
    assert not store.exists("steps/part")
    (left,) = store.names("steps")
    assert left.startswith(TEMPORARY)
    assert left.endswith("-part")
    store.write("steps/part", b"whole")
    assert store.read("steps/part") == b"whole"


def test_a_write_that_is_killed_leaves_what_was_there_before(tmp_path):
    store = Store(str(tmp_path / "store"))
    store.write("steps/part", b"before")
    elsewhere(KILLED_BEFORE_THE_RENAME, store.url, "write", check=False)
    assert store.read("steps/part") == b"before"


@pytest.mark.parametrize(
    ("number", "cure", "transient"),
    [
        (errno.ENOSPC, "the disk is full: free some room (`seedbed gc`) or take another --store", False),
        (errno.EROFS, "the file system is read-only: take another --store", False),
        (errno.EIO, "check that the store can be reached, then run the same command again", True),
        (errno.ESTALE, "check that the store can be reached, then run the same command again", True),
    ],
)
def test_a_write_that_fails_leaves_nothing_and_says_what_mends_it(tmp_path, monkeypatch, number, cure, transient):
    def broken(_):
        raise OSError(number, os.strerror(number))

    store = Store(str(tmp_path))
    monkeypatch.setattr(os, "fsync", broken)
    error = refusal(lambda: store.write("steps/part", b"1"))
    assert str(error).startswith(f"cannot write {tmp_path}/steps/part: {os.strerror(number)}; {cure}")
    assert error.transient is transient
    assert store.names("steps") == []


def test_a_file_in_the_way_is_told(tmp_path):
    store = Store(str(tmp_path))
    store.write("file", b"1")
    store.write("folder/file", b"1")
    assert str(refusal(lambda: store.write("file/below", b"1"))).endswith(
        "a part of that path is a file, not a folder: take another --store"
    )
    assert str(refusal(lambda: store.write("folder", b"1"))).endswith("that path is a folder, a file was expected")
    assert store.files("") == {"file": 1, "folder/file": 1}


def test_an_unknown_kind_of_store_is_refused():
    error = refusal(lambda: Store("nosuch://bucket/x"))
    assert str(error) == (
        "cannot open nosuch://bucket/x: Protocol not known: nosuch; a folder or a URL such as s3://bucket/prefix is "
        "expected"
    )
    assert not error.transient


@pytest.mark.parametrize("url", ["s3:/bucket/x", "s3:bucket/x"])
def test_a_url_that_lacks_a_slash_is_no_folder(url):
    assert f"write s3://bucket/x, or ./{url} for the folder" in str(refusal(lambda: Store(url)))


def test_a_local_path_is_known_of_a_folder_alone(tmp_path):
    assert Store(str(tmp_path)).local_path("a/b") == tmp_path / "a" / "b"
    assert Store("memory://x").local_path("a/b") is None


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_told(s3_url):
    store = Store("s3://nowhere-at-all/x")
    error = refusal(lambda: store.write("a", b"1"))
    assert str(error) == (
        "cannot write s3://nowhere-at-all/x/a: The specified bucket does not exist; "
        "make the bucket first, or take another --store"
    )
    assert not error.transient
    assert store.names("") == []


@pytest.mark.slow
def test_of_a_large_object_little_more_than_a_range_is_fetched(s3_url, monkeypatch):
    import s3fs.core

    fetched = []
    fetch = s3fs.core._fetch_range

    def counted(*arguments, **options):
        data = fetch(*arguments, **options)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(s3fs.core, "_fetch_range", counted)
    store = Store(s3_url)
    store.write("large", os.urandom(8 << 20))
    with store.open("large") as file:
        file.seek(1 << 20)
        assert len(file.read(1000)) == 1000
        file.seek(-1000, os.SEEK_END)
        assert len(file.read()) == 1000
    assert sum(fetched) <= 1 << 20


@pytest.mark.slow
def test_an_object_that_goes_while_it_is_read_is_a_store_error(s3_url):
    store = Store(s3_url)
    store.write("large", os.urandom(2 << 20))
    with store.open("large") as file:
        assert len(file.read(10)) == 10
        store.delete("large")
        assert str(refusal(file.read)).endswith("; nothing is there")


@pytest.fixture
def fresh_connections():
    """What s3fs remembers of a server is forgotten before and after."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.slow
def test_a_store_out_of_reach_is_told_soon_and_may_be_tried_again(s3_url, fresh_connections, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the port of `discard`: nobody listens
    store = Store(s3_url)
    for call in (
        lambda: store.write("a", b"1"),
        lambda: store.open("a"),
        lambda: store.names("a"),
    ):
        started = time.monotonic()
        error = refusal(call)
        assert f"{s3_url}/a: Could not connect to the endpoint URL" in str(error)
        assert str(error).endswith("check that the store can be reached, then run the same command again")
        assert error.transient
        assert time.monotonic() - started < 20


@pytest.mark.slow
def test_a_store_without_credentials_is_not_tried_again(s3_url, fresh_connections, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    error = refusal(lambda: Store(s3_url).read("a"))
    assert str(error) == (
        f"cannot read {s3_url}/a: Unable to locate credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
        " AWS_PROFILE, or write ~/.aws/credentials"
    )
    assert not error.transient
