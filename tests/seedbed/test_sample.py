import pytest

import seedbed.sample as sample_module
from dataprep.clean import RULES
from seedbed.errors import UsageError
from seedbed.sample import Sampled, sample


def taken(pipeline, step, reason=None, number=10, seed=0):
    return sample(pipeline.store, pipeline.plan, step, reason, number, seed)


def by_id(documents):
    return {document.document_id: document for document in documents}


NOTHING_SAID = (None, None, None, None)
PAGE = "docs/a.warc.gz#1"


def test_a_step_shows_the_texts_that_it_saw(pipeline):
    extracted = by_id(taken(pipeline, "extract"))
    assert extracted.keys() == {PAGE, "docs/a.warc.gz#2", "docs/b.jsonl#0", "docs/b.jsonl#1"}
    url = "https://x.example/one"
    assert extracted[PAGE] == Sampled(PAGE, url, *NOTHING_SAID, "Best page\nWe use cookies\nof all")
    # After `clean` the text is without what it cut.
    selected = by_id(taken(pipeline, "select"))
    assert selected[PAGE] == Sampled(PAGE, url, *NOTHING_SAID, "Best page\nof all")
    assert selected["docs/b.jsonl#1"] == Sampled("docs/b.jsonl#1", None, *NOTHING_SAID, "Held out")
    assert selected.keys() == {PAGE, "docs/b.jsonl#0", "docs/b.jsonl#1"}
    assert by_id(taken(pipeline, "deduplicate")).keys() == {PAGE, "docs/b.jsonl#1"}
    assert by_id(taken(pipeline, "corpus")) == by_id(taken(pipeline, "deduplicate"))


def test_clean_shows_what_it_cut(pipeline):
    cut = Sampled(PAGE, "https://x.example/one", *NOTHING_SAID, "[policy_line] We use cookies")
    assert taken(pipeline, "clean") == [cut]
    assert taken(pipeline, "clean", "policy_line") == [cut]
    assert taken(pipeline, "clean", "javascript_line") == []


def test_a_reason_shows_what_was_dropped_for_it(pipeline):
    url = "https://x.example/short"
    assert taken(pipeline, "select", "too_few_words") == [
        Sampled("docs/a.warc.gz#2", url, "too_few_words", 2.0, 3.0, None, "Too short")
    ]
    url = "https://x.example/copy"
    assert taken(pipeline, "deduplicate", "near_duplicate") == [
        Sampled("docs/b.jsonl#0", url, "near_duplicate", 0.9, 0.8, PAGE, "Best page\nof all!")
    ]


def test_personal_data_is_masked_before_and_after_a_step_and_among_what_clean_cut(pipeline, monkeypatch):
    original = sample_module._texts

    def with_addresses(*given):
        return {packed: (url, f"joe@x.example {text}") for packed, (url, text) in original(*given).items()}

    monkeypatch.setattr(sample_module, "_texts", with_addresses)
    for step, reason in (("extract", None), ("clean", None), ("select", None), ("select", "too_few_words")):
        shown = taken(pipeline, step, reason)
        assert shown
        assert all(document.text.startswith("|||EMAIL_ADDRESS||| ") for document in shown)


def test_a_record_that_gave_no_document_shows_why(pipeline):
    assert taken(pipeline, "extract", "extraction_crashed") == [
        Sampled(
            "docs/a.warc.gz#3",
            "https://x.example/bomb",
            "extraction_crashed",
            None,
            None,
            None,
            "ended by signal 11",
        )
    ]
    assert taken(pipeline, "extract", "http_status_not_200") == [
        Sampled("docs/a.warc.gz#0", "https://x.example/gone", "http_status_not_200", 404.0, 200.0, None, "")
    ]


def test_the_same_seed_takes_the_same_documents_and_others_take_others(pipeline):
    everything = [document.document_id for document in taken(pipeline, "extract")]
    assert len(set(everything)) == 4
    for number in range(5):
        assert [document.document_id for document in taken(pipeline, "extract", number=number)] == everything[:number]
    firsts = {taken(pipeline, "extract", number=1, seed=seed)[0].document_id for seed in range(20)}
    assert firsts == set(everything)


@pytest.mark.parametrize(
    ("step", "reason", "says"),
    [
        (
            "tokenizer",
            None,
            "step 'tokenizer' has no documents to read; there are extract, clean, select, deduplicate, "
            "decontaminate, repeats, corpus",
        ),
        ("select", "too_short", "select drops nothing as 'too_short'; its reasons here are too_few_words"),
        ("corpus", "too_short", "corpus drops nothing as 'too_short'; its reasons here are none"),
        (
            "clean",
            "too_short",
            f"clean drops nothing as 'too_short'; its reasons here are {', '.join(sorted(RULES))}",
        ),
    ],
)
def test_what_cannot_be_sampled_is_told(pipeline, step, reason, says):
    with pytest.raises(UsageError) as refused:
        taken(pipeline, step, reason)
    assert str(refused.value) == says


def test_a_step_that_has_not_run_is_told(pipeline):
    pipeline.forget("corpus")
    with pytest.raises(UsageError) as refused:
        taken(pipeline, "corpus")
    run = pipeline.plan.run_id
    assert str(refused.value) == f"corpus has not run yet: `seedbed show {run}` says where the run is"


def test_of_many_shards_only_as_many_are_read_as_it_takes(pipeline, monkeypatch):
    read = []
    original = sample_module._of_shard
    monkeypatch.setattr(sample_module, "_of_shard", lambda *given: read.append(given[3]) or original(*given))
    assert len(sample(pipeline.store, pipeline.plan, "extract", None, 1, max_shards=1)) == 1
    assert len(read) == 1
    sample(pipeline.store, pipeline.plan, "extract", None, 1, max_shards=2)
    assert len(read) == 3
