"""The store: where artifacts live, a folder or any fsspec URL.

A file in the store is there whole or not at all. In a folder it is written under a temporary name, flushed and renamed;
object stores make an object visible when its upload is complete.
"""

import errno
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from seedbed.errors import RUN_AGAIN, StoreError

TEMPORARY = ".incomplete-"
"""Names with this prefix are files that were never finished; `gc` removes them."""

READ_AHEAD_BYTES = 256 << 10
"""Bytes that an object store sends beyond what was asked for: a table's columns lie side by side."""


class Store:
    """Files by relative path (`steps/clean-12ab/manifest.json`) under one root.

    `s3://bucket/prefix` takes endpoint, region and credentials from where every client of AWS looks: the environment
    (`AWS_ENDPOINT_URL` for a server other than Amazon's, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    `AWS_DEFAULT_REGION`), `~/.aws`, or the machine's role. The bucket must be there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        kind, colon, rest = url.partition(":")
        is_url = rest.startswith(("//", ":")) or kind in ("file", "local")  # `kind::` leads a chain of file systems
        if colon and not is_url and kind in fsspec.available_protocols():  # fsspec takes it for a folder of that name
            cure = f"write {kind}://{rest.lstrip('/')}, or ./{url} for the folder"
            raise StoreError(f"cannot open {url}: two slashes are expected behind {kind}: {cure}")
        with _explained("open", url):
            fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)  # others write there too
        _limit_patience(fs)
        self._fs: Any = fs
        self._root = root.rstrip("/") or "/"
        self.is_local = isinstance(fs, LocalFileSystem)

    def __reduce__(self) -> tuple[type["Store"], tuple[str]]:
        return Store, (self.url,)  # workers open their own connections

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _name(self, path: str) -> str:
        """What messages call the file."""
        full = self._full(path)
        return full if self.is_local else str(self._fs.unstrip_protocol(full))

    @property
    def place(self) -> str:
        """What the store is called from anywhere: an absolute folder, or the URL without a closing slash."""
        return self._root if self.is_local else str(self._fs.unstrip_protocol(self._root))

    def local_path(self, path: str) -> Path | None:
        """The file's own path where the store is a folder, else None."""
        return Path(self._full(path)) if self.is_local else None

    def write(self, path: str, data: bytes) -> None:
        """Put `data` at `path`, whole or not at all. Raises StoreError."""
        full = self._full(path)
        with _explained("write", self._name(path)):
            if not self.is_local:
                self._fs.pipe_file(full, data)
                return
            with _renamed_when_whole(Path(full)) as temporary, temporary.open("wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())

    def create(self, path: str, data: bytes) -> bool:
        """Put `data` at `path` if nothing is there; whether it was put. Of several at once, one succeeds.

        On S3 this is a conditional request; an object store that has none may let two succeed.
        """
        full = self._full(path)
        with _explained("write", self._name(path)):
            try:
                if self.is_local:
                    Path(full).parent.mkdir(parents=True, exist_ok=True)
                    with Path(full).open("xb") as f:
                        f.write(data)
                else:
                    self._fs.pipe_file(full, data, mode="create")
            except FileExistsError:
                return False
            return True

    def upload(self, local: Path, path: str) -> None:
        """Move the finished file `local` to `path`, whole or not at all. Raises StoreError."""
        full = self._full(path)
        with _explained("write", self._name(path)):
            if not self.is_local:
                self._fs.put_file(str(local), full)
                local.unlink()
                return
            with _renamed_when_whole(Path(full)) as temporary:
                shutil.move(local, temporary)
                with temporary.open("rb") as f:
                    os.fsync(f.fileno())

    def read(self, path: str) -> bytes:
        """The bytes at `path`. Raises StoreError when there are none."""
        full = self._full(path)
        with _explained("read", self._name(path)):
            return cast(bytes, self._fs.cat_file(full))

    def read_if_there(self, path: str) -> bytes | None:
        """The bytes at `path`, None when there are none. Raises StoreError."""
        full = self._full(path)
        with _explained("read", self._name(path)):
            try:
                return cast(bytes, self._fs.cat_file(full))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def open(self, path: str, read_ahead: bool = True) -> BinaryIO:
        """A seekable binary file; little more than what is read is fetched, without `read_ahead` nothing. Raises
        StoreError, also from its reads."""
        full, name = self._full(path), self._name(path)
        with _explained("read", name):
            if self.is_local:
                return open(full, "rb")  # noqa: PTH123 (a Path takes as long as the call itself)
            cache = "readahead" if read_ahead else "none"
            file = self._fs.open(full, "rb", block_size=READ_AHEAD_BYTES, cache_type=cache)
            return cast(BinaryIO, _RemoteFile(file, name))

    def download(self, path: str, local: Path) -> None:
        """Copy `path` to the local file `local`. Raises StoreError when it is not there."""
        full = self._full(path)
        with _explained("read", self._name(path)):
            self._fs.get_file(full, str(local))

    def size(self, path: str) -> int | None:
        """Bytes of the file, None when there is no file."""
        with _explained("look at", self._name(path)):
            try:
                found = self._fs.info(self._full(path))
            except FileNotFoundError:
                return None
        return int(found["size"]) if found["type"] == "file" else None

    def stamp(self, path: str) -> str | None:
        """What tells the file at `path` from a later one without reading it, None when there is no file."""
        with _explained("look at", self._name(path)):
            try:
                return str(self._fs.ukey(self._full(path)))
            except FileNotFoundError:
                return None

    def exists(self, path: str) -> bool:
        return self.size(path) is not None

    def names(self, folder: str) -> list[str]:
        """Names of what is directly inside `folder`, sorted; empty when the folder is not there."""
        full = self._full(folder)
        with _explained("list", self._name(folder)):
            try:
                found = self._fs.ls(full, detail=False)
            except FileNotFoundError:
                return []
        names = {entry.rstrip("/").rsplit("/", 1)[-1] for entry in found if entry.rstrip("/") != full}
        return sorted(names)

    def files(self, folder: str) -> dict[str, int]:
        """Every file under `folder` at any depth: path relative to the store's root -> bytes."""
        full = self._full(folder)
        with _explained("list", self._name(folder)):
            try:
                found = self._fs.find(full, detail=True)
            except FileNotFoundError:
                return {}
        return {name[len(self._root) + 1 :]: int(info["size"]) for name, info in sorted(found.items())}

    def move(self, folder: str, target: str) -> None:
        """Give `folder` the name `target`, where nothing is. An object store copies within itself, then removes: cut
        short, what is missing at the one is whole at the other. Raises StoreError.
        """
        full, there = self._full(folder), self._full(target)
        with _explained("move", self._name(folder)):
            if self.is_local:
                Path(full).rename(there)
                return
            for path in self._fs.find(full):
                self._fs.cp_file(path, f"{there}{path.removeprefix(full)}")
        self.delete(folder)

    def delete(self, path: str) -> None:
        """Remove a file or a whole folder; it is no error when it is not there."""
        full = self._full(path)
        with _explained("remove", self._name(path)):
            try:
                self._fs.rm(full, recursive=True)
            except (FileNotFoundError, NotADirectoryError):  # the latter: what should lead there is a file
                return


class _RemoteFile(io.RawIOBase):
    """A file of an object store whose reads raise StoreError: the network may go while a table is read."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self._name = name

    def readinto(self, buffer: Any) -> int:
        with _explained("read", self._name):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _limit_patience(fs: Any) -> None:
    """Give up an S3 that is out of reach after seconds, one that takes calls and never answers after a minute.

    By itself s3fs tries 5 times what botocore tries 5 times, and waits 15 s for an answer: over six minutes a call.
    """
    if "s3" in fs.protocol:
        fs.retries = 2
        limits = {"read_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 3}}
        fs.config_kwargs = limits | fs.config_kwargs


@contextmanager
def _renamed_when_whole(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:12]}-{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    # The rename itself lives in the directory: without this a power cut may undo it.
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


_CURES = {
    errno.ENOSPC: f"the disk is full: free some room (`seedbed gc`) or take another --store, then {RUN_AGAIN}",
    errno.EDQUOT: "the quota is used up: free some room (`seedbed gc`) or take another --store",
    errno.EACCES: "no permission: give this user the right to it, or take another --store",
    errno.EPERM: "no permission: give this user the right to it, or take another --store",
    errno.EROFS: "the file system is read-only: take another --store",
    errno.ENOTDIR: "a part of that path is a file, not a folder: take another --store",
    errno.EEXIST: "a part of that path is a file, not a folder: take another --store",
    errno.EISDIR: "that path is a folder, a file was expected",
    errno.ENOENT: "nothing is there",
}
_NUMBERS = {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES, FileExistsError: errno.EEXIST}
"""Object stores raise the system's types of errors without the system's numbers."""
_UNREACHABLE = f"check that the store can be reached, then {RUN_AGAIN}"
_REMOTE_CLIENTS = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google")
_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or write ~/.aws/credentials"
_SET_UP_WRONGLY = {
    "NoCredentialsError": _KEYS,
    "PartialCredentialsError": _KEYS,
    "ProfileNotFound": "let AWS_PROFILE name one of ~/.aws/config and ~/.aws/credentials",
    "NoRegionError": "set AWS_DEFAULT_REGION, or the region in ~/.aws/config",
}
"""What botocore's errors of a wrong set-up are called -> what mends it."""


def cure_of_access(error: BaseException) -> str:
    """What helps who cannot read what is elsewhere."""
    return _SET_UP_WRONGLY.get(type(error).__name__, "check the address and your right to read it")


@contextmanager
def _explained(verb: str, where: str) -> Iterator[None]:
    """Turn what file systems raise into one StoreError with a cure; what is already one passes through."""
    try:
        yield
    except StoreError:
        raise
    except ImportError as error:
        raise StoreError(f"cannot {verb} {where}: {error}; install what this kind of store needs") from error
    except OSError as error:
        number = error.errno or _NUMBERS.get(type(error), 0)
        known = _CURES.get(number)
        if number == errno.ENOENT and verb == "write" and "://" in where:
            known = "make the bucket first, or take another --store"
        failure = StoreError(f"cannot {verb} {where}: {error.strerror or error}; {known or _UNREACHABLE}")
        failure.transient = known is None
        raise failure from error
    except ValueError as error:
        cure = "; a folder or a URL such as s3://bucket/prefix is expected" if verb == "open" else ""
        raise StoreError(f"cannot {verb} {where}: {error}{cure}") from error
    except Exception as error:
        # Clients of object stores have trees of errors of their own, known by their module alone (they are optional).
        if type(error).__module__.split(".")[0] not in _REMOTE_CLIENTS:
            raise
        set_up = _SET_UP_WRONGLY.get(type(error).__name__)
        failure = StoreError(f"cannot {verb} {where}: {error}; {set_up or _UNREACHABLE}")
        failure.transient = set_up is None
        raise failure from error
