"""Tables of a model card: how good the model is on whose text, and how often it saw each source."""

from typing import Any


def scores_by_group(scores: dict[str, Any]) -> list[str]:
    """The loss by source, language and domain, and who has too little held-out text for one; Markdown."""
    lines: list[str] = []
    for kind, found in scores.get("by", {}).items():
        lines += [
            f"| held-out text by {kind} | documents | tokens | nats per token | bits per byte |",
            "|---|---|---|---|---|",
        ]
        for one in found["groups"]:
            amounts = f"{one['documents']:,} | {one['tokens']:,}"
            lines.append(f"| {one['name']} | {amounts} | {one['loss']:.4f} | {one['bits_per_byte']:.4f} |")
        small = found["too_small"]
        if small["groups"]:
            amounts = f"{small['documents']:,} | {small['tokens']:,}"
            lines.append(f"| {small['groups']:,} with too little text | {amounts} | not said | not said |")
        lines.append("")
    return lines


def mixture_table(mixture: dict[str, Any] | None) -> list[str]:
    """How often each source was seen, of a run that mixes them; Markdown."""
    if not mixture:
        return []
    lines = ["| source | tokens available | trained on | share | epochs |", "|---|---|---|---|---|"]
    for name, row in mixture.items():
        amounts = f"{row['available']:,} | {row['tokens']:,}"
        lines.append(f"| {name} | {amounts} | {row['weight']:.1%} | {row['epochs']:.2f} |")
    return [*lines, ""]
