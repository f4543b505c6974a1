"""The step on its way: broken in each phase and taken up again, and over shards that are counted together."""

import io
import json
from pathlib import Path

import pytest

from jobs.run import do_step
from seedbed import faults
from seedbed.artifact import Artifact
from seedbed.errors import SourceError
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here

BEFORE = ("extract", "clean", "annotate", "select", "deduplicate")

RUN = """\
name: exam
data:
  sources: {pages: {path: pages}}
  decontaminate: {sets: {exam: {path: exam.jsonl, fields: [text]}}, max_documents: 2}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
"""

RARE = "an item that stands on two pages of two files and is asked about by nobody else"
COMMON = "what stands on three pages of three files gives nothing away where two are the limit"


class Place:
    """A run with its store; three files, of two pages each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pages").mkdir()
        held = [(COMMON, RARE), (f"{COMMON} {RARE}", ""), (COMMON, "")]
        for name, texts in zip("abc", held, strict=True):
            rows = [{"text": f"Page {number} of file {name}. {text}"} for number, text in enumerate(texts)]
            (folder / "pages" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        (folder / "exam.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in (RARE, COMMON)))
        (folder / "run.yaml").write_text(RUN)
        self.store = Store(str(folder / "store"))
        self.plan = self.planned()
        for kind in BEFORE:
            self.do(kind)

    def planned(self, *overrides: str) -> Plan:
        return make_plan(load_run(self.folder / "run.yaml", overrides), self.store)

    def do(self, kind: str = "decontaminate", plan: Plan | None = None) -> Artifact:
        plan = plan or self.plan
        planned = plan.step(kind)
        state = StateDirectory(self.folder / "state")
        do_step(planned, plan, self.store, state, Progress(io.StringIO()), Here())
        return Artifact(self.store, kind, planned.fingerprint)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def reasons(made: Artifact) -> list[list[str | None]]:
    shards = made.committed()["input_shards"]
    return [made.read_table("verdicts", shard["unit"])["reason"].to_pylist() for shard in shards]


def test_ngrams_are_counted_over_all_shards_before_one_is_decided(place):
    made = place.do()
    assert reasons(made) == [[None, "contains_benchmark"], ["contains_benchmark", None], [None, None]]
    common = made.read_table("common_ngrams", "all").to_pylist()
    words = COMMON.split()
    assert common == [{"ngram": " ".join(words[n : n + 13]), "num_documents": 3} for n in _by_text(words)]
    all_count = place.do(plan=place.planned("data.decontaminate.max_documents=null"))
    assert reasons(all_count) == [
        ["contains_benchmark"] * 2,
        ["contains_benchmark", None],
        ["contains_benchmark", None],
    ]


def _by_text(words: list[str]) -> list[int]:
    return sorted(range(len(words) - 12), key=lambda n: " ".join(words[n : n + 13]))


@pytest.mark.parametrize("phase", ["index", "scan", "common", "map"])
def test_broken_in_any_phase_it_goes_on_and_makes_the_same(place, tmp_path_factory, monkeypatch, phase):
    undisturbed = Place(tmp_path_factory.mktemp("undisturbed")).do().committed()
    monkeypatch.setenv(faults.FAULT, f"decontaminate.{phase}.part=raise")
    with pytest.raises(faults.InjectedFault):
        place.do()
    monkeypatch.delenv(faults.FAULT)
    made = place.do().committed()
    assert (made["digest"], made["counts"]) == (undisturbed["digest"], undisturbed["counts"])


def test_evaluation_files_that_change_after_the_plan_are_refused(place):
    (place.folder / "exam.jsonl").write_text('{"text": "another"}')
    with pytest.raises(SourceError, match=r"exam.jsonl was changed after the run was planned: plan again"):
        place.do()
