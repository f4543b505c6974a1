import json
import re

import pytest

from dataprep.document_id import pack
from dataprep.schemas import VERDICTS
from seedbed.corpus_report.page import Samples
from seedbed.corpus_report.write import write_report
from seedbed.errors import UsageError
from tests.seedbed.conftest import A, B, rows

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def finished(pipeline):
    """The pipeline with what a datasheet reads of its steps beside tables."""
    pipeline.write_ledger()
    return pipeline


@pytest.fixture
def whole_manifests(pipeline, monkeypatch):
    """Manifests say what a datasheet reads of them."""
    from dataprep.personal_data import PLURALS
    from seedbed.artifact import Artifact

    masked = {f"{plural}_masked": 0 for plural in PLURALS}
    real = Artifact.manifest

    def manifest(artifact):
        said = real(artifact)
        if said is None:
            return None
        config = pipeline.plan.step(artifact.kind).config
        counts = {"corpus": masked, "shards": {"train_tokens": 7, "validation_tokens": 3}}.get(artifact.kind, {})
        return said | {"config": config, "counts": counts, "languages": {"en": 2}}

    monkeypatch.setattr(Artifact, "manifest", manifest)


@pytest.fixture
def written(finished, whole_manifests, tmp_path):
    paths = write_report(finished.store, finished.plan, tmp_path / "report")
    return {path.name: path.read_text() for path in paths}


def test_a_report_is_a_page_and_a_datasheet_for_people_and_programs(written):
    assert set(written) == {"report.html", "DATASHEET.md", "datasheet.json"}
    facts = json.loads(written["datasheet.json"])
    assert facts["tokens"] == {"train_tokens": 7, "validation_tokens": 3}
    assert facts["evaluation"] is None  # nothing was trained
    assert [(row["name"], row["kept"]) for row in facts["balance"]["groups"]["domain"]] == [
        ("x.example", 1),
        ("(none)", 1),
    ]
    assert facts["sources"]["docs"]["dates"] is None  # the pages say no day
    assert "| x.example | 3 | 1 | 16 | 7 |" in written["DATASHEET.md"]
    assert "One domain, x.example, holds 67% of the text." in written["DATASHEET.md"]


def test_the_page_has_a_sample_for_each_reason_and_needs_nothing_from_elsewhere(written):
    page = written["report.html"]
    gone = (("select", "too_few_words"), ("deduplicate", "near_duplicate"), ("extract", "http_status_not_200"))
    for step, reason in gone:
        assert f'href="#{step}-{reason}"' in page
        assert f'<details id="{step}-{reason}"' in page
    assert "Too short" in page  # the text of what went
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "<script" not in page


def test_what_a_crawled_page_says_is_shown_as_text(finished, written, tmp_path, monkeypatch):
    from seedbed import sample

    monkeypatch.setattr(sample, "_texts", lambda *args: {})
    real = sample.Sampled

    def hostile(document_id, url, *rest):
        return real(document_id, HOSTILE, *rest[:-1], HOSTILE)

    monkeypatch.setattr(sample, "Sampled", hostile)
    page = write_report(finished.store, finished.plan, tmp_path / "again")[0].read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_personal_data_of_what_was_dropped_is_masked_as_in_the_corpus(finished, written, tmp_path, monkeypatch):
    from seedbed import sample

    def texts(artifacts, step, reason, shard, rows):
        return dict.fromkeys(rows["id"].to_pylist(), (None, f"{step} has jo@mail.example"))

    monkeypatch.setattr(sample, "_texts", texts)
    page = write_report(finished.store, finished.plan, tmp_path / "again")[0].read_text()
    for step in ("extract", "select", "deduplicate"):
        assert f"{step} has |||EMAIL_ADDRESS|||" in page
    assert "corpus has jo@mail.example" in page  # as it stands in the corpus


def test_what_somebody_asked_to_remove_is_counted_and_not_shown(pipeline, whole_manifests, tmp_path):
    pipeline.forget("select")
    removed = {"id": pack(A, 2), "num_bytes": 9, "reason": "removed_by_url"}
    verdicts = {
        "00000": rows(VERDICTS, {"id": pack(A, 1), "num_bytes": 16}, removed),
        "00001": rows(VERDICTS, {"id": pack(B, 0), "num_bytes": 17}, {"id": pack(B, 1), "num_bytes": 8}),
    }
    pipeline.write("select", {"verdicts": verdicts}, dropped={"removed_by_url": 1})
    pipeline.write_ledger()
    page = write_report(pipeline.store, pipeline.plan, tmp_path / "report")[0].read_text()
    assert '<details id="select-removed_by_url"' in page
    assert "Not shown: somebody asked to have them left out." in page
    assert "Too short" not in page
    assert "https://x.example/short" not in page


def test_before_there_is_a_corpus_there_is_nothing_to_report(pipeline, tmp_path):
    pipeline.forget("corpus")
    with pytest.raises(UsageError, match="there is no corpus yet"):
        write_report(pipeline.store, pipeline.plan, tmp_path / "report")


@pytest.mark.parametrize("reason", ["removed_by_url", "robots_noai", "robots_nosnippet", "tdm_reserved"])
def test_what_asked_to_be_left_out_is_not_shown(reason):
    assert Samples("select", reason, 1, []).is_withheld


@pytest.mark.parametrize("reason", [None, "too_few_words", "blocked_licence", "licence_not_kept"])
def test_what_went_for_other_reasons_is_shown(reason):
    assert not Samples("select", reason, 1, []).is_withheld
