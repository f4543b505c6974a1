from seedbed.document_text import Span, document_text


def test_the_text_is_told_with_what_was_cut(pipeline):
    assert document_text(pipeline.store, pipeline.plan, "docs/a.warc.gz#1") == [
        Span("Best page\n", None),
        Span("We use cookies\n", "policy_line"),
        Span("of all", None),
    ]


def test_before_clean_nothing_is_cut(pipeline):
    pipeline.forget("clean")
    assert document_text(pipeline.store, pipeline.plan, "docs/a.warc.gz#2") == [Span("Too short", None)]


def test_a_record_without_a_document_has_no_text(pipeline):
    assert document_text(pipeline.store, pipeline.plan, "docs/a.warc.gz#0") is None
    assert document_text(pipeline.store, pipeline.plan, "docs/c.warc.gz#0") is None
    assert document_text(pipeline.store, pipeline.plan, "no id") is None
