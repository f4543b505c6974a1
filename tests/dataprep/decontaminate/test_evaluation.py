import gzip
import json

import pytest

from dataprep.decontaminate.config import EvaluationSetConfig
from dataprep.decontaminate.evaluation import read_items
from dataprep.errors import DataError


def items(data: bytes | str, name: str, *fields: str, join: bool = False) -> list[tuple[str, str, str]]:
    config = EvaluationSetConfig(path="-", fields=fields, join=join)
    raw = data.encode() if isinstance(data, str) else data
    return [(one.item, one.field, one.text) for one in read_items(raw, name, config)]


ROWS = [{"q": "Why?", "choices": ["A", "B"], "meta": {"a": "So."}}, {"q": "Who?", "choices": None, "meta": {"a": ""}}]
LINES = "\n".join([json.dumps(ROWS[0]), "", json.dumps(ROWS[1])])


def test_each_field_and_each_of_a_list_is_a_text_of_its_item():
    assert items(LINES, "e.jsonl", "q", "choices", "meta.a") == [
        ("e.jsonl#0", "q", "Why?"),
        ("e.jsonl#0", "choices.0", "A"),
        ("e.jsonl#0", "choices.1", "B"),
        ("e.jsonl#0", "meta.a", "So."),
        ("e.jsonl#2", "q", "Who?"),
        ("e.jsonl#2", "meta.a", ""),
    ]


def test_joined_fields_are_one_text():
    assert items(LINES, "e.jsonl", "q", "choices", join=True) == [
        ("e.jsonl#0", "q+choices", "Why?\nA\nB"),
        ("e.jsonl#2", "q+choices", "Who?"),
    ]


def test_paragraphs_of_plain_text_are_items_and_files_may_be_compressed():
    text = "One\ntwo.\n\n \nThree.\n"
    assert items(text, "e.txt") == [("e.txt#0", "", "One\ntwo.\n"), ("e.txt#1", "", "Three.\n")]
    assert items(gzip.compress(text.encode()), "e.txt.gz")[1] == ("e.txt.gz#1", "", "Three.\n")


@pytest.mark.parametrize(
    ("data", "name", "fields", "says"),
    [
        ("{}", "e.pdf", ["q"], r"e.pdf: expected a file of JSON Lines"),
        ("x", "e.txt", ["q"], r"e.txt is plain text and has no fields: take `fields` out"),
        ('{"q": "", "a": ""}', "e.jsonl", [], r"e.jsonl: say in `fields` which keys hold the texts; .* has q, a$"),
        ('{"q": ""}\n{"x": ""}', "e.jsonl", ["q"], r"e.jsonl, line 2 has no q; it has x"),
        ('{"q": {}}', "e.jsonl", ["q"], r"e.jsonl, line 1: q is \{\}, expected text or a list of texts"),
        ('{"q": ""}\n[1]', "e.jsonl", ["q"], r"e.jsonl, line 2: expected an object with keys, found \[1\]"),
        ("{", "e.jsonl", ["q"], r"e.jsonl, line 1: no JSON"),
        ("\n\n", "e.jsonl", ["q"], r"e.jsonl holds no item"),
        ("", "e.txt", [], r"e.txt holds no item"),
        (b"\xff\xfe\xfd text", "e.txt", [], r"e.txt, paragraph 1: no UTF-8"),
        (gzip.compress(b"text", mtime=0)[:-12], "e.txt.gz", [], r"e.txt.gz is damaged at line \d: .*; fetch it again"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(data, name, fields, says):
    with pytest.raises(DataError, match=says):
        items(data, name, *fields)
