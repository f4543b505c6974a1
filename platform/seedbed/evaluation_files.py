"""The files of evaluation sets: found by a path or glob, known by the digest of their names and bytes together."""

import posixpath
from collections.abc import Iterator
from typing import Any

import blake3

from dataprep.decontaminate.config import EvaluationSetConfig
from dataprep.decontaminate.evaluation import ItemText, read_items
from seedbed.errors import SourceError
from seedbed.fingerprint import canonical_json
from seedbed.sources import file_system
from seedbed.store import cure_of_access

EVALUATION_PREFIX = "data.decontaminate.sets."
"""What leads the dotted keys of their paths."""

_DIGEST_DIGITS = 32  # 128 bits in hex


def evaluation_files(path: str) -> dict[str, bytes]:
    """Name -> bytes of the files at a path or glob, in the order of their names. A name is the last part of the path,
    and as much before it as tells the files apart. Raises SourceError where there are none, or one cannot be read."""
    try:
        fs, place = file_system(path)
        fs.invalidate_cache()
        found = [place] if fs.isfile(place) else sorted(one for one in fs.glob(place) if fs.isfile(one))
        if not found:
            raise SourceError(f"nothing is at {path}: expected evaluation files, or a glob that matches some")
        folder = posixpath.commonpath([posixpath.dirname(one) for one in found]).rstrip("/")
        return {one[len(folder) + 1 :] if folder else one: bytes(fs.cat_file(one)) for one in found}
    except SourceError:
        raise
    except Exception as error:  # every kind of store has errors of its own: botocore's are no OSError
        what = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot read {path}: {what}; {cure_of_access(error)}") from error


def evaluation_digest(files: dict[str, bytes]) -> str:
    """What the files are known by: in a step's configuration it stands in the place of the path."""
    content = [[name, blake3.blake3(data).hexdigest()] for name, data in sorted(files.items())]
    return f"blake3:{blake3.blake3(canonical_json(content)).hexdigest()[:_DIGEST_DIGITS]}"


def checked_digest(path: str, settings: dict[str, Any]) -> str:
    """The digest of an evaluation set's files. Raises SourceError, and DataError with what is wrong in them: before a
    crawl is read, and not hours later."""
    files = evaluation_files(path)
    config = EvaluationSetConfig.model_validate(settings, strict=False)
    for name, data in files.items():
        for _ in read_items(data, name, config):
            pass
    return evaluation_digest(files)


def evaluation_texts(path: str, digest: str, config: EvaluationSetConfig) -> Iterator[ItemText]:
    """The texts of a set as they were planned with. Raises SourceError where the files are others by now."""
    files = evaluation_files(path)
    if evaluation_digest(files) != digest:
        raise SourceError(f"{path} was changed after the run was planned: plan again")
    for name, data in files.items():
        yield from read_items(data, name, config)
