"""What people read of plants."""

from seedbed.datasheet import _proofs
from seedbed.planted import plant_lines
from seedbed.tracking.metrics import STEP_RESULTS, manifest_values

COPIES = {
    "planted": 1_287,
    "min_jaccard": 0.8,
    "at_or_above": 1_204,
    "found": 1_203,
    "recall": 1203 / 1204,
    "expected_recall": 0.9996,
    "checked_pairs": 1_418,
    "right_pairs": 1_418,
    "precision": 1.0,
}
PASSAGES = {
    "all": {"verbatim": {"planted": 171, "found": 171}, "edited": {"planted": 129, "found": 128}},
    "sets": {"exam": {"verbatim": {"planted": 171, "found": 171}, "edited": {"planted": 129, "found": 128}}},
}
STEPS = {"deduplicate": {"planted_copies": COPIES}, "decontaminate": {"planted_passages": PASSAGES}}


def test_found_stands_beside_planted_and_beside_what_was_to_be_expected():
    assert plant_lines(STEPS) == [
        "planted copies: 1,203 of 1,204 found at 0.8 and above (recall 0.9992, expected of the bands 0.9996); "
        "1,418 of 1,418 verified pairs are as alike as that",
        "planted passages: 171 of 171 word for word, 128 of 129 with words changed",
    ]


def test_where_nothing_was_planted_nothing_is_said():
    assert plant_lines({}) == plant_lines({"deduplicate": {}, "decontaminate": {}}) == []
    assert _proofs({}) == []


def test_where_no_copy_is_alike_enough_there_is_no_recall_to_tell():
    few = COPIES | {"planted": 2, "recall": None, "expected_recall": None}
    assert plant_lines({"deduplicate": {"planted_copies": few}}) == [
        "planted copies: none of 2 is at 0.8 or above",
    ]


def test_one_kind_of_passage_alone_is_told_alone():
    some = {"all": {"verbatim": {"planted": 0, "found": 0}, "edited": {"planted": 2, "found": 1}}, "sets": {}}
    assert plant_lines({"decontaminate": {"planted_passages": some}}) == ["planted passages: 1 of 2 with words changed"]


def test_the_datasheet_says_the_same():
    first, second, blank = _proofs({"planted_copies": COPIES, "planted_passages": PASSAGES})
    assert first.startswith("Planted copies: 1,203 of 1,204 found")
    assert second == "Planted passages: 171 of 171 word for word, 128 of 129 with words changed."
    assert blank == ""


def test_shares_go_to_the_tracker_where_there_are_any():
    manifest = {"kind": "deduplicate", "counts": {}, "records_in": 0, "seconds": 1.0}
    told = dict(manifest_values(manifest | {"planted_copies": COPIES | {"precision": None}}))
    assert told == {
        "workflow/deduplicate_seconds": 1.0,
        "workflow/planted_copies_recall": 1203 / 1204,
        "workflow/planted_copies_expected_recall": 0.9996,
    }
    counts = {"items_found": 0, "documents_hit": 0}
    manifest |= {"kind": "decontaminate", "counts": counts, "planted_passages": PASSAGES}
    told = dict(manifest_values(manifest))
    assert told["workflow/planted_passages_recall"] == 1.0
    assert told["workflow/planted_edited_passages_recall"] == 128 / 129
    assert {name for name in told if "planted" in name} <= {metric.name for metric in STEP_RESULTS}
