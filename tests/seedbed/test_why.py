import pytest

from dataprep.annotate import AnnotateConfig
from dataprep.document_id import file_prefix, pack
from seedbed.errors import UsageError
from seedbed.why import why

A = file_prefix("docs", "a.warc.gz")


def told(pipeline, target):
    return why(pipeline.store, pipeline.plan, target)


OTHER_COUNTS = [
    name
    for name in AnnotateConfig().table_schema().names
    if name.startswith("num_") and name not in ("num_bytes", "num_words")
]
"""Of the attributes, those that the pipeline leaves at zero."""

KEPT_PAGE = {
    "document_id": "docs/a.warc.gz#1",
    "url": "https://x.example/one",
    "outcome": "kept",
    "step": "corpus",
    "reason": None,
    "value": None,
    "threshold": None,
    "duplicate_of": None,
    "duplicate_of_run": None,
    "detail": None,
    "split": "train",
    "history": [
        {
            "step": "extract",
            "outcome": "passed",
            "offset": 0,
            "charset": "utf-8",
            "num_payload_bytes": 0,
            "last_modified": "2026-01-02T03:04:05+00:00",
        },
        {"step": "clean", "outcome": "passed", "num_bytes": 31, "num_cut_bytes": 15, "num_added_bytes": 0},
        {
            "step": "annotate",
            "outcome": "passed",
            "num_bytes": 16,
            "language": "en",
            "language_score_e4": 9900,
            "num_words": 4,
            **dict.fromkeys(OTHER_COUNTS, 0),
        },
        {"step": "select", "outcome": "passed", "num_bytes": 16},
        {"step": "deduplicate", "outcome": "passed", "num_bytes": 16},
        {"step": "corpus", "outcome": "kept", "split": "train"},
    ],
    "benchmarks": [],
    "repeats": [],
    "tokens": {"shard": "train-00000", "first_token": 0, "num_tokens": 7},
    "others": [
        {"document_id": "docs/b.jsonl#2", "outcome": "dropped", "step": "extract", "reason": "not_a_response"},
    ],
}


@pytest.mark.parametrize("has_ledger", [True, False])
def test_of_a_url_with_several_records_the_one_that_got_farthest_is_told(pipeline, has_ledger):
    if has_ledger:
        pipeline.write_ledger()
    assert told(pipeline, "https://x.example/one") == KEPT_PAGE


@pytest.mark.parametrize("has_ledger", [True, False])
@pytest.mark.parametrize(
    "target",
    ["x.example/one", "http://x.example/one", "HTTPS://X.example:443/one?utm_source=news", "https://x.example/one#1"],
)
def test_a_url_is_found_in_another_spelling_as_takedown_finds_it(pipeline, target, has_ledger):
    if has_ledger:
        pipeline.write_ledger()
    assert told(pipeline, target) == KEPT_PAGE


@pytest.mark.parametrize("target", ["docs/a.warc.gz#1", pack(A, 1).hex()])
def test_a_document_is_found_by_its_id(pipeline, target):
    pipeline.write_ledger()
    assert told(pipeline, target) == KEPT_PAGE | {"others": []}


def test_a_duplicate_is_told_whom_it_lost_to(pipeline):
    pipeline.write_ledger()
    answer = told(pipeline, "https://x.example/copy")
    assert {key: answer[key] for key in ("outcome", "step", "reason", "value", "threshold", "duplicate_of")} == {
        "outcome": "dropped",
        "step": "deduplicate",
        "reason": "near_duplicate",
        "value": 0.9,
        "threshold": 0.8,
        "duplicate_of": "docs/a.warc.gz#1",
    }
    assert [(entry["step"], entry["outcome"]) for entry in answer["history"]] == [
        ("extract", "passed"),
        ("clean", "passed"),
        ("annotate", "passed"),
        ("select", "passed"),
        ("deduplicate", "dropped"),
    ]
    assert answer["tokens"] is None


def test_a_filter_tells_what_it_measured(pipeline):
    answer = told(pipeline, "https://x.example/short")
    assert [entry["step"] for entry in answer["history"]] == ["extract", "clean", "annotate", "select"]
    assert answer["history"][-1] == {
        "step": "select",
        "outcome": "dropped",
        "reason": "too_few_words",
        "value": 2.0,
        "threshold": 3.0,
    }


def test_what_broke_the_extractor_is_quarantined(pipeline):
    answer = told(pipeline, "https://x.example/bomb")
    assert (answer["outcome"], answer["detail"]) == ("quarantined", "ended by signal 11")
    assert answer["history"] == [
        {
            "step": "extract",
            "outcome": "quarantined",
            "reason": "extraction_crashed",
            "detail": "ended by signal 11",
        }
    ]


def test_a_held_out_document_has_its_tokens_in_the_other_split(pipeline):
    answer = told(pipeline, "docs/b.jsonl#1")
    assert (answer["url"], answer["split"]) == (None, "validation")
    assert answer["tokens"] == {"shard": "validation-00000", "first_token": 0, "num_tokens": 3}


def test_a_run_on_its_way_tells_what_it_knows(pipeline):
    pipeline.forget("shards", "corpus", "deduplicate")
    answer = told(pipeline, "https://x.example/copy")
    assert (answer["outcome"], answer["step"], answer["tokens"]) == ("kept", "select", None)
    assert [entry["step"] for entry in answer["history"]] == ["extract", "clean", "annotate", "select"]
    pipeline.forget("select", "annotate", "clean")
    assert told(pipeline, "https://x.example/copy")["step"] == "extract"
    pipeline.forget("extract")
    with pytest.raises(UsageError) as refused:
        told(pipeline, "https://x.example/copy")
    run = pipeline.plan.run_id
    assert str(refused.value) == f"run {run} has read nothing yet: `seedbed show {run}` says where it is"


@pytest.mark.parametrize("has_ledger", [True, False])
@pytest.mark.parametrize(
    "target",
    [
        "https://x.example/nowhere",
        "docs/a.warc.gz#4",
        "docs/other.warc.gz#1",
        "0" * 32,
        "",
        "x.example/nowhere",
    ],
)
def test_what_was_never_read_is_told_as_such(pipeline, target, has_ledger):
    if has_ledger:
        pipeline.write_ledger()
    with pytest.raises(UsageError) as refused:
        told(pipeline, target)
    assert str(refused.value) == (f"no record {target!r} in run {pipeline.plan.run_id}: give its URL, or source/path#n")
