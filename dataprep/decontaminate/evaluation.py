"""Items of evaluation sets, read from their files."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataprep.decontaminate.config import EvaluationSetConfig
from dataprep.errors import DataError
from dataprep.reading.compression import COMPRESSIONS, compression_of, pieces
from dataprep.reading.fields import lookup, whole_unicode
from dataprep.reading.formats import format_of
from dataprep.reading.lines import lines

MAX_ITEM_BYTES = 64 << 20
"""Of one line: a passage to read is some thousand bytes, a book some million."""


@dataclass(frozen=True)
class ItemText:
    """A text of an item. `item` is the file's name, # and the number of its line or paragraph, from 0; `field` says
    where in the item it stands: a key, `key.2` for the third of a list, `key+key` of joined ones, nothing in plain
    text."""

    item: str
    field: str
    text: str


def read_items(data: bytes, name: str, config: EvaluationSetConfig) -> Iterator[ItemText]:
    """The texts of every item of a file, in order; `name` says what it is, its bytes whether it is compressed.

    Raises DataError for a line that is no JSON object, one without a field that the configuration names, damage, and a
    file without an item.
    """
    found = format_of(name)
    kind = None if found is None else found[0]
    if kind not in ("jsonl", "text"):
        raise DataError(f"{name}: expected a file of JSON Lines (.jsonl, .ndjson) or of plain text (.txt)")
    if kind == "text" and config.fields:
        raise DataError(f"{name} is plain text and has no fields: take `fields` out, or name a file of JSON Lines")
    if kind == "jsonl" and not config.fields:
        raise DataError(f"{name}: say in `fields` which keys hold the texts; its first line {_keys(data, name)}")
    num_items = 0
    for number, text in _json_items(data, name, config) if kind == "jsonl" else _paragraphs(data, name):
        num_items += 1
        for field, part in text:
            yield ItemText(f"{name}#{number}", field, part)
    if num_items == 0:
        raise DataError(f"{name} holds no item")


def _keys(data: bytes, name: str) -> str:
    for _, row in _rows(data, name):
        return f"has {', '.join(map(str, row))}"
    return "is empty"


def _lines(data: bytes, name: str) -> Iterator[bytes]:
    by_name = COMPRESSIONS.get("." + name.lower().rpartition(".")[2])
    stream = io.BytesIO(data)
    compression = compression_of(stream, by_name)
    for number, line in enumerate(lines(pieces(stream, compression), compression is not None, MAX_ITEM_BYTES)):
        if line.damage is not None:
            raise DataError(f"{name} is damaged at line {number + 1}: {line.damage.detail}; fetch it again")
        if line.data is None:
            raise DataError(
                f"{name}, line {number + 1}: {line.length:,} bytes, more than {MAX_ITEM_BYTES:,} of one item"
            )
        yield line.data


def _rows(data: bytes, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the line from 0, what it says) of lines that are not blank."""
    for number, line in enumerate(_lines(data, name)):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {number + 1}: no JSON ({str(error)[:100]})") from error
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {number + 1}: expected an object with keys, found {str(row)[:40]}")
        yield number, row


def _json_items(data: bytes, name: str, config: EvaluationSetConfig) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    for number, row in _rows(data, name):
        texts: list[tuple[str, str]] = []
        for field in config.fields:
            value = lookup(row, field)
            if value is None and not _has(row, field):
                raise DataError(f"{name}, line {number + 1} has no {field}; it has {', '.join(map(str, row))}")
            texts += _texts_of(value, field, f"{name}, line {number + 1}")
        if config.join and texts:
            texts = [("+".join(config.fields), "\n".join(text for _, text in texts))]
        yield number, texts


def _has(row: dict[str, Any], field: str) -> bool:
    """Whether the key is there, with null behind it."""
    if field in row:
        return True
    first, _, rest = field.partition(".")
    return isinstance(row.get(first), dict) and _has(row[first], rest)


def _texts_of(value: Any, field: str, where: str) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, str):
        return [(field, whole_unicode(value))]
    if isinstance(value, list):
        return [text for number, one in enumerate(value) for text in _texts_of(one, f"{field}.{number}", where)]
    raise DataError(f"{where}: {field} is {str(value)[:40]}, expected text or a list of texts")


def _paragraphs(data: bytes, name: str) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """(number of the paragraph, its one text): lines between blank ones."""
    number, held = 0, b""
    for line in [*_lines(data, name), b""]:
        if line.strip():
            held += line + b"\n"
        elif held:
            try:
                text = held.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name}, paragraph {number + 1}: no UTF-8 ({error.reason}); convert the file"
                ) from error
            yield number, [("", text)]
            number, held = number + 1, b""
