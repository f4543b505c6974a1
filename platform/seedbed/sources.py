"""The files of a run's sources: found, counted and named before anything is read."""

import posixpath
from dataclasses import asdict, dataclass, field
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dataprep.document_id import file_prefixes
from dataprep.reading.formats import ONLY_WHEN_SAID, SUFFIXES, format_of
from seedbed.earlier import EarlierCorpus
from seedbed.errors import SourceError
from seedbed.path_lists import facts_of_listed, listed_paths
from seedbed.runfile.data import DataConfig, SourceConfig
from seedbed.source_rights import check_files, check_folders, check_way_to
from seedbed.store import cure_of_access

_GLOB = "*?["
_VERSIONS = ("ETag", "etag", "mtime", "LastModified", "Last-Modified", "updated", "last_modified", "created")
"""What file systems call the mark that changes with a file's content; the first that is there is taken."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source. `path` is relative to `root`; both join with a slash."""

    source: str
    path: str
    root: str  # a folder or the URL of one: it may move, and is part of no identity
    num_bytes: int  # as stored
    version: str  # changes when the content does: an etag or a time of change

    @property
    def url(self) -> str:
        return f"{self.root.rstrip('/')}/{self.path}"

    @property
    def identity(self) -> list[str | int]:
        """What fingerprints cover."""
        return [self.source, self.path, self.num_bytes, self.version]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SourceListing:
    """What the sources hold, in order of source and path; `ignored` are the URLs that no reader takes."""

    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...] = ()
    lists: dict[str, str] = field(default_factory=dict)  # path -> digest of each list file: `seedbed.list_files`
    earlier: tuple[EarlierCorpus, ...] = ()  # what `data.deduplicate.against` names: `seedbed.earlier`


def list_sources(data: DataConfig) -> SourceListing:
    """The files of every source, in an order that the run file does not decide.

    Files whose name begins with a dot are ignored unless the path names them. Raises SourceError with what is wrong
    with each source.
    """
    files: list[SourceFile] = []
    ignored: list[str] = []
    problems: list[str] = []
    for name, source in sorted(data.sources.items()):
        try:
            listing = _list_source(name, source)
        except SourceError as error:
            problems.append(f"data.sources.{name}.path: {error}")
        else:
            files += listing.files
            ignored += listing.ignored
    if problems:
        raise SourceError("\n".join(problems))
    file_prefixes((file.source, file.path) for file in files)  # two files must not share their ids
    return SourceListing(tuple(sorted(files, key=lambda file: (file.source, file.path))), tuple(sorted(ignored)))


@dataclass(frozen=True)
class _Found:
    """What a source's path leads to: the folder that paths are relative to, and each file's full path and facts."""

    root: str
    files: dict[str, dict[str, Any]]
    is_folder: bool  # names must say what files are; a path or a list that names a file may overrule
    is_pattern: bool = False  # a folder or a glob: nobody has named each file


def _list_source(name: str, source: SourceConfig) -> SourceListing:
    where = source.path if source.paths_below is None else source.paths_below
    try:
        fs, path = file_system(where)
        root = path.rstrip("/") or "/"
        if source.paths_below is None:
            found = _find(fs, root, where)
        else:
            found = _Found(root, facts_of_listed(fs, root, listed_paths(source)), is_folder=False)
        root = found.root if isinstance(fs, LocalFileSystem) else fs.unstrip_protocol(found.root)
        files = {
            SourceFile(
                name, full[len(found.root.rstrip("/")) + 1 :], root, int(info["size"] or 0), version_of(info)
            ): info
            for full, info in found.files.items()
        }
    except SourceError:
        raise
    except Exception as error:  # every kind of store has errors of its own: botocore's are no OSError
        what = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot look at {source.path}: {what}; {cure_of_access(error)}") from error
    taken = [file for file, info in files.items() if info["type"] == "file" and _is_taken(file.path, source, found)]
    if not taken:
        raise SourceError(_nothing_taken(source, list(files)))
    _check_names(taken)
    ignored = files.keys() - set(taken)
    if source.max_files is not None and source.paths_below is None:
        taken = sorted(taken, key=lambda file: file.path)[: source.max_files]
    if isinstance(fs, LocalFileSystem):
        check_files(file.url for file in taken)
    return SourceListing(tuple(taken), tuple(_shown(file.url) for file in ignored))


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path in it."""
    # A local name may hold `::`, which chains file systems in fsspec's URLs.
    return (LocalFileSystem(), url) if url.startswith("/") else fsspec.core.url_to_fs(url)


def _find(fs: Any, path: str, url: str) -> _Found:
    fs.invalidate_cache()
    if fs.isfile(path):
        info = fs.info(path)
        return _Found(posixpath.dirname(path), {path: info}, is_folder=False)
    if fs.isdir(path):
        return _Found(path, _files_under(fs, path), is_folder=True, is_pattern=True)
    if not any(character in path for character in _GLOB):
        if isinstance(fs, LocalFileSystem):
            check_way_to(path)
        raise SourceError(f"nothing is at {url}: expected a file, a folder or a glob that matches some")
    matched = fs.glob(path, detail=True)
    if not matched:
        if isinstance(fs, LocalFileSystem):
            check_way_to(path)
        raise SourceError(f"no file matches {url}: check the pattern, or name a folder")
    files: dict[str, dict[str, Any]] = {}
    for full, info in matched.items():
        files |= _files_under(fs, full) if info["type"] == "directory" else {full: _behind_link(fs, full, info)}
    return _Found(_folder_of_glob(path), files, is_folder=False, is_pattern=True)


def _files_under(fs: Any, folder: str) -> dict[str, dict[str, Any]]:
    found = fs.find(folder, detail=True, withdirs=isinstance(fs, LocalFileSystem))
    folders = [full for full, info in found.items() if info["type"] == "directory"]
    check_folders(folders, folder)
    for full in folders:
        del found[full]
    # Object stores show folders that somebody made by hand as empty files whose name ends in a slash.
    return {full: _behind_link(fs, full, info) for full, info in found.items() if not full.endswith("/")}


def _behind_link(fs: Any, full: str, info: dict[str, Any]) -> dict[str, Any]:
    """The facts of the file that a link leads to; a link to a folder or to nothing stays what it is, and is ignored."""
    if info["type"] != "other":
        return info
    try:
        behind: dict[str, Any] = fs.info(full)
    except FileNotFoundError:
        return info
    return behind if behind["type"] == "file" else info


def _folder_of_glob(path: str) -> str:
    """The deepest folder that every match lies in, whatever matches."""
    fixed: list[str] = []
    for part in path.split("/")[:-1]:
        if any(character in part for character in _GLOB):
            break
        fixed.append(part)
    return "/".join(fixed) or "/"


def _is_taken(path: str, source: SourceConfig, found: _Found) -> bool:
    """Whether a reader takes the file. In a folder its name must say what it is; a path that names it may overrule."""
    by_name, wanted = format_of(path), source.reader.format
    is_hidden = any(part.startswith(".") for part in path.split("/"))
    if found.is_folder and is_hidden:
        return False
    if wanted == "auto":
        return by_name is not None and not (found.is_pattern and by_name[0] in ONLY_WHEN_SAID)
    if by_name is None or (by_name[0] != wanted and by_name[0] in ONLY_WHEN_SAID):  # the name does not tell
        return not found.is_folder
    return by_name[0] == wanted


def _check_names(files: list[SourceFile]) -> None:
    for file in files:
        if _shown(file.url) != file.url:
            raise SourceError(f"the name of {_shown(file.url)} is not UTF-8: rename the file")


def _shown(name: str) -> str:
    """The name as it can be printed: bytes that are not UTF-8 (half surrogates, in Python) are written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def version_of(info: dict[str, Any]) -> str:
    """What changes when a file does, from the facts that its file system gives."""
    for name in _VERSIONS:
        value = info.get(name)
        if value is not None:
            text = f"{value:.6f}" if isinstance(value, float) else str(value).strip('"')
            return f"{name.lower()}:{text}"
    return "unknown"


def _nothing_taken(source: SourceConfig, files: list[SourceFile]) -> str:
    if not files:
        return f"the folder {source.path} is empty"
    wanted = source.reader.format
    endings = [ending for ending, (kind, packed) in SUFFIXES.items() if wanted in ("auto", kind) and packed is None]
    first, number = posixpath.basename(min(file.path for file in files)), len(files)
    others = f" and {number - 1:,} more" if number > 1 else ""
    cure = "; set reader.format where the names do not tell" if wanted == "auto" else ""
    by_name = format_of(first)
    if wanted == "auto" and by_name is not None:
        return f"{first}{others} in {source.path}: say reader.format: {by_name[0]} to have such files read"
    packed = " (and each with .gz, .zst, .bz2, .xz)" if wanted != "parquet" else ""
    return f"no reader for {first}{others} in {source.path}: known endings are {', '.join(endings)}{packed}{cure}"
