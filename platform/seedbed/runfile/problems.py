"""What is wrong with a run file, in words: where it stands, what was found, what was expected."""

import difflib
import json
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from seedbed.runfile.run import CROSS_CHECK, RunConfig
from seedbed.runfile.yaml_tree import Key, Tree, dotted

_EXPECTED = {  # pydantic's type of error -> what a person should write
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
}
_NAME_OF_ENTRY = "[key]"  # pydantic's last part of the place when a name, not what it names, is wrong
_NEAR = 0.6  # difflib's own measure of likeness, 0 to 1, from which a key is taken for a typing error


def describe(error: ValidationError, tree: Tree) -> list[str]:
    """One line for each problem: place, dotted key, what was found and what is expected there."""
    lines = []
    for problem in error.errors(include_url=False):
        if problem["type"] == CROSS_CHECK:
            found = [(tuple(key.split(".")), message) for key, message in problem["ctx"]["problems"]]
        else:
            found = [(tuple(part for part in problem["loc"] if part != _NAME_OF_ENTRY), _message(problem))]
        lines += [
            f"{_where(tree, key, message)}: {dotted(key) + ': ' if key else ''}{message}" for key, message in found
        ]
    return lines


def _where(tree: Tree, key: Key, message: str) -> str:
    """Where the value stands; of several that do not go together, which the message names, the one that `--set` has put
    there: the file was right before."""
    model = _model_at(key)
    named = [name for name in model.model_fields if re.search(rf"\b{name}\b", message)] if model else []
    places = [tree.place((*key, name)) for name in named]
    return str(next((place for place in places if not place.line), tree.place(key)))


def _message(problem: Any) -> str:
    kind, key = problem["type"], problem["loc"]
    if kind == "missing":
        return f"missing{_purpose(key)}"
    if kind == "extra_forbidden":
        return f"unknown key; {_suggestion(key)}"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    what = "the name " if key[-1:] == (_NAME_OF_ENTRY,) else ""
    return f"found {what}{_shown(problem['input'])}, expected {_expected(problem)}{_cure(kind, problem['input'])}"


def _expected(problem: Any) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return f"text like {context['pattern']}"
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        limit = context.get("min_length", context.get("max_length"))
        unit = "characters" if kind.startswith("string") else "of them"
        return f"at {'least' if kind.endswith('short') else 'most'} {limit} {unit}"
    return _EXPECTED.get(kind) or str(problem["msg"]).removeprefix("Input should be ")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "keys and values" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return f"{text[:60]} (text)" if isinstance(value, str) else "nothing" if value is None else text[:60]


def _cure(kind: str, value: Any) -> str:
    if kind not in ("int_type", "float_type") or not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return ": take the quotes away"


def _purpose(key: Key) -> str:
    model = _model_at(key[:-1])
    description = model.model_fields[str(key[-1])].description if model and key[-1] in model.model_fields else None
    return f": {description}" if description else ""


def _suggestion(key: Key) -> str:
    """The key that was probably meant: one like it beside it, or else one of that name elsewhere, or all beside it."""
    model, name = _model_at(key[:-1]), str(key[-1])
    known = list(model.model_fields) if model else []
    near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
    if near:
        return f"did you mean `{near[0]}`?"
    elsewhere = [other for other in _all_keys(RunConfig, ()) if other[-1] == name]
    if elsewhere:
        return f"did you mean `{dotted(elsewhere[0])}`?"
    return f"known here: {', '.join(known)}"


def _model_at(key: Key) -> type[BaseModel] | None:
    """The configuration that stands at `key`, None where there is none."""
    annotation: Any = RunConfig
    for part in key:
        model = _model_in(annotation)
        if model is not None and part in model.model_fields:
            annotation = model.model_fields[str(part)].annotation
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        else:
            return None
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return next((model for argument in get_args(annotation) if (model := _model_in(argument))), None)
    return None


def _all_keys(model: type[BaseModel], before: Key) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        yield (*before, name)
        inner = _model_in(info.annotation)
        if inner is not None:
            yield from _all_keys(inner, (*before, name))
