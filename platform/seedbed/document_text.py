"""A document's text as it was extracted, with what `clean` cut out of it and put in its place, and personal data masked
as in the corpus."""

from dataclasses import dataclass, replace

import pyarrow as pa

from dataprep import document_id
from dataprep.clean import RULES
from dataprep.personal_data import MaskConfig, PersonalDataConfig, mask, spans_that_go, tokens_of
from dataprep.schemas import ID
from seedbed.artifact import Artifact
from seedbed.plan import Plan
from seedbed.store import Store
from seedbed.why import CUTS


@dataclass(frozen=True)
class Span:
    """A piece of the text; `rule` is what cut it, None for what survived. `added` stands in the place of what was cut,
    and survives."""

    text: str
    rule: str | None
    added: str = ""


def document_text(store: Store, plan: Plan, written_id: str) -> list[Span] | None:
    """The pieces of the document `source/path#record`, in order; None where it gave no text.

    What survives is masked as `corpus` masks it, also where a piece of personal data goes over a cut; what was cut is
    masked by itself.
    """
    packed = document_id.parse_id(written_id)
    if packed is None:
        return None
    artifacts = {step.kind: Artifact(store, step.kind, step.fingerprint) for step in plan.steps}
    prefix = packed[: document_id.PREFIX_BYTES].hex()
    shards = artifacts["extract"].committed()["input_shards"]
    unit = next((shard["unit"] for shard in shards if shard["prefix"] == prefix), None)
    if unit is None:
        return None
    ids = pa.array([packed], ID)
    found = artifacts["extract"].read_rows("documents", unit, ids, ["id", "text"]).to_pylist()
    if not found:
        return None
    text = found[0]["text"].encode()
    masking = plan.run.data.annotate.personal_data, plan.run.data.corpus.personal_data
    if not artifacts["clean"].is_committed():
        return masked([Span(text.decode(), None)], *masking)
    [edit] = artifacts["clean"].read_rows("edits", unit, ids).to_pylist()
    added, at = edit["added_text"].encode(), 0
    spans, end = [], 0
    for start, stop, rule, length in zip(*(edit[name] for name in CUTS), strict=True):
        spans.append(Span(text[end:start].decode(), None))
        spans.append(Span(text[start:stop].decode(), RULES[rule], added[at : at + length].decode()))
        end, at = stop, at + length
    spans.append(Span(text[end:].decode(), None))
    return masked([span for span in spans if span.text], *masking)


def masked(spans: list[Span], config: PersonalDataConfig, masking: MaskConfig) -> list[Span]:
    """The pieces with tokens in the place of personal data; what is then empty is left out."""
    texts = pa.array([span.text if span.rule else "" for span in spans], pa.large_string())
    cut = mask(texts, config, masking)[0].to_pylist()
    surviving = [(span.added if span.rule else span.text).encode() for span in spans]
    tokens = [token.encode() for token in tokens_of(masking)]
    while True:  # as `mask` does: what is left may read like personal data
        joined = pa.array([b"".join(surviving).decode()], pa.large_string())
        found = spans_that_go(joined, config, masking)[1:].T.tolist()
        if not found:
            break
        surviving = _replaced(surviving, found, tokens)
    pieces = zip(spans, cut, (piece.decode() for piece in surviving), strict=True)
    whole = [replace(s, text=text, added=left) if s.rule else replace(s, text=left) for s, text, left in pieces]
    return [span for span in whole if span.text or span.added]


def _replaced(pieces: list[bytes], found: list[list[int]], tokens: list[bytes]) -> list[bytes]:
    """The pieces of one text without the ranges `found` (start, end, kind); each one's token stands where it began."""
    result, origin = [], 0
    for piece in pieces:
        kept, at = b"", 0
        for start, end, kind in found:
            first, last = start - origin, end - origin
            if last <= 0 or first >= len(piece):
                continue
            kept += piece[at : max(first, 0)] + (tokens[kind] if first >= 0 else b"")
            at = min(last, len(piece))
        result.append(kept + piece[at:])
        origin += len(piece)
    return result
