"""The lists, models and evaluation sets that a run names: where the run file says them, what they hold, and the same
bytes for every worker.

Such a file is known by its digest: in a step's configuration it stands in the place of the path, so that another
content is another step and another folder is not.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import blake3

from dataprep.arpa import check_arpa
from dataprep.errors import DataError
from dataprep.measures.offensive_words import parse_phrases
from dataprep.quality_classifier import metadata_of
from dataprep.removals import parse as parse_removals
from dataprep.url_lists import parse_domains, parse_words
from seedbed.errors import SourceError
from seedbed.evaluation_files import EVALUATION_PREFIX, checked_digest
from seedbed.fingerprint import canonical_json
from seedbed.runfile.list_keys import replaced
from seedbed.sources import file_system
from seedbed.store import cure_of_access

_DIGEST_DIGITS = 32  # 128 bits in hex
_MAX_REMEMBERED = 8  # lists in a worker's memory


def list_paths(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Dotted key and path of every list and model that `data` names."""
    found: list[tuple[str, str]] = []

    def take(path: str, key: tuple[str | int, ...]) -> str:
        found.append((".".join(map(str, ("data", *key))), path))
        return path

    replaced(data, take)
    return iter(found)


def list_digests(data: dict[str, Any]) -> dict[str, str]:
    """Path -> digest of every list and model. Raises SourceError with what is wrong with each, in its place or its
    lines: before a crawl is read, and not hours later."""
    digests: dict[str, str] = {}
    problems = []
    for key, path in list_paths(data):
        try:
            if key.startswith(EVALUATION_PREFIX):
                name = key.removeprefix(EVALUATION_PREFIX).split(".")[0]
                digests[path] = checked_digest(path, data["decontaminate"]["sets"][name])
                continue
            content = read_now(path)
            _parser(key)(content, path)
            digests[path] = digest_of(content)
        except (SourceError, DataError) as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise SourceError("\n".join(problems))
    return digests


def _parser(key: str) -> Callable[[bytes, str], Any]:
    """What reads, or looks over, the files that stand at `key`."""
    if key == "data.annotate.perplexity.model":
        return check_arpa
    if key == "data.annotate.quality_classifier.model":
        return metadata_of
    if key.startswith("data.removals."):
        return parse_removals
    if key.startswith("data.annotate.offensive_words."):
        return parse_phrases
    return parse_domains if ".blocked_domains" in key else parse_words


def with_digests(data: dict[str, Any], digests: dict[str, str]) -> dict[str, Any]:
    """`data` with the digest of each list in the place of its path."""
    return replaced(data, lambda path, _: digests[path])


def named_by(config: dict[str, Any], paths: dict[str, str]) -> dict[str, str]:
    """Of these files (digest -> path) those whose digest stands in a step's configuration."""
    said = canonical_json(config).decode()
    return {digest: path for digest, path in paths.items() if digest in said}


@functools.lru_cache(_MAX_REMEMBERED)
def read_list(path: str, digest: str) -> bytes:
    """`read_model_file`, remembered: lists are small."""
    return read_model_file(path, digest)


def read_model_file(path: str, digest: str) -> bytes:
    """The bytes of a file as they were planned with. Raises SourceError where they are others by now."""
    data = read_now(path)
    if digest_of(data) != digest:
        raise SourceError(f"{path} was changed after the run was planned: plan again")
    return data


def read_now(path: str) -> bytes:
    """The bytes of a list as they are. Raises SourceError."""
    try:
        fs, place = file_system(path)
        return bytes(fs.cat_file(place))
    except FileNotFoundError:
        raise SourceError(f"nothing is at {path}: expected a file: a list of one entry a line, or a model") from None
    except Exception as error:  # every kind of store has errors of its own: botocore's are no OSError
        what = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot read {path}: {what}; {cure_of_access(error)}") from error


def digest_of(data: bytes) -> str:
    """What a list is known by."""
    return f"blake3:{blake3.blake3(data).hexdigest()[:_DIGEST_DIGITS]}"
