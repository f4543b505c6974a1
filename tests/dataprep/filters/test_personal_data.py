import pyarrow as pa

from dataprep.filters.personal_data import PersonalDataFilterConfig
from dataprep.personal_data import PLURALS


def reasons(numbers: dict[str, list[int]], num_words: list[int], **limits) -> list[list[str]]:
    """The reasons that each row gives."""
    none = {f"num_{name}": [0] * len(num_words) for name in PLURALS}
    attributes = pa.table(none | {f"num_{name}": found for name, found in numbers.items()} | {"num_words": num_words})
    rules = list(PersonalDataFilterConfig(**limits).rules(attributes))
    return [[rule.reason for rule in rules if rule.fails[row]] for row in range(len(num_words))]


def test_nothing_is_dropped_unless_a_limit_is_given():
    assert reasons({"emails": [9]}, [10]) == [[]]


def test_each_kind_has_its_limit():
    numbers = {"emails": [0, 3, 4], "cards": [1, 0, 0]}
    assert reasons(numbers, [50] * 3, max_emails=3, max_cards=0) == [["too_many_cards"], [], ["too_many_emails"]]


def test_the_kinds_count_together_by_words():
    # 2 in 1000 words, 3 in 1000, 3 in 999, none in none
    numbers = {"emails": [1, 1, 1, 0], "phones": [1, 2, 2, 0]}
    expected = [[], [], ["too_much_personal_data"], []]
    assert reasons(numbers, [1000, 1000, 999, 0], max_per_1000_words=3) == expected
