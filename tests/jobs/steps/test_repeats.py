"""The step on its way: over shards and sources that are counted together, in any number of partitions, and broken in
each phase and taken up again."""

import io
import json
from pathlib import Path

import pytest

from jobs.run import do_step
from jobs.steps import repeats
from seedbed import faults
from seedbed.artifact import Artifact
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.why import why
from tests.jobs.steps.this_process import Here

BEFORE = ("extract", "clean", "annotate", "select", "deduplicate", "decontaminate")

RUN = """\
name: again
data:
  sources:
    pages: {path: pages}
    books: {path: books, priority: 1}
  decontaminate: {sets: {exam: {path: exam.txt}}, min_different_share: 0.5, action: cut, min_words_left: 5}
  repeats:
    lines: {max_documents: 2, min_words: 4}
    paragraphs: {}
    substrings: {min_words: 12}
    min_words_left: 10
  split: {validation_fraction: 0.000001}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
"""

RUNS = "a run of words that a book has and a page that was copied out of it without a word"
PARAGRAPH = "first line of two that stand\nsecond line of two that stand"
LINE = "read more of this"
EXAM = "an item of an exam that no corpus may hold or else its score says little"

TEXTS = {
    "books/a": [f"A book that begins like no other does. {RUNS} and so it ends.\n{LINE}"],
    "pages/a": [
        f"Page the first says of itself what it is, and at length. {RUNS.upper()} {EXAM}!\nHere it goes on.\n{LINE}",
        f"Next to it is one that is about something else, as it happens.\n\n{PARAGRAPH}",
    ],
    "pages/b": [
        f"In the other file there is a page of its own mind.\n\n{PARAGRAPH}\n\n{EXAM} It is not much longer.\n{LINE}",
        f"Short. {RUNS}",
    ],
}


class Place:
    """A run with its store; three files of two sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, texts in TEXTS.items():
            path = folder / f"{name}.jsonl"
            path.parent.mkdir(exist_ok=True)
            rows = [{"text": text, "url": f"https://x.example/{name}/{n}"} for n, text in enumerate(texts)]
            path.write_text("\n".join(map(json.dumps, rows)))
        (folder / "exam.txt").write_text(EXAM)
        (folder / "run.yaml").write_text(RUN)
        self.store = Store(str(folder / "store"))
        self.plan = self.planned()
        for kind in BEFORE:
            self.do(kind)

    def planned(self, *overrides: str) -> Plan:
        return make_plan(load_run(self.folder / "run.yaml", overrides), self.store)

    def do(self, kind: str = "repeats", plan: Plan | None = None) -> Artifact:
        plan = plan or self.plan
        planned = plan.step(kind)
        state = StateDirectory(self.folder / "state")
        do_step(planned, plan, self.store, state, Progress(io.StringIO()), Here())
        return Artifact(self.store, kind, planned.fingerprint)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_stands_in_several_files_and_sources_is_cut_and_counted_by_its_reason(place):
    made = place.do().committed()
    assert made["dropped"] == {"too_little_without_repeats": 1}  # one word is left of the last page
    assert {name: n for name, n in made["counts"].items() if name.endswith("_cut")} == {
        "repeated_line_bytes_cut": 2 * len(LINE),  # of three, the book keeps its own
        "repeated_paragraph_bytes_cut": len(PARAGRAPH),  # the page with more words keeps it
        "repeated_substring_bytes_cut": len(RUNS),
        "documents_cut": 3,
    }
    assert made["bytes_cut"] == 2 * len(LINE) + len(PARAGRAPH) + len(RUNS)


def test_the_corpus_is_without_what_both_steps_cut(place):
    place.do()
    corpus = place.do("corpus")
    texts = [
        text
        for shard in corpus.committed()["input_shards"]
        for text in corpus.read_table("corpus", shard["unit"])["text"].to_pylist()
    ]
    assert texts == [
        TEXTS["books/a"][0],
        "Page the first says of itself what it is, and at length.\nHere it goes on.",
        TEXTS["pages/a"][1].split("\n")[0],
        f"In the other file there is a page of its own mind.\n\n{PARAGRAPH}\n\n It is not much longer.",
    ]


def test_why_tells_what_went_and_where_it_stays(place):
    place.do()
    told = why(place.store, place.plan, "https://x.example/pages/a/0")
    run, line = told["repeats"]
    before = f"Page the first says of itself what it is, and at length. {RUNS.upper()}  \nHere it goes on.\n"
    assert run == {
        "reason": "repeated_substring",
        "start": 57,
        "end": 57 + len(RUNS),
        "first_in": "books/a.jsonl#0",
        "phrase": RUNS.upper(),
    }
    assert (line["reason"], line["start"], line["end"]) == (
        "repeated_line",
        len(before) - 1,  # the item was cut out with its mark
        len(before) - 1 + len(LINE),
    )
    assert (line["first_in"], line["phrase"]) == ("books/a.jsonl#0", LINE)
    assert [entry["step"] for entry in told["history"]][-2:] == ["decontaminate", "repeats"]
    dropped = why(place.store, place.plan, "https://x.example/pages/b/1")
    assert (dropped["step"], dropped["reason"]) == ("repeats", "too_little_without_repeats")
    assert [passage["phrase"] for passage in dropped["repeats"]] == [RUNS]


def test_partitions_make_no_difference(place, tmp_path_factory, monkeypatch):
    whole = place.do().committed()
    monkeypatch.setattr(repeats, "TEXT_BYTES_PER_PARTITION", 100)
    monkeypatch.setattr(repeats, "PLACES_PER_PARTITION", 3)
    other = Place(tmp_path_factory.mktemp("other"))
    parted = other.do()
    assert len(parted.store.names(f"{parted.path}/units")) > 3 * 3 + 2
    parted = parted.committed()
    assert (parted["digest"], parted["counts"]) == (whole["digest"], whole["counts"])


@pytest.mark.parametrize("phase", ["signs", "again", "places", "later", "map"])
def test_broken_in_any_phase_it_goes_on_and_makes_the_same(place, tmp_path_factory, monkeypatch, phase):
    undisturbed = Place(tmp_path_factory.mktemp("undisturbed")).do().committed()
    monkeypatch.setenv(faults.FAULT, f"repeats.{phase}.part=raise")
    with pytest.raises(faults.InjectedFault):
        place.do()
    monkeypatch.delenv(faults.FAULT)
    made = place.do().committed()
    assert (made["digest"], made["counts"]) == (undisturbed["digest"], undisturbed["counts"])


def test_a_run_without_the_section_has_no_such_step(place):
    without = place.planned("data.repeats=null")
    assert "repeats" not in [step.kind for step in without.steps]
    place.do()
    assert place.do("corpus", without).committed()["bytes_in"] > place.do("corpus").committed()["bytes_in"]


def test_where_nothing_comes_again_nothing_goes_and_shards_may_be_empty(tmp_path, monkeypatch):
    alone = {"books/a": ["A book that says what no page of this crawl says, in words of its own."], "pages/a": []}
    monkeypatch.setattr("tests.jobs.steps.test_repeats.TEXTS", alone | {"pages/b": ["And a page that does likewise."]})
    made = Place(tmp_path).do().committed()
    assert (made["dropped"], made["bytes_cut"], made["bytes_in"]) == ({}, 0, made["bytes_out"])
    assert made["records_in"] == made["records_out"] == 2
