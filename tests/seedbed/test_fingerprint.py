from importlib.metadata import PackageNotFoundError, version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.fingerprint import canonical_json, fingerprint, package_versions

PARTS = {
    "kind": "clean",
    "step_version": 1,
    "config": {"min_words": 3, "rules": ["a", "b"]},
    "parents": {"extract": "12ab"},
    "software": {"numpy": "2.4"},
}


def test_a_fingerprint_is_sixteen_digits_that_never_change():
    # Written down: when this changes, every store is made anew.
    assert fingerprint(**PARTS) == "30d9eed0b0dfa0d0"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "select"},
        {"step_version": 2},
        {"config": {"min_words": 4, "rules": ["a", "b"]}},
        {"config": {"min_words": 3, "rules": ["b", "a"]}},
        {"config": {"min_words": "3", "rules": ["a", "b"]}},
        {"parents": {"extract": "12ac"}},
        {"parents": {}},
        {"software": {"numpy": "2.5"}},
    ],
)
def test_everything_that_decides_a_result_is_in_its_name(change):
    assert fingerprint(**PARTS | change) != fingerprint(**PARTS)


def test_the_order_of_keys_is_not():
    assert fingerprint(**PARTS | {"config": {"rules": ["a", "b"], "min_words": 3}}) == fingerprint(**PARTS)


def test_canonical_json_has_no_blanks_and_sorted_keys():
    assert canonical_json({"b": [1, 2.5, None], "a": {"é": True}}) == '{"a":{"é":true},"b":[1,2.5,null]}'.encode()


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": float("nan")})


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@given(values, values)
def test_equal_values_and_only_they_give_equal_bytes(a, b):
    # `True == 1` in Python, and not here.
    assert (canonical_json(a) == canonical_json(b)) == (repr_sorted(a) == repr_sorted(b))


def repr_sorted(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{k!r}:{repr_sorted(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_sorted, value)) + "]"
    return repr(value)


def test_versions_are_those_of_the_installed_packages():
    assert package_versions(("pyarrow", "numpy")) == {"pyarrow": version("pyarrow"), "numpy": version("numpy")}
    with pytest.raises(PackageNotFoundError):
        package_versions(("no-such-package",))
