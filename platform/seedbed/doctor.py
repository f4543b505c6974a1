"""What is missing or wrong on this machine, and how to mend it."""

import json
import os
import platform
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dataprep.errors import SeedbedError
from seedbed.errors import StoreError
from seedbed.requirements import Requirement, declared
from seedbed.state import StateDirectory
from seedbed.store import TEMPORARY, Store

OK, WARN, MISSING = "ok", "warn", "missing"

GIB = 1 << 30
MIN_PYTHON = (3, 11)
MIN_MEMORY_BYTES = 4 * GIB  # Ray, two ranks and an extractor for each worker took 3 GiB in the demo
MIN_DISK_BYTES = 2 * GIB  # the demo's store, its checkpoints and Ray's logs
MIN_SHARED_MEMORY_BYTES = GIB // 2  # Ray's object store of a run, twice; Docker gives 64 MiB unless told otherwise
MIN_CORES = 2
TORCH_TIMEOUT_S = 120  # a first import from a cold disk
_MAKE_SETUP = "run `make setup`"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `state` is ok, warn or missing; `mend` says what to do about it."""

    name: str
    state: str
    found: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(store_url: str, state_root: str) -> list[Check]:
    """Every check, in the order in which a person would mend them."""
    return [
        _python(),
        *_packages(),
        _compiler(),
        _cores(),
        _memory(),
        _shared_memory(),
        _store(store_url),
        _state(state_root),
        *_disks(store_url, state_root),
        _cuda(),
    ]


def _at_least(name: str, found: float, wanted: float, unit: str, mend: str) -> Check:
    """ok, or a warning where there is less than what a demo run wants."""
    text = f"{found:.3g} {unit}"
    if found >= wanted:
        return Check(name, OK, text)
    return Check(name, WARN, f"{text}, {wanted:.3g} {unit} are advised", mend)


def _python() -> Check:
    found = platform.python_version()
    if sys.version_info >= MIN_PYTHON:
        return Check("Python", OK, f"{found} at {sys.executable}")
    wanted = ".".join(map(str, MIN_PYTHON))
    return Check("Python", MISSING, found, f"take Python {wanted} or newer: make setup PYTHON=/path/to/python{wanted}")


def _packages() -> Iterator[Check]:
    requirements = declared()
    if not requirements:
        yield Check("packages", MISSING, "Seedbed itself is not installed", _MAKE_SETUP)
    good = 0
    for requirement in requirements:
        problem = _package_problem(requirement)
        good += problem is None
        if problem is not None:
            yield problem
    if good:
        yield Check("packages", OK, f"{good} of {len(requirements)} as required")


def _package_problem(requirement: Requirement) -> Check | None:
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Check(requirement.name, MISSING, "not installed", f"{_MAKE_SETUP}: {requirement.text} is required")
    if requirement.allows(found):
        return None
    return Check(requirement.name, WARN, f"version {found}, {requirement.text} is required", _MAKE_SETUP)


def _compiler() -> Check:
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found:
        return Check("C++ compiler", OK, found)
    return Check(
        "C++ compiler",
        WARN,
        f"no {' or '.join(names)} on PATH",
        "install one (Debian: apt-get install g++): packages without a wheel for this machine, and DeepSpeed's own "
        "operations, are compiled",
    )


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _at_least("cores", cores, MIN_CORES, "cores", "set cluster.data_workers=1 and cluster.training_ranks=1")


def _memory() -> Check:
    if find_spec("psutil") is None:
        return Check("memory", MISSING, "unknown without psutil", _MAKE_SETUP)
    import psutil

    free = psutil.virtual_memory().available
    limit = _container_limit_bytes()
    if limit is not None:
        free = min(free, limit)
    cure = "close other programs, or take fewer data_workers and a smaller micro batch"
    return _at_least("free memory", free / GIB, MIN_MEMORY_BYTES / GIB, "GiB", cure)


def _container_limit_bytes() -> int | None:
    """What this process's control group may still take, None where nothing limits it (Linux, cgroup v2)."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(int(limit) - used, 0)


def _shared_memory() -> Check:
    path = Path("/dev/shm")
    if not path.is_dir():
        return Check("/dev/shm", WARN, "not there", "Ray keeps its objects on disk then, which is slower")
    cure = "start the container with more: docker run --shm-size=2g"
    size = shutil.disk_usage(path).total
    return _at_least("/dev/shm", size / GIB, MIN_SHARED_MEMORY_BYTES / GIB, "GiB", cure)


def _store(url: str) -> Check:
    """Writes, reads and removes a file; `gc` would take it for one that was never finished."""
    path, content = f"{TEMPORARY}doctor-{uuid.uuid4().hex[:12]}", b"seedbed doctor"
    try:
        store = Store(url)
        store.write(path, content)
        read = store.read(path)
        store.delete(path)
    except SeedbedError as error:
        return Check("store", MISSING, str(error), "name another with --store or SEEDBED_STORE")
    except Exception as error:  # noqa: BLE001 - object stores have errors of their own (botocore's are no OSError)
        return Check("store", MISSING, f"{url}: {error}", "check the address and your credentials for it")
    if read != content:
        return Check("store", MISSING, f"{url} gave back other bytes than were written", "take another --store")
    return Check("store", OK, f"{url} takes and gives files")


def _state(root: str) -> Check:
    state = StateDirectory(root)
    try:
        with state.lease("doctor", lambda _: None):
            pass
    except (StoreError, OSError) as error:
        return Check("state directory", MISSING, str(error), "name a local folder with --state or SEEDBED_STATE")
    return Check("state directory", OK, f"{state.root} takes locks")


def _disks(store_url: str, state_root: str) -> Iterator[Check]:
    try:
        local_store = Store(store_url).local_path("")
    except SeedbedError:
        local_store = None  # said already
    for name, path in (("disk of the store", local_store), ("disk of the state directory", Path(state_root))):
        if path is None:
            continue
        there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        cure = "free some room (`seedbed gc`), or take another folder"
        yield _at_least(name, shutil.disk_usage(there).free / GIB, MIN_DISK_BYTES / GIB, "GiB free", cure)


def _cuda() -> Check:
    """What torch sees; asked in a process of its own, so that this one need not load torch."""
    if find_spec("torch") is None:
        return Check("CUDA", WARN, "unknown without torch", _MAKE_SETUP)
    question = "import json, torch as t; print(json.dumps([t.__version__, t.version.cuda, t.cuda.device_count()]))"
    try:
        answer = subprocess.run(
            [sys.executable, "-c", question], capture_output=True, text=True, timeout=TORCH_TIMEOUT_S, check=True
        )
        version, cuda, num_devices = json.loads(answer.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no message"]
        return Check("torch", MISSING, f"cannot be imported: {last[0]}", f"{_MAKE_SETUP} in a fresh .venv")
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return Check("torch", WARN, f"gave no answer: {type(error).__name__}", "import torch by hand and see")
    if num_devices:
        return Check("CUDA", OK, f"{num_devices} devices, torch {version}, CUDA {cuda}")
    build = f"CUDA {cuda}" if cuda else "a build for CPU"
    return Check("CUDA", OK, f"no device; torch {version} is {build}: training runs on CPU")
