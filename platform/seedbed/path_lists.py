"""Lists of paths below a root, as Common Crawl publishes its files: `warc.paths.gz`."""

import posixpath
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dataprep.reading.compression import COMPRESSIONS, compression_of, pieces
from dataprep.reading.lines import lines
from seedbed.errors import SourceError
from seedbed.runfile.data import SourceConfig

_MAX_LINE_BYTES = 1 << 13
_ASKED_AT_ONCE = 32  # files whose size is asked for: a crawl lists 90,000


def listed_paths(source: SourceConfig) -> list[str]:
    """The paths that the list of the source names, in its order, the first `max_files` of them.

    Blank lines and those that begin with `#` are passed over. Raises SourceError for what is no list of paths.
    """
    found: list[str] = []
    with fsspec.open(source.path, "rb") as stream:
        by_name = COMPRESSIONS.get(posixpath.splitext(source.path)[1])
        compression = compression_of(stream, by_name)
        for number, line in enumerate(lines(pieces(stream, compression), compression is not None, _MAX_LINE_BYTES), 1):
            if line.damage is not None:
                raise SourceError(f"{source.path} is damaged behind {len(found):,} paths: {line.damage.detail}")
            path = None if line.data is None else line.data.decode("utf-8", "surrogateescape").strip()
            if path == "" or (path is not None and path.startswith("#")):
                continue
            if path is None or "\0" in path or ".." in path.split("/"):
                raise SourceError(
                    f"{source.path}, line {number}: expected one path a line, below {source.paths_below}, found "
                    f"{(path or 'a line of more than 8 KiB')[:80]!r}"
                )
            found.append(path.lstrip("/"))
            if len(found) == source.max_files:
                break
    if not found:
        raise SourceError(f"{source.path} names no path: expected one a line, below {source.paths_below}")
    twice = [path for path, count in Counter(found).items() if count > 1]
    if twice:
        raise SourceError(f"{source.path} names {min(twice)} twice: a file has one place in a source")
    return found


def facts_of_listed(fs: Any, root: str, paths: list[str]) -> dict[str, dict[str, Any]]:
    """Full path -> what the file system says of it. Raises SourceError where a file is not there or has no size."""

    def ask(path: str) -> dict[str, Any]:
        full = f"{root.rstrip('/')}/{path}"
        try:
            info: dict[str, Any] = fs.info(full)
        except FileNotFoundError:
            raise SourceError(f"the list names {path}, and nothing is at {full}: is `paths_below` right?") from None
        if info["type"] != "file":
            raise SourceError(f"the list names {path}, and {full} is no file")
        if info.get("size") is None:
            raise SourceError(f"{full}: its server does not say how large it is, so it cannot be planned with")
        return info

    if isinstance(fs, LocalFileSystem):
        return {f"{root.rstrip('/')}/{path}": ask(path) for path in paths}
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return {f"{root.rstrip('/')}/{path}": info for path, info in zip(paths, pool.map(ask, paths), strict=True)}
