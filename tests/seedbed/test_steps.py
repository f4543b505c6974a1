import shutil
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pytest

from dataprep.extraction.engines import contract
from dataprep.extraction.engines.contract import EngineMissingError
from dataprep.reading.formats import ReaderConfig
from seedbed import steps
from seedbed.errors import UsageError
from seedbed.list_files import list_digests
from seedbed.runfile.load import load_run
from seedbed.sources import list_sources
from seedbed.steps import STEPS, fingerprint_steps

KINDS = [step.kind for step in STEPS if step.kind not in ("decontaminate", "repeats")]  # which the run leaves out


def fingerprints(run_file, *overrides):
    run = load_run(run_file, overrides)
    return {step.kind: step.fingerprint for step in fingerprint_steps(run, list_sources(run.data))}


def changed(run_file, *overrides):
    """The steps that are another computation with the overrides than without."""
    before, after = fingerprints(run_file), fingerprints(run_file, *overrides)
    return [kind for kind in KINDS if before[kind] != after[kind]]


def test_the_steps_stand_after_their_parents():
    kinds = [step.kind for step in STEPS]
    for number, step in enumerate(STEPS):
        assert set(step.parents) <= set(kinds[:number])
    assert kinds == [
        "extract",
        "clean",
        "annotate",
        "select",
        "deduplicate",
        "decontaminate",
        "repeats",
        "corpus",
        "tokenizer",
        "shards",
        "ledger",
        "pretrain",
        "evaluate",
        "export",
    ]


@pytest.mark.parametrize(
    ("override", "first"),
    [
        ("data.extract.max_nesting=999", "extract"),
        ("data.sources.docs.reader.text_field=body", "extract"),
        ("data.clean.min_words=3", "clean"),
        ("data.annotate.language_characters=100", "annotate"),
        ("data.select.gopher_quality.min_words=49", "select"),
        ("data.deduplicate.min_jaccard=0.9", "deduplicate"),
        ("data.split.validation_fraction=0.02", "deduplicate"),
        ("data.sources.docs.priority=1", "deduplicate"),
        ("data.corpus.personal_data.email=keep", "corpus"),
    ],
)
def test_a_change_repeats_its_step_and_what_follows_in_a_row(run_file, override, first):
    assert changed(run_file, override) == KINDS[KINDS.index(first) :]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data.tokenizer.seed=1", ["tokenizer", "shards", "pretrain", "evaluate", "export"]),
        ("data.shards.seed=1", ["shards", "pretrain", "evaluate", "export"]),
        ("training.learning_rate=1e-4", ["pretrain", "evaluate", "export"]),
        ("model.num_layers=3", ["pretrain", "evaluate", "export"]),
        ("data.sources.docs.licence=CC0-1.0", ["export"]),
        ("name=other", ["export"]),  # the card and the datasheet are headed by it
    ],
)
def test_what_does_not_follow_is_not_repeated(run_file, override, expected):
    assert changed(run_file, override) == expected


@pytest.mark.parametrize(
    "override",
    [
        "cluster={data_workers: 4, training_ranks: 1, device: cuda}",
        "budget={max_flops: 1}",
        "training.checkpoint_every_steps=5",
        "training.keep_checkpoints=1",
        "training.max_restarts=9",
        "data.max_quarantined_fraction=0.5",
    ],
)
def test_what_decides_no_byte_is_in_no_fingerprint(run_file, override):
    assert changed(run_file, override) == []


@pytest.fixture
def evaluated(run_file):
    """The run file with an evaluation set beside it."""
    (run_file.parent / "eval").mkdir()
    (run_file.parent / "eval" / "exam.txt").write_text("What is asked of whom.\n")
    sets = "  decontaminate: {sets: {exam: {path: 'eval/*.txt'}}}\n"
    run_file.write_text(run_file.read_text().replace("model: model.yaml", f"{sets}model: model.yaml"))
    return run_file


def with_sets(run_file, *overrides):
    run = load_run(run_file, overrides)
    listing = replace(list_sources(run.data), lists=list_digests(run.data.model_dump(mode="json")))
    return {step.kind: step for step in fingerprint_steps(run, listing)}


def test_a_run_that_looks_for_evaluation_items_has_a_step_more_and_is_another_from_there_on(evaluated):
    without = fingerprints(evaluated, "data.decontaminate=null")
    steps = with_sets(evaluated)
    assert [kind for kind in steps if kind not in without] == ["decontaminate"]
    assert [kind for kind in without if without[kind] == steps[kind].fingerprint] == KINDS[: KINDS.index("corpus")]
    assert steps["corpus"].parents.keys() == {"extract", "clean", "annotate", "deduplicate", "decontaminate"}


def test_a_run_that_looks_for_repeats_has_a_step_more_and_is_another_from_there_on(run_file):
    without = fingerprints(run_file)
    steps = with_sets(run_file, "data.repeats={substrings: {min_words: 40}}")
    assert [kind for kind in steps if kind not in without] == ["repeats"]
    assert [kind for kind in without if without[kind] == steps[kind].fingerprint] == KINDS[: KINDS.index("corpus")]
    assert steps["repeats"].parents.keys() == {"extract", "clean", "annotate", "deduplicate"}
    assert steps["corpus"].parents.keys() == {"extract", "clean", "annotate", "deduplicate", "repeats"}
    longer = with_sets(run_file, "data.repeats={substrings: {min_words: 41}}")
    assert longer["repeats"].fingerprint != steps["repeats"].fingerprint


def test_what_evaluation_files_hold_is_in_the_fingerprint_and_where_they_lie_is_not(evaluated):
    folder = evaluated.parent / "eval"
    before = with_sets(evaluated)["decontaminate"]
    assert before.config["sets"]["exam"]["path"].startswith("blake3:")
    moved = evaluated.parent / "moved"
    folder.rename(moved)
    there = f"data.decontaminate.sets.exam.path={moved}/*.txt"
    assert with_sets(evaluated, there)["decontaminate"].fingerprint == before.fingerprint
    (moved / "other.txt").write_text("One more.\n")
    one_more = with_sets(evaluated, there)["decontaminate"].fingerprint
    (moved / "other.txt").rename(moved / "another.txt")  # items are named by their files
    renamed = with_sets(evaluated, there)["decontaminate"].fingerprint
    assert len({before.fingerprint, one_more, renamed}) == 3


def test_neither_order_nor_place_of_the_sources_matters(run_file, tmp_path):
    shutil.copytree(tmp_path / "crawl", tmp_path / "far" / "away")  # keeps the times of change
    one = f"data.sources={{docs: {{path: {tmp_path}/crawl}}, also: {{path: {tmp_path}/crawl/b.jsonl}}}}"
    other = f"data.sources={{also: {{path: {tmp_path}/far/away/b.jsonl}}, docs: {{path: {tmp_path}/far/away}}}}"
    assert fingerprints(run_file, one) == fingerprints(run_file, other)


def test_a_changed_file_repeats_everything(run_file, tmp_path):
    before = fingerprints(run_file)
    (tmp_path / "crawl" / "b.jsonl").write_bytes(b"y" * 501)
    after = fingerprints(run_file)
    assert all(before[kind] != after[kind] for kind in KINDS)


def test_another_version_of_a_package_repeats_the_steps_that_it_decides(run_file, monkeypatch):
    before = fingerprints(run_file)
    real = steps.package_versions
    monkeypatch.setattr(steps, "package_versions", lambda names: real(names) | {n: "0" for n in names if n == "torch"})
    after = fingerprints(run_file)
    assert [kind for kind in KINDS if before[kind] != after[kind]] == ["pretrain", "evaluate", "export"]


def test_other_unicode_tables_repeat_clean_where_it_makes_normal_forms(run_file, monkeypatch):
    as_it_is = "data.clean.normalization=none"
    before, before_as_it_is = fingerprints(run_file), fingerprints(run_file, as_it_is)
    monkeypatch.setattr(steps.unicodedata, "unidata_version", "0.0.0")
    after = fingerprints(run_file)
    assert [kind for kind in KINDS if before[kind] != after[kind]] == KINDS[1:]
    assert fingerprints(run_file, as_it_is) == before_as_it_is


def test_the_engine_in_use_and_no_other_decides_what_is_extracted(run_file, monkeypatch):
    assert changed(run_file, "data.extract.engine=trafilatura")[0] == "extract"
    real = contract.version
    monkeypatch.setattr(contract, "version", lambda name: "0" if name == "trafilatura" else real(name))
    before = fingerprints(run_file), fingerprints(run_file, "data.extract.engine=trafilatura")
    monkeypatch.setattr(contract, "version", real)
    after = fingerprints(run_file), fingerprints(run_file, "data.extract.engine=trafilatura")
    assert before[0] == after[0]
    assert before[1]["extract"] != after[1]["extract"]


def test_an_engine_that_is_not_installed_is_said_when_the_run_is_planned(run_file, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(contract, "version", missing)
    with pytest.raises(EngineMissingError, match=r"install seedbed\[trafilatura\]"):
        fingerprints(run_file, "data.extract.engine=trafilatura")


def test_a_missing_package_is_no_traceback(run_file, monkeypatch):
    def missing(names):
        raise PackageNotFoundError("isal")

    monkeypatch.setattr(steps, "package_versions", missing)
    with pytest.raises(UsageError, match=r"^extract needs a package that is not here \(.*isal\): see `seedbed doctor`"):
        fingerprints(run_file)


def test_each_step_gets_what_its_functions_read(run_file):
    run = load_run(run_file, ["data.sources.docs.priority=2"])
    configs = {step.kind: step.config for step in fingerprint_steps(run, list_sources(run.data))}
    assert configs["extract"]["files"] == [
        {"source": "docs", "path": "a.warc.gz", "size": 1000, "version": "mtime:1700000000.000000"},
        {"source": "docs", "path": "b.jsonl", "size": 500, "version": "mtime:1700000000.000000"},
    ]
    assert configs["extract"]["readers"] == {"docs": ReaderConfig().model_dump()}
    assert type(run.data.clean).model_validate(configs["clean"]) == run.data.clean
    assert type(run.data.select).model_validate(configs["select"]["select"]) == run.data.select
    assert configs["deduplicate"]["deduplicate"]["source_priority"] == {"docs": 2}
    assert configs["deduplicate"]["split"] == {"validation_fraction": 0.01, "seed": 0}
    assert set(configs["corpus"]) == {"corpus", "split", "personal_data"}
    assert configs["pretrain"]["model"]["width"] == 16
    assert configs["pretrain"]["training"]["num_steps"] == 10
