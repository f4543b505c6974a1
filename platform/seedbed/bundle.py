"""What a submitted job brings along: Seedbed's own code, the run file and the launch, as one zip with one digest.

    packages + run.yaml + launch.json --gather--> Contents --pack--> <digest>.zip --keep--> store, bundles/<digest>.zip

A cluster's machines need the image and no checkout. The digest is over paths and contents, so it is the same on every
machine and in every folder, and `jobs.submitted` takes it again of what was unpacked. Crawl files are not in it.
"""

import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import blake3

from seedbed.errors import StoreError, UsageError
from seedbed.launch import Launch
from seedbed.store import Store

PACKAGES = ("dataprep", "jobs", "seedbed")
SUFFIXES = (".json", ".npz", ".py", ".toml")
"""What a job reads of its packages. The dashboard's pages stay at home, as does whatever a compiler has left."""
RUN_FILE, LAUNCH_FILE = "run.yaml", "launch.json"
UNFINISHED = ".incomplete"
"""Ends the names of files of the state directory that are being written."""

_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say
_DIGEST_BYTES = 16


FOLDER = "bundles"
"""Of the store, and of the state directory, which has copies on their way to a cluster. A run of the store names those
that were submitted for it: `runs/<run id>/bundles/<digest>`, an empty file."""


@dataclass(frozen=True)
class Bundle:
    """A bundle on this machine."""

    digest: str
    path: Path


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle, in memory: a plan that nobody has agreed to yet leaves no file."""

    digest: str
    files: Mapping[str, bytes]

    def pack(self, folder: Path) -> Bundle:
        """Write the bundle into `folder`, where it is not there yet. Raises StoreError."""
        path = folder / f"{self.digest}.zip"
        try:
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
                _write_zip(temporary, self.files)
                temporary.replace(path)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}; take another --state") from error
        return Bundle(self.digest, path)


def gather(launch: Launch, run_yaml: str, packages: Mapping[str, Path] | None = None) -> Contents:
    """What a job of this launch brings along.

    `run_yaml` is the resolved run file. Of the launch, what belongs to one attempt alone is left out. `packages` are
    the folders of the packages, those of this process where none are named.
    """
    files = dict(_code(packages or installed_packages()))
    files[RUN_FILE] = run_yaml.encode()
    general = replace(launch, state_root="", at=0.0, job=None, attempt=None)
    files[LAUNCH_FILE] = json.dumps(asdict(general), indent=1, sort_keys=True).encode()
    return Contents(content_digest(files), files)


def keep(bundle: Bundle, store: Store, run_id: str) -> str:
    """Put the bundle into the store, as one of this run, where it is not there yet; its path. Raises StoreError."""
    path = f"{FOLDER}/{bundle.digest}.zip"
    store.write(f"{_of_run(run_id)}/{bundle.digest}", b"")  # first: a bundle that no run names is garbage
    if not store.exists(path):
        store.write(path, bundle.path.read_bytes())
    return path


def kept_for(store: Store, run_id: str) -> list[str]:
    """Digests of the bundles that were submitted for the run. Raises StoreError."""
    return store.names(_of_run(run_id))


def _of_run(run_id: str) -> str:
    return f"runs/{run_id}/{FOLDER}"


def fetch(store: Store, digest: str, folder: Path) -> Bundle:
    """The bundle with this digest, on this machine: a retry sends what was sent before. Raises StoreError."""
    path = folder / f"{digest}.zip"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
        store.download(f"{FOLDER}/{digest}.zip", temporary)
        temporary.replace(path)
    return Bundle(digest, path)


def check_unpacked(root: Path, digest: str) -> None:
    """Raises UsageError unless what was unpacked at `root` is the bundle with this digest."""
    files = dict(_code({name: root / name for name in PACKAGES}))
    for name in (RUN_FILE, LAUNCH_FILE):
        if (root / name).is_file():
            files[name] = (root / name).read_bytes()
    found = content_digest(files)
    if found != digest:
        raise UsageError(
            f"the code in {root} is not what was submitted: its digest is {found}, not {digest}: submit the run again"
        )


def content_digest(files: Mapping[str, bytes]) -> str:
    """Over names and contents, in hex; the order in which they come does not matter."""
    digest = blake3.blake3()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest(length=_DIGEST_BYTES)


def installed_packages() -> dict[str, Path]:
    """Folders of the packages that this process would import."""
    found = {}
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise UsageError(f"the package {name} is not here: see `seedbed doctor`")
        found[name] = Path(spec.origin).parent
    return found


def _code(packages: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """(path in the bundle, content) of each file of the packages."""
    for name, folder in packages.items():
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in inside.parts)
            if path.suffix in SUFFIXES and path.is_file() and not hidden:
                yield f"{name}/{inside.as_posix()}", path.read_bytes()


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # a file of Unix that all may read
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
