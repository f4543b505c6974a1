"""The phases of `clean` that a site's boilerplate takes, done in this process."""

import json
from pathlib import Path
from typing import Any

import pytest

from dataprep.errors import CorruptDataError
from jobs.run import do_step
from jobs.steps import clean as clean_step
from seedbed.artifact import Artifact
from seedbed.errors import ConservationError
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.lost_rows import lose_the_first_row
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.this_process import Here

RUN = """\
name: site
data:
  sources: {pages: {path: pages}}
  tokenizer: {vocab_size: 300}
  clean: {site_boilerplate: {min_pages: 3, min_share: 0.5}}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
"""


def made(folder: Path) -> tuple[Artifact, dict[str, Any]]:
    """`clean` of two files with two pages each, and its manifest."""
    (folder / "pages").mkdir()
    for name in ("a", "b"):
        texts = [
            f"Home\u200b | About\ntext {name}{n}, we use cookies \nfine {name}{n}\r\nHome | About" for n in range(2)
        ]
        pages = [{"text": text, "url": f"https://x.example/{name}{n}"} for n, text in enumerate(texts)]
        (folder / "pages" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, pages)) + "\n")
    (folder / "run.yaml").write_text(RUN)
    store = Store(str(folder / "store"))
    plan = make_plan(load_run(str(folder / "run.yaml"), ()), store)
    for kind in ("extract", "clean"):
        do_step(plan.step(kind), plan, store, StateDirectory(folder / "state"), Progress(), Here())
    artifact = Artifact(store, "clean", plan.step("clean").fingerprint)
    return artifact, artifact.committed()


def test_boilerplate_is_known_over_shards_and_whatever_the_partitions(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    artifact, manifest = made(tmp_path / "one")
    edits = artifact.read_table("edits", "00001").to_pylist()[1]
    # Bytes as extracted: the menu 16 (its zero width space goes with it), the line on cookies 25 (with its blank), then
    # "fine b1", a carriage return, a line feed, and the menu again.
    assert edits["cut_starts"] == [0, 16, 48, 50]
    assert edits["cut_ends"] == [16, 41, 49, 62]
    assert edits["num_cut_bytes"] == edits["num_bytes"] - len("fine b1\n")
    counts = manifest["counts"]
    assert counts["site_boilerplate_edits"] == 8
    assert counts["policy_line_edits"] == 4
    assert (counts["line_rows"], counts["site_rows"], counts["recurring_lines"]) == (6, 2, 1)
    assert counts["boilerplate_lines"] == 1
    monkeypatch.setattr(clean_step, "TEXT_BYTES_PER_PARTITION", 16)
    merged: set[tuple[str, str]] = set()
    for place in ("many", "merged"):
        (tmp_path / place).mkdir()
        _, in_many = made(tmp_path / place)
        assert in_many["digest"] == manifest["digest"]
        assert in_many["counts"] == counts
        merged = merged or merge_all(monkeypatch, unit_bytes=16)
    assert merged == {("clean", table) for table in ("lines", "pages", "recurring")}


@pytest.mark.parametrize("table", ["lines", "pages", "recurring", "boilerplate"])
def test_a_row_that_is_lost_between_two_phases_is_missed(tmp_path, monkeypatch, table):
    lose_the_first_row(monkeypatch, table)
    with pytest.raises((ConservationError, CorruptDataError)):
        made(tmp_path)
