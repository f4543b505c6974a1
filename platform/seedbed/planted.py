"""What is said of plants: how many of the edited copies and benchmark passages that a run planted it has found."""

from collections.abc import Mapping
from typing import Any

COPIES, PASSAGES = "planted_copies", "planted_passages"
"""Keys of the manifests of `deduplicate` and `decontaminate`."""


def plant_lines(steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each kind of plants; `steps` are manifests, or what `show` says of done steps, by kind."""
    lines = []
    if told := steps.get("deduplicate", {}).get(COPIES):
        lines.append(f"planted copies: {copies_words(told)}")
    if told := steps.get("decontaminate", {}).get(PASSAGES):
        lines.append(f"planted passages: {passages_words(told)}")
    return lines


def copies_words(told: Mapping[str, Any]) -> str:
    """Of `dataprep.deduplicate.plant_recall.measured`."""
    if told["recall"] is None:
        return f"none of {told['planted']:,} is at {told['min_jaccard']:g} or above"
    found = f"{told['found']:,} of {told['at_or_above']:,} found at {told['min_jaccard']:g} and above"
    expected = f"recall {told['recall']:.4f}, expected of the bands {told['expected_recall']:.4f}"
    pairs = f"{told['right_pairs']:,} of {told['checked_pairs']:,} verified pairs are as alike as that"
    return f"{found} ({expected}); {pairs}"


def passages_words(told: Mapping[str, Any]) -> str:
    """Of the manifest's `planted_passages`: found and planted, by what was done to them."""
    return ", ".join(
        f"{of_kind['found']:,} of {of_kind['planted']:,} {words}"
        for kind, words in (("verbatim", "word for word"), ("edited", "with words changed"))
        if (of_kind := told["all"][kind])["planted"]
    )
