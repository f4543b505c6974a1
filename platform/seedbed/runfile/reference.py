"""The run file's reference, written from the models: `python -m seedbed.runfile.reference > docs/run-file.md`.

A test holds the page to what this prints.
"""

import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from seedbed.runfile.run import RunConfig

_HEAD = """\
# The run file

One YAML file says what to read, what to keep, what to train and what it may cost. `data`, `model`, `training` and
`cluster` stand in it, or in a file of their own that it names (a path from the run file's folder). An unknown key is an
error that names the nearest one; `--set training.num_steps=100` changes a key for one command. What a run was started
with, everything filled in, is kept with it (`runs/<run>/resolved.yaml` in the store).

This page is written from the code (`python -m seedbed.runfile.reference > docs/run-file.md`).
"""


def reference() -> str:
    """The whole page, Markdown."""
    sections = [_HEAD]
    _describe("", RunConfig, sections)
    return "\n".join(sections)


def _describe(key: str, model: type[BaseModel], sections: list[str]) -> None:
    title = f"`{key}`" if key else "The run file itself"
    summary = " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())
    rows = ["", f"## {title}", "", summary, "", "| key | type | default | |", "|---|---|---|---|"]
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {_type(field)} | {_default(field)} | {_text(field)} |")
        found = _model_in(field.annotation)
        if found is not None:
            of_many = typing.get_origin(_plain(field.annotation)) is dict
            nested.append((".".join(filter(None, (key, name, "NAME" if of_many else ""))), found))
    sections.append("\n".join(rows))
    for below, found in nested:
        _describe(below, found, sections)


def _plain(annotation: Any) -> Any:
    """The type without Annotated and without None."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return _plain(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    plain = _plain(annotation)
    if typing.get_origin(plain) is dict:
        plain = _plain(typing.get_args(plain)[1])
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


def _type(field: FieldInfo) -> str:
    plain = _plain(field.annotation)
    if typing.get_origin(plain) is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(plain))
    if typing.get_origin(plain) is dict:
        return "mapping by name"
    if typing.get_origin(plain) is tuple:
        return "list"
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return "mapping"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}
    name = getattr(plain, "__name__", str(plain))
    return names.get(name, name) + _range(field)


def _range(field: FieldInfo) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    limits = [
        f"{sign} {value:g}"
        for part in field.metadata
        for n, sign in signs.items()
        if (value := getattr(part, n, None)) is not None
    ]
    return f", {' and '.join(limits)}" if limits else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    if value is None:
        return "none"
    said = str(value).lower() if isinstance(value, bool) else str(value).replace("|", "\\|")
    return f"`{said}`" if value not in ((), {}, "") else "empty"


def _text(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


if __name__ == "__main__":
    print(reference())
