from dataprep.personal_data import MaskConfig, PersonalDataConfig
from seedbed.document_text import Span, document_text, masked


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


def test_personal_data_is_masked_as_in_the_corpus_also_where_it_goes_over_a_cut():
    spans = [
        Span("Write to joe@x.exa", None),
        Span("\u00ad", "zero_width"),
        Span("mple.org, or to é", None),
        Span("We use cookies, ask me@y.example", "policy_line"),
        Span("é", "normal_form", "e\u0301 at 91.198.174.192"),
        Span(" and ann@z.example.", None),
    ]
    assert masked(spans, PersonalDataConfig(), MaskConfig()) == [
        Span("Write to |||EMAIL_ADDRESS|||", None),
        Span("\u00ad", "zero_width"),
        Span(", or to é", None),
        Span("We use cookies, ask |||EMAIL_ADDRESS|||", "policy_line"),
        Span("é", "normal_form", "e\u0301 at |||IP_ADDRESS|||"),
        Span(" and |||EMAIL_ADDRESS|||.", None),
    ]


def test_what_the_run_file_keeps_is_shown_and_what_it_cuts_is_not():
    spans = [Span("joe@x.example", None), Span(" from 91.198.174.192", None)]
    masking = MaskConfig(email="cut", ip_address="keep")
    assert masked(spans, PersonalDataConfig(), masking) == [Span(" from 91.198.174.192", None)]
