from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.errors import RunFileError
from seedbed.runfile.yaml_tree import Place, parse_tree, write_yaml

START = Place("run.yaml", 1, Path())


def value(text):
    tree = parse_tree(text, START)
    assert tree.problems == []
    return tree.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 0.001),  # text in YAML 1.1
        ("1E3", 1000.0),
        (".5", 0.5),
        ("1_000_000", 1_000_000),
        ("-7", -7),
        ("010", 10),  # 8 in YAML 1.1
        ("0x10", 16),
        ("0o17", 15),
        ("no", "no"),  # false in YAML 1.1, and Norwegian
        ("on", "on"),
        ("12:30", "12:30"),  # 750 in YAML 1.1
        ("2024-01-31", "2024-01-31"),  # a date in YAML 1.1
        ('"8"', "8"),
        ("true", True),
        ("~", None),
        ("", None),
        ("[1, [a], {b: null}]", [1, ["a"], {"b": None}]),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_every_value_knows_its_line():
    tree = parse_tree("a: 1\nb:\n  - x\n  - c: 2\n", START)
    assert {key: place.line for key, place in tree.places.items()} == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
    }


def test_a_key_that_stands_twice_is_a_problem_with_both_lines():
    tree = parse_tree("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", START)
    assert tree.problems == ["run.yaml:5: b.c: the key stands twice, first in line 3"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: .inf", "run.yaml:1: a: found .inf, expected a finite number"),
        ("1: a", "run.yaml:1: found the key '1', expected text: put quotes around it"),
        ("a: &x {b: *x}", "run.yaml:1: a.b: found an alias of what it stands in"),
        ("<<: {a: 1}", "run.yaml:1: found the key '<<', expected text: put quotes around it"),
        ("a: !!binary aGk=", "run.yaml:1: a: found the YAML tag tag:yaml.org,2002:binary, expected none"),
    ],
)
def test_what_no_configuration_means_is_a_problem(text, problem):
    assert parse_tree(text, START).problems == [problem]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: [1", 2, "expected ',' or ']'"),
        ("a: 1\n\tb: 2", 2, "cannot start any token"),
        ("a: 1\n---\nb: 2", 2, ""),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text, line, says):
    with pytest.raises(RunFileError, match=rf"^run\.yaml:{line}: this is not YAML: .*") as refused:
        parse_tree(text, START)
    assert says in str(refused.value)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@settings(deadline=None)
@given(values)
def test_what_is_written_reads_back_equal(written):
    assert value(write_yaml(written)) == written


@settings(deadline=None)
@given(
    st.sampled_from(
        [
            "1e-3",
            "no",
            "~",
            "",
            "0x1f",
            "1_0",
            ".5",
            "<<",
            "true",
            "null",
            "1.",
            "a: b",
            "- a",
            "\n1",
            "\x85",
            "a\u2028b",
        ]
    )
)
def test_text_that_looks_like_something_else_stays_text(written):
    assert value(write_yaml({"a": written})) == {"a": written}
