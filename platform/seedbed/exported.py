"""The export of a finished run, copied out of the store."""

from pathlib import Path
from typing import Any

from dataprep.digest import bytes_digest
from dataprep.errors import CorruptDataError
from seedbed.artifact import Artifact
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.store import Store

FOLDER = "model"


def copy_export(store: Store, plan: Plan, folder: Path) -> list[str]:
    """Copy the files of the run's export into `folder` and return their names.

    Raises UsageError when the run has no export yet or the folder holds something, CorruptDataError when a file is not
    what was committed.
    """
    step = plan.step("export")
    artifact = Artifact(store, step.kind, step.fingerprint)
    manifest = artifact.manifest()
    if manifest is None:
        raise UsageError(f"run {plan.run_id} has no export yet: `seedbed show {plan.run_id}` says where it is")
    try:
        return _copy(artifact, manifest, folder)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}; name another folder") from error


def _copy(artifact: Artifact, manifest: dict[str, Any], folder: Path) -> list[str]:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for entry in manifest["files"]:
        data = artifact.store.read(f"{artifact.path}/{entry['path']}")
        if bytes_digest(data) != entry["digest"]:
            raise CorruptDataError(
                f"{artifact.path}/{entry['path']} is not what was committed: remove it and run again"
            )
        name = entry["path"].removeprefix(f"{FOLDER}/")
        (folder / name).write_bytes(data)
        names.append(name)
    return sorted(names)
