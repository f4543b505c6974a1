"""The loss on held-out text by group: which documents are whole among the tokens that were scored, and their sums.

A model that is good over all may be poor in a language or a source that the overall loss hardly counts.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.scores import bits_per_byte
from seedbed.runfile.evaluation import EvaluationConfig

MAX_NAMED = 20
"""Groups below the floor that are named, those with the most tokens; of the others there is their number."""


@dataclass(frozen=True)
class GroupLoss:
    """The loss on the documents of one group, in nats per token, the end of each document counted like any token."""

    documents: int
    tokens: int
    num_bytes: int  # UTF-8 text of them
    loss: float
    bits_per_byte: float


def whole_documents(losses: npt.NDArray[np.floating], documents: pa.Table) -> tuple[pa.Table, npt.NDArray[np.float64]]:
    """Those of `documents` (`first_token` in the stream, `num_tokens`) all of whose tokens were scored, and their loss.

    `losses` [n] are those of tokens 1 to n of the stream: token 0 has nothing before it that it could follow from.
    """
    first = documents["first_token"].to_numpy()
    end = first + documents["num_tokens"].to_numpy()
    is_whole = (first >= 1) & (end <= len(losses) + 1)
    sums = np.concatenate([[0.0], np.cumsum(losses, dtype=np.float64)])
    first, end = first[is_whole], end[is_whole]
    return documents.filter(pa.array(is_whole)), sums[end - 1] - sums[first - 1]


def losses_by_group(
    documents: pa.Table, losses: npt.NDArray[np.float64], kinds: list[str], config: EvaluationConfig
) -> dict[str, dict[str, Any]]:
    """By kind, a column of `documents` beside `num_tokens` and `num_bytes`: the groups over the floor, by size, and
    what there is of the others: `groups`, `too_small` (number of groups, documents and tokens, the largest names)."""
    found = {}
    table = documents.append_column("loss", pa.array(losses))
    for kind in kinds:
        sums = table.group_by(kind).aggregate(
            [([], "count_all"), ("num_tokens", "sum"), ("num_bytes", "sum"), ("loss", "sum")]
        )
        rows = sorted(sums.to_pylist(), key=lambda row: (-row["num_tokens_sum"], row[kind]))
        is_large = [
            row["count_all"] >= config.min_documents and row["num_tokens_sum"] >= config.min_tokens for row in rows
        ]
        large = [row for row, over in zip(rows, is_large, strict=True) if over]
        small = [row for row, over in zip(rows, is_large, strict=True) if not over]
        shown = large[: config.max_domains] if kind == "domain" else large
        groups = [{"name": row[kind], **asdict(_loss(row))} for row in shown]
        found[kind] = {"groups": groups, "too_small": _too_small(kind, small)}
    return found


def _loss(row: dict[str, Any]) -> GroupLoss:
    tokens, num_bytes = row["num_tokens_sum"], row["num_bytes_sum"]
    loss = row["loss_sum"] / tokens
    return GroupLoss(row["count_all"], tokens, num_bytes, loss, bits_per_byte(loss, tokens, num_bytes))


def _too_small(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "groups": len(rows),
        "documents": sum(row["count_all"] for row in rows),
        "tokens": sum(row["num_tokens_sum"] for row in rows),
        "names": [row[kind] for row in rows[:MAX_NAMED]],
    }
