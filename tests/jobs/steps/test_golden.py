"""What every data step makes of a fixed crawl, by its digest.

A step whose output changes must have a new version, or stores would hold two contents under one name. `golden.json`
says of every step its version, what decides its bytes beside that, and its digest; after a change on purpose,

    python tests/jobs/steps/test_golden.py --write

writes it anew. It refuses where an output changed without a reason; `--force` is for steps that no store has yet.
"""

import io
import json
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import fsspec
import pytest

from dataprep.digest import bytes_digest
from dataprep.repeats.config import KINDS as REASONS_OF_REPEATS
from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.steps import STEPS
from seedbed.store import Store
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.this_process import Here

GOLDEN = Path(__file__).with_name("golden.json")
CRAWL = Path(__file__).parents[3] / "configs" / "crawls" / "demo" / "corpus-000.warc.gz"
KINDS = [step.kind for step in STEPS[: [step.kind for step in STEPS].index("ledger") + 1]]
PARENTS = {step.kind: step.parents for step in STEPS}
WRITE = "run `python tests/jobs/steps/test_golden.py --write`"

RUN = """\
name: golden
data:
  sources:
    docs: {path: CRAWL}
  clean: {min_words: 2}
  select:
    language: {min_score: 0.65}
    gopher_quality: {mean_word_length_languages: [en], stop_word_languages: [en]}
  split: {validation_fraction: 0.2}
  tokenizer: {vocab_size: 400}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 400}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""

SECTIONS = {
    "decontaminate": """\
  decontaminate:
    sets: {exam: {path: exam.txt}}
    action: cut
""",
    "repeats": """\
  repeats:
    lines: {max_documents: 3, min_words: 3}
    paragraphs: {}
    substrings: {min_words: 20}
""",
}
"""What asks for the steps that a run may be without. Each is made in a run of its own: those after it are golden
without."""

MERGED = {
    *(("deduplicate", table) for table in ("bands", "candidates", "texts_pairs", "texts", "verified", "components")),
    *(("deduplicate", table) for table in ("members", "edges", "losers")),
    *(("repeats", table) for table in ("again", "places", "later")),
    ("ledger", "urls"),
}
"""The tables of the golden run that have rows, and are merged where they have very many pieces."""

EXAM = """\
If an input file name is just -, ecpg reads the program from standard input (and writes to standard output).

This will be an ISSUE for a transaction that never did access the table in question before the DDL command started.

Nothing of this stands in any page of the crawl, and so nothing is done to any of them for it.
"""
"""Words of one page, and of another with two of them changed."""


def crawl_files() -> dict[str, bytes]:
    """Two WARC files: the first 40 records of the demo's crawl, and the next 40."""
    rest = CRAWL.read_bytes()
    members = []
    for _ in range(80):
        reader = zlib.decompressobj(wbits=31)
        reader.decompress(rest)
        members.append(rest[: len(rest) - len(reader.unused_data)])
        rest = reader.unused_data
    return {"a.warc.gz": b"".join(members[:40]), "b.warc.gz": b"".join(members[40:])}


def make(folder: Path, store_url: str, crawl_url: str) -> dict[str, dict[str, Any]]:
    """Every data step of the crawl, done in this process: kind -> version, software, digest and some sums."""
    fs, root = fsspec.core.url_to_fs(crawl_url)
    fs.makedirs(root, exist_ok=True)
    for name, data in crawl_files().items():
        fs.pipe_file(f"{root}/{name}", data)
    run_file = folder / "run.yaml"
    run_file.write_text(RUN.replace("CRAWL", crawl_url))
    store, state = Store(store_url), StateDirectory(folder / "state")
    plan = make_plan(load_run(run_file), store)
    made = {}
    for kind in KINDS:
        if kind not in SECTIONS:
            made[kind] = _done(kind, plan, store, state)
    (folder / "exam.txt").write_text(EXAM)
    without = run_file.read_text()
    for kind, section in SECTIONS.items():
        run_file.write_text(without.replace("model:", f"{section}model:"))
        made[kind] = _done(kind, make_plan(load_run(run_file), store), store, state)
    return made


def _done(kind: str, plan: Plan, store: Store, state: StateDirectory) -> dict[str, Any]:
    planned = plan.step(kind)
    do_step(planned, plan, store, state, Progress(io.StringIO()), Here())
    manifest = Artifact(store, kind, planned.fingerprint).committed()
    keys = ("version", "software", "digest", "records_in", "records_out", "bytes_cut", "counts")
    return {key: manifest[key] for key in keys}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("golden")
    return make(folder, str(folder / "store"), str(folder / "crawl"))


def complaint(kind: str, made: dict[str, dict[str, Any]], golden: dict[str, dict[str, Any]]) -> str | None:
    """What is wrong with the output of a step; None where it is what it was."""
    if kind not in golden:
        return f"{kind} is new: {WRITE}"
    if made[kind]["digest"] == golden[kind]["digest"]:
        return None
    changed = [parent for parent in PARENTS[kind] if parent not in SECTIONS and complaint(parent, made, golden)]
    if changed:
        return f"{kind} was made of another output of {changed[0]}: see there"
    if made[kind]["version"] == golden[kind]["version"] and made[kind]["software"] == golden[kind]["software"]:
        return f"the output of {kind} changed: raise its version in seedbed/steps.py and then {WRITE}"
    return f"the output of {kind} changed with its version, or with that of a package: {WRITE}"


def test_the_golden_crawl_is_what_it_was():
    golden = json.loads(GOLDEN.read_text())["crawl"]
    assert {name: bytes_digest(data) for name, data in crawl_files().items()} == golden


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_of_a_step_is_what_it_was(kind, made):
    assert complaint(kind, made, json.loads(GOLDEN.read_text())["steps"]) is None


def test_the_golden_crawl_meets_the_steps_with_something_to_do(made):
    for kind in ("extract", "select", "deduplicate"):
        assert 0 < made[kind]["records_out"] < made[kind]["records_in"]
    assert made["corpus"]["records_out"] == made["deduplicate"]["records_out"]
    assert made["decontaminate"]["counts"]["items_found"] == made["decontaminate"]["counts"]["documents_cut"] == 2
    assert made["decontaminate"]["bytes_cut"] > 0
    assert all(made["repeats"]["counts"][f"{reason}_bytes_cut"] > 0 for reason in REASONS_OF_REPEATS)
    assert made["ledger"]["records_in"] == made["extract"]["records_in"] == 80


def test_where_every_table_is_merged_between_its_phases_every_step_gives_the_same(made, tmp_path, monkeypatch):
    merged = merge_all(monkeypatch, unit_bytes=10_000)
    assert make(tmp_path, str(tmp_path / "store"), str(tmp_path / "crawl")) == made
    assert merged == MERGED


@pytest.mark.slow
def test_on_an_object_store_every_step_gives_the_same(made, s3_url, tmp_path):
    assert make(tmp_path, f"{s3_url}/store", f"{s3_url}/crawl") == made


STEP = {"version": 1, "software": {"numpy": "2.4"}, "digest": "one"}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"extract": STEP, "clean": STEP}, None),
        ({"extract": STEP | {"version": 2, "software": {}}, "clean": STEP}, None),
        (
            {"extract": STEP, "clean": STEP | {"digest": "two"}},
            f"the output of clean changed: raise its version in seedbed/steps.py and then {WRITE}",
        ),
        (
            {"extract": STEP, "clean": STEP | {"digest": "two", "version": 2}},
            f"the output of clean changed with its version, or with that of a package: {WRITE}",
        ),
        (
            {"extract": STEP | {"digest": "two"}, "clean": STEP | {"digest": "two"}},
            "clean was made of another output of extract: see there",
        ),
    ],
)
def test_a_change_is_told_by_its_reason(made, says):
    assert complaint("clean", made, {"extract": STEP, "clean": STEP}) == says


def write(arguments: list[str]) -> int:
    """Write the golden file, unless an output changed for no reason; the exit code."""
    if "--write" not in arguments:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder), f"{folder}/store", f"{folder}/crawl")
    crawl = {name: bytes_digest(data) for name, data in crawl_files().items()}
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {"crawl": crawl, "steps": {}}
    known = golden["steps"] if golden["crawl"] == crawl else {}
    complaints = [complaint(kind, made, known) or "" for kind in KINDS]
    wrong = [text for text in complaints if "raise its version" in text]
    if wrong and "--force" not in arguments:
        print("\n".join(wrong))
        return 1
    steps = {kind: {key: made[kind][key] for key in ("version", "software", "digest")} for kind in KINDS}
    GOLDEN.write_text(json.dumps({"crawl": crawl, "steps": steps}, indent=1) + "\n")
    print(f"wrote {GOLDEN}")
    return 0


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:]))
