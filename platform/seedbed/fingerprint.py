"""Fingerprints: the name of a result before it is computed."""

import json
from importlib.metadata import version
from typing import Any

import blake3

FINGERPRINT_DIGITS = 16
"""64 bits in hex: among a million artifacts of one kind two collide once in 37 million stores."""


def fingerprint(kind: str, step_version: int, config: Any, parents: dict[str, str], software: dict[str, str]) -> str:
    """The name of what step `kind` makes of these parents (kind -> fingerprint) with this configuration.

    `software` holds the versions of the packages and the digests of the model files that decide the step's bytes.
    """
    content = {"kind": kind, "version": step_version, "config": config, "parents": parents, "software": software}
    return blake3.blake3(canonical_json(content)).hexdigest(length=FINGERPRINT_DIGITS // 2)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no blanks: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Installed version of each package, by name; nothing is imported."""
    return {package: version(package) for package in packages}
