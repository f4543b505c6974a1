"""How many unique tokens there are to train on: a bound that gets tighter as the data goes its way, then the count.

sources --size--> at most --deduplicate--> at most, and likely --shards--> counted
"""

import math
from dataclasses import dataclass
from typing import Any

from dataprep.personal_data import KINDS, TOKENS
from dataprep.reading.formats import format_of
from seedbed.runfile.data import DataConfig
from seedbed.sources import SourceFile

TOKENS_PER_PLAIN_BYTE = 1  # a token of byte-level BPE holds a byte or more; a document's markup outweighs its end mark
TOKENS_PER_COMPRESSED_BYTE = 10  # no compressor gets English text below a tenth: mattmahoney.net/dc/text.html, enwik9
LIKELY_TOKENS_PER_BYTE = 0.29335  # GPT-2's tokenizer on the Pile: Gao et al. 2020, section 3.1
SHORTEST = {
    "email": len("a@b.cc"),
    "ip_address": len("2a00::1"),
    "phone": 7,
    "iban": len("NO9386011117947"),
    "card": 14,
}
"""Bytes of the shortest piece of personal data of each kind."""
SHORTEST_SPECIAL_ADDRESS = len("::1")


@dataclass(frozen=True)
class UniqueTokens:
    """Of the training split."""

    at_most: int
    likely: int | None = None  # by the bytes left of duplicates (benchmarks, repeats), and what such text gives
    counted: int | None = None  # by `shards`


def unique_tokens(
    files: tuple[SourceFile, ...], data: DataConfig, manifests: dict[str, dict[str, Any] | None]
) -> UniqueTokens:
    """What is known by now, from the sizes of the sources and the manifests of those steps that are done."""
    at_most, likely = sum(max_tokens(file) for file in files), None
    left = manifests.get("repeats") or manifests.get("decontaminate") or manifests.get("deduplicate")
    if left is not None:
        documents, num_bytes = left["records_out"], left["bytes_out"]
        at_most = min(at_most, math.ceil(num_bytes * _growth(data)) + documents)  # each document has an end mark
        share = 1 - data.split.validation_fraction
        likely = min(round(likely_tokens(num_bytes, documents) * share), at_most)
    shards = manifests.get("shards")
    if shards is None:
        return UniqueTokens(at_most, likely)
    counted = shards["counts"]["train_tokens"]
    return UniqueTokens(at_most, counted, counted)


def likely_tokens(num_bytes: int, documents: int) -> float:
    """Of so much text: each document has an end mark."""
    return num_bytes * LIKELY_TOKENS_PER_BYTE + documents


def max_tokens(file: SourceFile) -> int:
    """That a file can hold."""
    is_plain = format_of(file.path) == ("jsonl", None)  # a WARC's answers may be compressed in themselves
    return file.num_bytes * (TOKENS_PER_PLAIN_BYTE if is_plain else TOKENS_PER_COMPRESSED_BYTE)


def _growth(data: DataConfig) -> float:
    """How much longer `corpus` can make a text: where a token is longer than what it masks."""
    tokens = zip(KINDS, TOKENS, data.corpus.personal_data.actions, strict=True)
    shortest = dict(SHORTEST)
    if data.annotate.personal_data.ip_addresses == "all":
        shortest["ip_address"] = SHORTEST_SPECIAL_ADDRESS
    return max([1, *(len(token) / shortest[kind] for kind, token, action in tokens if action == "mask")])
