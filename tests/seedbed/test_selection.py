"""What filters see beside the attributes, in the step `select`, in a sweep and in a survey alike."""

import io
import json

import pytest

from dataprep.schemas import DOCUMENTS
from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.errors import RunFileError
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.selection import decided_from, read_by
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.survey import survey
from seedbed.sweep import sweep
from tests.jobs.steps.this_process import Here

RUN = """\
name: beside
data:
  sources: {pages: {path: crawl, reader: {format: html}}}
  clean: {refinedweb: {}}
  select: SELECT
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""
LINE = "<p>The server reads its configuration and then answers every request that it understands.</p>"  # 13 words
PAGES = {
    "a.html": ("", LINE * 3),
    "b.html": ('<meta name="robots" content="noai">', LINE * 3),
    "c.html": ('<meta name="tdm-reservation" content="1">', LINE * 3),
    "d.html": ("", LINE + "<p>SIGN UP NOW</p>"),  # 3 of 16 words go
}


class Run:
    """A run up to `select`."""

    def __init__(self, folder, chosen: str) -> None:
        (folder / "run.yaml").write_text(RUN.replace("SELECT", chosen))
        self.store, state = Store(str(folder / "store")), StateDirectory(folder / "state")
        self.plan = make_plan(load_run(folder / "run.yaml"), self.store)
        self.artifacts = {}
        for step in self.plan.steps[:4]:
            do_step(step, self.plan, self.store, state, Progress(io.StringIO()), Here())
            self.artifacts[step.kind] = Artifact(self.store, step.kind, step.fingerprint)
        assert list(self.artifacts)[-1] == "select"

    @property
    def settings(self):
        return self.plan.step("select").config

    def reasons(self) -> list[str | None]:
        """Of the pages, in the order of their names."""
        shards = self.artifacts["extract"].committed()["input_shards"]
        by_path = {
            shard["path"]: self.artifacts["select"].read_table("verdicts", shard["unit"])["reason"].to_pylist()
            for shard in shards
        }
        return [reason for path in sorted(by_path) for reason in by_path[path]]


@pytest.fixture
def crawl(tmp_path):
    (tmp_path / "crawl").mkdir()
    for name, (head, body) in PAGES.items():
        page = f"<html><head><title>t</title>{head}</head><body><main>{body}</main></body></html>"
        (tmp_path / "crawl" / name).write_text(page)
    return tmp_path


def test_signals_of_documents_and_words_of_edits_decide(crawl):
    assert Run(crawl, "{}").reasons() == [None] * 4
    chosen = Run(crawl, "{opt_out: {noai: true, tdm_reservation: true}, refinedweb: {}}")
    assert chosen.reasons() == [None, "robots_noai", "tdm_reserved", "too_many_words_in_removed_lines"]


def test_only_what_is_asked_for_is_read(crawl, monkeypatch):
    run = Run(crawl, "{opt_out: {noai: true}}")
    read = []
    original = Artifact.read_table

    def noting(artifact, table, unit, columns=None):
        read.append((artifact.kind, table, columns))
        return original(artifact, table, unit, columns)

    monkeypatch.setattr(Artifact, "read_table", noting)
    table = decided_from(run.artifacts, "00001", run.settings, {})
    signals = ["licence", "robots", "tdm_reservation"]
    assert [entry for entry in read if entry[0] != "annotate"] == [("extract", "documents", ["id", *signals])]
    assert table.column_names[-3:] == signals
    read.clear()
    decided_from(run.artifacts, "00001", {"select": {}, "removals": []}, {})
    assert {kind for kind, _, _ in read} == {"annotate"}
    assert "text" in DOCUMENTS.names  # and it was never among the columns


def test_a_sweep_and_a_survey_see_what_the_step_sees(crawl):
    run = Run(crawl, "{}")
    found = sweep(run.store, run.plan, "opt_out.noai", [True, False])
    assert [(s.value, s.records_kept, dict(s.dropped)) for s in found.settings] == [
        (None, 4, {}),
        (True, 3, {"robots_noai": 1}),
        (False, 4, {}),
    ]
    words = sweep(run.store, run.plan, "refinedweb.max_removed_word_share", [0.05, 0.2])
    assert [s.records_kept for s in words.settings] == [4, 3, 4]  # 3/16 lies between
    chosen = Run(crawl, "{opt_out: {noai: true}, refinedweb: {}}")
    rules = {d.reason: (sum(d.passed), sum(d.failed)) for d in survey(chosen.store, chosen.plan).distributions}
    assert rules["robots_noai"] == rules["too_many_words_in_removed_lines"] == (3, 1)


def test_a_table_is_put_together_anew_for_other_lists_and_not_for_another_threshold():
    def settings(**select):
        return {"select": select, "removals": []}

    assert read_by(settings(url={"max_soft_words": 1})) == read_by(settings(url={"max_soft_words": 9}))
    assert read_by(settings(url={})) != read_by(settings(url={"shipped_lists": False})) != read_by(settings())
    assert read_by(settings(opt_out={"noai": True})) != read_by(settings())
    assert read_by(settings(gopher_quality={"min_words": 3})) == read_by(settings())
    assert json.loads(read_by(settings(refinedweb={})))[0] == {
        "edits": ["num_words_in_lines", "num_words_in_refinedweb_lines"]
    }


def test_the_rule_about_pages_wants_the_rules_about_lines(crawl):
    (crawl / "run.yaml").write_text(
        RUN.replace("SELECT", "{refinedweb: {}}").replace("  clean: {refinedweb: {}}\n", "")
    )
    with pytest.raises(RunFileError, match=r"data.select.refinedweb: no line is looked at by RefinedWeb's rules"):
        load_run(crawl / "run.yaml")
