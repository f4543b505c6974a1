"""What `extract` says of files that are damaged."""

import gzip
import io
import json
from pathlib import Path

from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.datasheet import datasheet, known_limits
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here, page

RUN = """\
name: damaged
data:
  sources: {docs: {path: crawl}}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
"""
STEPS = ("extract", "clean", "annotate", "select", "deduplicate", "corpus")


def test_a_file_that_ends_early_is_named_each_time_and_in_the_datasheet(tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    lines = [json.dumps({"text": page(number), "url": f"https://x.example/{number}"}) for number in range(40)]
    (tmp_path / "crawl" / "whole.jsonl").write_text("\n".join(lines[:5]))
    packed = gzip.compress("\n".join(lines).encode())
    (tmp_path / "crawl" / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "run.yaml").write_text(RUN)
    store, state = Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state")
    plan = make_plan(load_run(tmp_path / "run.yaml"), store)
    said = io.StringIO()
    for _ in range(2):
        do_step(plan.step("extract"), plan, store, state, Progress(said), Here())
    line = "1 of 2 files of the crawl cannot be read in part, at 1 place: docs/cut.jsonl.gz"
    warning = f"warning: {line}; `seedbed sample extract --reason unreadable_bytes` shows where"
    assert said.getvalue().splitlines().count(warning) == 2
    extract = Artifact(store, "extract", plan.step("extract").fingerprint).committed()
    assert extract["damaged"] == [{"source": "docs", "path": "cut.jsonl.gz", "places": 1}]
    for kind in STEPS[1:]:
        do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), Here())
    assert f"{line}." in known_limits(datasheet(store, plan))


def test_a_crawl_that_is_whole_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "a.jsonl").write_text(json.dumps({"text": page(1)}) + "\nno JSON\n")
    (tmp_path / "run.yaml").write_text(RUN)
    store, said = Store(str(tmp_path / "store")), io.StringIO()
    plan = make_plan(load_run(tmp_path / "run.yaml"), store)
    do_step(plan.step("extract"), plan, store, StateDirectory(tmp_path / "state"), Progress(said), Here())
    assert "1 invalid_json" in said.getvalue() and "warning" not in said.getvalue()
    assert "damaged" not in Artifact(store, "extract", plan.step("extract").fingerprint).committed()
