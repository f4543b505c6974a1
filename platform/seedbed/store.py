"""The store: where artifacts live, a folder or any fsspec URL.

A file in the store is there whole or not at all. In a folder it is written under a temporary name, flushed and renamed;
object stores make an object visible when its upload is complete.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from seedbed.errors import StoreError

TEMPORARY = ".incomplete-"
"""Names with this prefix are files that were never finished; `gc` removes them."""


class Store:
    """Files by relative path (`steps/clean-12ab/manifest.json`) under one root."""

    def __init__(self, url: str) -> None:
        self.url = url
        with _explained("open", url):
            fs, root = fsspec.core.url_to_fs(url)
        self._fs: Any = fs
        self._root = root.rstrip("/") or "/"
        self.is_local = isinstance(fs, LocalFileSystem)

    def __reduce__(self) -> tuple[type["Store"], tuple[str]]:
        return Store, (self.url,)  # workers open their own connections

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def local_path(self, path: str) -> Path | None:
        """The file's own path where the store is a folder, else None."""
        return Path(self._full(path)) if self.is_local else None

    def write(self, path: str, data: bytes) -> None:
        """Put `data` at `path`, whole or not at all. Raises StoreError."""
        full = self._full(path)
        with _explained("write", full):
            if not self.is_local:
                self._fs.pipe_file(full, data)
                return
            with _renamed_when_whole(Path(full)) as temporary, temporary.open("wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())

    def upload(self, local: Path, path: str) -> None:
        """Move the finished file `local` to `path`, whole or not at all. Raises StoreError."""
        full = self._full(path)
        with _explained("write", full):
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
        with _explained("read", full):
            return cast(bytes, self._fs.cat_file(full))

    def open(self, path: str) -> BinaryIO:
        """A seekable binary file; only what is read is fetched. Raises StoreError when it is not there."""
        full = self._full(path)
        with _explained("read", full):
            return cast(BinaryIO, self._fs.open(full, "rb"))

    def download(self, path: str, local: Path) -> None:
        """Copy `path` to the local file `local`. Raises StoreError when it is not there."""
        full = self._full(path)
        with _explained("read", full):
            self._fs.get_file(full, str(local))

    def size(self, path: str) -> int | None:
        """Bytes of the file, None when it is not there."""
        full = self._full(path)
        with _explained("look at", full):
            try:
                return int(self._fs.size(full))
            except FileNotFoundError:
                return None

    def exists(self, path: str) -> bool:
        return self.size(path) is not None

    def names(self, folder: str) -> list[str]:
        """Names of what is directly inside `folder`, sorted; empty when the folder is not there."""
        full = self._full(folder)
        with _explained("list", full):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(full, detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        names = {entry.rstrip("/").rsplit("/", 1)[-1] for entry in found if entry.rstrip("/") != full}
        return sorted(names)

    def files(self, folder: str) -> dict[str, int]:
        """Every file under `folder` at any depth: path relative to the store's root -> bytes."""
        full = self._full(folder)
        with _explained("list", full):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(full, detail=True)
            except FileNotFoundError:
                return {}
        return {name[len(self._root) + 1 :]: int(info["size"]) for name, info in sorted(found.items())}

    def delete(self, path: str) -> None:
        """Remove a file or a whole folder; it is no error when it is not there."""
        full = self._full(path)
        with _explained("remove", full):
            try:
                self._fs.rm(full, recursive=True)
            except FileNotFoundError:
                return


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
    errno.ENOSPC: "the disk is full: free some room (`seedbed gc`) or take another --store, then run the same command",
    errno.EDQUOT: "the quota is used up: free some room (`seedbed gc`) or take another --store",
    errno.EACCES: "no permission: give this user the right to write there, or take another --store",
    errno.EPERM: "no permission: give this user the right to write there, or take another --store",
    errno.EROFS: "the file system is read-only: take another --store",
    errno.ENOTDIR: "a part of that path is a file, not a folder: take another --store",
    errno.EEXIST: "a part of that path is a file, not a folder: take another --store",
    errno.EISDIR: "that path is a folder, a file was expected",
    errno.ENOENT: "nothing is there",
}
_UNREACHABLE = "check that the store can be reached, then run the same command again"
_REMOTE_CLIENTS = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google")


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
        known = _CURES.get(error.errno or 0)
        failure = StoreError(f"cannot {verb} {where}: {error.strerror or error}; {known or _UNREACHABLE}")
        failure.transient = known is None
        raise failure from error
    except ValueError as error:
        raise StoreError(f"cannot {verb} {where}: {error}") from error
    except Exception as error:
        # Clients of object stores have trees of errors of their own, known by their module alone (they are optional).
        if type(error).__module__.split(".")[0] not in _REMOTE_CLIENTS:
            raise
        failure = StoreError(f"cannot {verb} {where}: {error}; {_UNREACHABLE}")
        failure.transient = True
        raise failure from error
