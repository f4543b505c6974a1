import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep.filters.opt_out import OptOutConfig

BY, BY_NC_ND = "https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/BY-NC-ND/4.0/"


def reasons(config: OptOutConfig, **columns: list[object]) -> list[list[str]]:
    """The reasons that each row gives; columns that are not given say nothing."""
    [size] = {len(values) for values in columns.values()}
    types = {"robots": pa.string(), "tdm_reservation": pa.bool_(), "licence": pa.string()}
    table = pa.table({name: pa.array(columns.get(name, [None] * size), kind) for name, kind in types.items()})
    rules = list(config.rules(table))
    return [[rule.reason for rule in rules if rule.fails[row]] for row in range(size)]


def test_no_signal_counts_until_it_is_asked_for():
    robots = ["nocache noai noarchive noindex nosnippet"]
    assert reasons(OptOutConfig(), robots=robots, tdm_reservation=[True], licence=["all rights reserved"]) == [[]]


@pytest.mark.parametrize(
    ("key", "robots", "expected"),
    [
        ("noai", ["noai", "noai noindex", "noimageai", "nofollow noai nosnippet", "noindex", None], [0, 1, 3]),
        ("noindex", ["noindex", "nofollow noindex", "nofollow", "noimageindex", "noai", None], [0, 1]),
        ("noarchive", ["noarchive", "nocache", "noai nocache", "noindex", "nosnippet", None], [0, 1, 2]),
        ("nosnippet", ["nosnippet", "noai nosnippet", "noindex", None, "noarchive", ""], [0, 1]),
    ],
)
def test_a_directive_is_a_whole_word_among_others(key, robots, expected):
    found = reasons(OptOutConfig(**{key: True}), robots=robots)
    assert found == [[f"robots_{key}"] if row in expected else [] for row in range(len(robots))]


def test_what_is_said_to_one_crawler_counts_where_it_is_one_of_those_named():
    robots = ["ccbot:noindex", "googlebot:noindex", "ccbot:nofollow gptbot:noindex", "xccbot:noindex", "noindex"]
    assert reasons(OptOutConfig(noindex=True), robots=robots) == [
        ["robots_noindex"],
        [],  # a page that Google shall not show has said nothing of models
        ["robots_noindex"],
        [],
        ["robots_noindex"],
    ]
    only = OptOutConfig.model_validate({"noindex": True, "crawlers": ["googlebot"]})
    assert [bool(row) for row in reasons(only, robots=robots)] == [False, True, False, False, True]
    none = OptOutConfig(noindex=True, crawlers=())
    assert [bool(row) for row in reasons(none, robots=robots)] == [False, False, False, False, True]


def test_text_and_data_mining_is_reserved_where_it_is_said_so():
    assert reasons(OptOutConfig(tdm_reservation=True), tdm_reservation=[True, False, None]) == [
        ["tdm_reserved"],
        [],
        [],
    ]


def test_licences_are_known_by_a_part_of_their_name_in_any_case():
    licences = [BY, BY_NC_ND, None, "All Rights Reserved.", "(by-nc)"]
    blocked = OptOutConfig(blocked_licences=("by-nc", "all rights reserved"))
    assert reasons(blocked, licence=licences) == [[], ["blocked_licence"], [], ["blocked_licence"], ["blocked_licence"]]
    # A bracket is no pattern.
    assert reasons(OptOutConfig(blocked_licences=("(by",)), licence=licences)[1:] == [[], [], [], ["blocked_licence"]]


def test_where_licences_are_asked_for_a_page_without_one_goes():
    kept = OptOutConfig(keep_licences=("creativecommons.org/licenses/by/", "publicdomain"))
    licences = [BY, BY_NC_ND, None, "https://creativecommons.org/publicdomain/zero/1.0/"]
    assert reasons(kept, licence=licences) == [[], ["licence_not_kept"], ["licence_not_kept"], []]


def test_every_signal_of_a_page_is_told_in_order():
    config = OptOutConfig(noai=True, noindex=True, tdm_reservation=True, blocked_licences=("-nd",))
    found = reasons(config, robots=["noai noindex"], tdm_reservation=[True], licence=[BY_NC_ND])
    assert found == [["robots_noai", "robots_noindex", "tdm_reserved", "blocked_licence"]]


@pytest.mark.parametrize(
    "keys", [{"crawlers": ["CCBot"]}, {"crawlers": ["a|b"]}, {"keep_licences": []}, {"blocked_licences": [""]}]
)
def test_what_could_never_match_or_matches_everything_is_refused(keys):
    with pytest.raises(ValidationError):
        OptOutConfig.model_validate(keys)
