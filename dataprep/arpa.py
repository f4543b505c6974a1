"""ARPA files: n-gram models as text, as KenLM, SRILM and others read and write them.

    # seedbed {"kind": "ngram_model", ...}      what Seedbed knows of the model; a comment to others
    \\data\\
    ngram 1=..., then \\1-grams: ... \\end\\         log10 probability TAB words TAB log10 backoff
"""

import gzip
import json
import zlib
from typing import Any

import numpy as np

from dataprep.errors import CorruptDataError
from dataprep.kernels.arpa_lines import format_lines
from dataprep.kneser_ney import NgramProbabilities

_COMMENT = b"# seedbed "
_HEAD_BYTES = 1 << 16  # the first line has some 2 KB
UNITS_PER_LOG10 = 10_000_000
"""Logarithms have seven decimals in the file, so that they are integers to the kernel, and sums of them are exact."""


def format_arpa(vocabulary: list[str], lengths: list[NgramProbabilities]) -> bytes:
    """The file without its first line."""
    spelt = [word.encode() for word in vocabulary]
    offsets = np.zeros(len(spelt) + 1, np.int64)
    np.cumsum([len(word) for word in spelt], out=offsets[1:])
    letters = np.frombuffer(b"".join(spelt), np.uint8)
    parts = [b"\\data\\\n"]
    parts += [f"ngram {length}={len(found.numbers)}\n".encode() for length, found in enumerate(lengths, 1)]
    for length, found in enumerate(lengths, 1):
        logarithms, backoffs = (
            np.rint(values * UNITS_PER_LOG10).astype(np.int64)
            for values in (found.log10_probabilities, found.log10_backoffs[: None if length < len(lengths) else 0])
        )
        parts.append(f"\n\\{length}-grams:\n".encode())
        parts.append(format_lines(found.words, letters, offsets, logarithms, backoffs))
    return b"".join([*parts, b"\n\\end\\\n"])


def with_metadata(metadata: dict[str, Any], arpa: bytes) -> bytes:
    """The file with what Seedbed knows of it as the first line."""
    return _COMMENT + json.dumps(metadata, sort_keys=True).encode() + b"\n" + arpa


def compressed(data: bytes) -> bytes:
    """As gzip; the same bytes each time."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def plain(data: bytes, name: str) -> bytes:
    """The text of a file, compressed or not. Raises CorruptDataError where its compression is damaged."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptDataError(f"{name} is damaged gzip data ({error}): copy or train the model anew") from error


def metadata_of(arpa: bytes) -> dict[str, Any]:
    """What the first line says, where Seedbed wrote the file; else nothing."""
    if not arpa.startswith(_COMMENT):
        return {}
    line = arpa[len(_COMMENT) : arpa.index(b"\n")]
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CorruptDataError(f"the first line of the model is no JSON ({error}): train it anew") from error
    return found


def check_arpa(data: bytes, name: str) -> None:
    """Looks at the head of a file, compressed or not. Raises CorruptDataError where it is no ARPA file's."""
    head = data[:_HEAD_BYTES]
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD_BYTES)
        except zlib.error as error:
            raise CorruptDataError(f"{name} is damaged gzip data ({error}): copy or train the model anew") from error
    metadata_of(head if b"\n" in head else head + b"\n")
    if b"\\data\\" not in head:
        raise CorruptDataError(
            f"{name} is no ARPA file, as it has no \\data\\ at its head: train one with `seedbed train-ngram-model`"
        )


def sections(arpa: bytes, name: str) -> list[np.ndarray]:
    """The lines of the n-grams of each length, as uint8[] over `arpa`. Raises CorruptDataError where it is no ARPA
    file."""
    view = np.frombuffer(arpa, np.uint8)
    starts: list[int] = []
    while (start := arpa.find(f"\n\\{len(starts) + 1}-grams:".encode(), starts[-1] if starts else 0)) >= 0:
        starts.append(arpa.index(b"\n", start + 1) + 1)
    end = arpa.find(b"\n\\end\\", starts[-1] if starts else 0)
    if end < 0 or not starts or b"\\data\\" not in arpa[: starts[0]]:
        raise CorruptDataError(f"{name} is no whole ARPA file: it wants \\data\\, \\1-grams: and \\end\\ at the end")
    stops = [arpa.rindex(b"\n\\", 0, start) + 1 for start in starts[1:]] + [end + 1]
    return [view[start:stop] for start, stop in zip(starts, stops, strict=True)]
