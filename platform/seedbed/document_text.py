"""A document's text as it was extracted, with what `clean` cut out of it and put in its place."""

from dataclasses import dataclass

import pyarrow as pa

from dataprep import document_id
from dataprep.clean import RULES
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
    """The pieces of the document `source/path#record`, in order; None where it gave no text."""
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
    if not artifacts["clean"].is_committed():
        return [Span(text.decode(), None)]
    [edit] = artifacts["clean"].read_rows("edits", unit, ids).to_pylist()
    added, at = edit["added_text"].encode(), 0
    spans, end = [], 0
    for start, stop, rule, length in zip(*(edit[name] for name in CUTS), strict=True):
        spans.append(Span(text[end:start].decode(), None))
        spans.append(Span(text[start:stop].decode(), RULES[rule], added[at : at + length].decode()))
        end, at = stop, at + length
    spans.append(Span(text[end:].decode(), None))
    return [span for span in spans if span.text]
