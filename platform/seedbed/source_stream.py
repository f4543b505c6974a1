"""The bytes of one file of a source, as they were planned with."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from seedbed.errors import RUN_AGAIN, SourceError
from seedbed.sources import file_system, version_of


@contextmanager
def open_source(url: str, version: str) -> Iterator[BinaryIO]:
    """The file at `url` (`SourceFile.url`), seekable.

    Raises SourceError where it cannot be read, from every read too, so that no reader takes a lost connection for
    damaged data; and at the end where it is no longer what had this `version` (`SourceFile.version`).
    """
    with _explained(url):
        fs, path = file_system(url)
        file = fs.open(path, "rb")
    with _SourceStream(file, url) as stream:
        yield cast(BinaryIO, stream)
    with _explained(url):
        fs.invalidate_cache()
        found = version_of(fs.info(path))
    if found != version:
        raise SourceError(f"{url} was changed after the run was planned ({version}, now {found}): plan again")


class _SourceStream(io.RawIOBase):
    def __init__(self, file: Any, url: str) -> None:
        super().__init__()
        self._file = file
        self._url = url

    def read(self, size: int | None = -1) -> bytes:
        with _explained(self._url):
            return bytes(self._file.read(size))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _explained(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what file systems raise into a SourceError."""
    try:
        yield
    except FileNotFoundError:
        raise SourceError(f"{url} was there when the run was planned and is gone: put it back, or plan again") from None
    except PermissionError as error:
        cure = "give this user the right to read it, or take it out of the source"
        raise SourceError(f"cannot read {url}: {error.strerror or error}; {cure}") from error
    except (IsADirectoryError, NotADirectoryError):
        raise SourceError(f"{url} was a file when the run was planned: put it back, or plan again") from None
    except Exception as error:  # every kind of store has errors of its own: botocore's are no OSError
        failure = SourceError(f"cannot read {url}: {error}; check that it can be reached, then {RUN_AGAIN}")
        failure.transient = True
        raise failure from error
