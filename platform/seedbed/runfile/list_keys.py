"""Where a run file names files that its steps read beside the crawl: lists, of one entry a line, models, and
evaluation sets."""

from collections.abc import Callable
from typing import Any

LIST_KEYS = (
    ("removals", "path"),
    ("select", "url", "blocked_domains"),
    ("select", "url", "hard_words"),
    ("select", "url", "soft_words"),
    ("annotate", "offensive_words", "lists"),
)
"""Keys below `data` that hold paths of list files: a text, a list of them, or mappings to such."""

MODEL_KEYS = (
    ("annotate", "perplexity", "model"),
    ("annotate", "quality_classifier", "model"),
)
"""Keys below `data` that hold the path of a model."""

EACH = "*"
"""In a key: each name of a mapping."""

EVALUATION_KEYS = (("decontaminate", "sets", EACH, "path"),)
"""Keys below `data` that hold the path or glob of evaluation files."""


def replaced(data: dict[str, Any], new_name: Callable[[str, tuple[str | int, ...]], str]) -> dict[str, Any]:
    """A copy of the tree `data` (of the run file's key `data`) with the path of each list and model put through
    `new_name(path, key)`; `key` is that of the path, from `data` on."""
    for key in LIST_KEYS + MODEL_KEYS + EVALUATION_KEYS:
        data = _at(data, key, (), new_name)
    return data


def _at(tree: Any, key: tuple[str, ...], way: tuple[str | int, ...], new_name: Callable[..., str]) -> Any:
    if key:
        if isinstance(tree, dict) and key[0] == EACH:
            return {name: _at(below, key[1:], (*way, name), new_name) for name, below in tree.items()}
        if not isinstance(tree, dict) or tree.get(key[0]) is None:
            return tree
        return tree | {key[0]: _at(tree[key[0]], key[1:], (*way, key[0]), new_name)}
    if isinstance(tree, str):
        return new_name(tree, way) if tree else tree
    if isinstance(tree, dict):
        return {name: _at(below, (), (*way, name), new_name) for name, below in tree.items()}
    if isinstance(tree, list | tuple):
        return [_at(below, (), (*way, number), new_name) for number, below in enumerate(tree)]
    return tree
