"""The commands that train models, then a run that uses what they wrote, up to `select`."""

import gzip
import io
import json
import re
import sys

import pytest

from dataprep.arpa import metadata_of
from dataprep.quality_classifier import metadata_of as metadata_of_classifier
from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.cli.entry import main
from seedbed.errors import RunFileError, SourceError
from seedbed.list_files import list_digests
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here

RUN = """\
name: learned
data:
  sources: {docs: {path: mixed}}
  annotate:
    perplexity: {model: good.arpa.gz}
    quality_classifier: {model: good.safetensors}
  select:
    perplexity: {max_perplexity: 300}
    quality: {min_score: 0.5}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""
GOOD = "In the year {n} the town built a bridge over the river, and {n} people came to see it.\nIt stands to this day."
OTHER = "Buy {n} cheap shoes online now, free shipping, click here, subscribe, sale {n}"
STRANGE = "Qwxz {n} plok vrum {n} zzat krrg blip dunf wexo yurg."


def write(path, *pages):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(json.dumps({"text": page}) for page in pages))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write(tmp_path / "good" / "a.jsonl", *(GOOD.format(n=n) for n in range(200)))
    write(tmp_path / "other" / "a.jsonl", *(OTHER.format(n=n) for n in range(200)))
    write(tmp_path / "mixed" / "a.jsonl", GOOD.format(n=999), OTHER.format(n=998), STRANGE.format(n=997))
    (tmp_path / "run.yaml").write_text(RUN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["seedbed", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


@pytest.fixture
def models(folder, command):
    """Both models trained; what the commands printed."""
    ngram = command("train-ngram-model", "good", "--out", "good.arpa.gz", "--order", 3)
    classifier = command("train-classifier", "--good", "good", "--other", "other", "--out", "good.safetensors")
    assert (ngram[0], classifier[0]) == (0, 0), ngram[2] + classifier[2]
    return ngram[1], classifier[1]


def test_the_commands_say_what_they_reached_and_what_to_write_into_the_run_file(models, folder):
    ngram, classifier = models
    facts = metadata_of(gzip.decompress((folder / "good.arpa.gz").read_bytes()))
    assert f"from {facts['num_words']:,} words" in ngram
    assert f"perplexity of {facts['num_reference_documents']} documents that were held out" in ngram
    assert "too few documents were held out for percentiles" in ngram
    assert "      perplexity:\n        model: good.arpa.gz\n" in ngram
    facts = metadata_of_classifier((folder / "good.safetensors").read_bytes(), "model")
    assert facts["held_out_auc"] == 1
    assert re.search(r"good +200 +\d+ +100.0%", classifier)
    assert "in 100.00% of cases (AUC)" in classifier
    assert "      quality_classifier:\n        model: good.safetensors\n" in classifier


def test_wrong_options_and_paths_are_told(folder, command):
    code, _, err = command("train-ngram-model", "nowhere", "--out", "m.arpa.gz")
    assert (code, "nothing is at nowhere" in err) == (2, True)
    code, _, err = command("train-classifier", "--good", "good", "--other", "other", "--out", "m", "--format", "docx")
    assert (code, "format" in err) == (2, True)
    assert not list(folder.glob("m*"))[1:]  # `mixed` alone


def verdicts(folder, *overrides):
    """The plan, and what `select` says of each document of `mixed`."""
    store, state = Store(str(folder / "store")), StateDirectory(folder / "state")
    plan = make_plan(load_run(folder / "run.yaml", overrides), store)
    for kind in ("extract", "clean", "annotate", "select"):
        do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), Here())
    step = plan.step("select")
    return plan, Artifact(store, step.kind, step.fingerprint).read_table("verdicts", "00000").to_pydict()


def changed(before, after):
    return [step.kind for step in before.steps if step.fingerprint != after.step(step.kind).fingerprint]


def test_a_run_measures_by_both_models_and_drops_what_they_say(models, folder):
    _, found = verdicts(folder)
    assert found["reason"] == [None, "perplexity_too_high", "perplexity_too_high"]
    plan, found = verdicts(folder, "data.select.perplexity=null")
    assert found["reason"] == [None, "quality_too_low", found["reason"][2]]
    assert found["value"][1] < 0.5
    # Another threshold measures nothing anew; another place of a model is the same run.
    (folder / "far").mkdir()
    (folder / "good.safetensors").rename(folder / "far" / "renamed.safetensors")
    moved, _ = verdicts(
        folder,
        "data.select.perplexity=null",
        f"data.annotate.quality_classifier.model={folder}/far/renamed.safetensors",
    )
    assert (changed(plan, moved), moved.run_id) == ([], plan.run_id)


def test_another_model_at_the_same_place_measures_anew(models, folder, command):
    before = make_plan(load_run(folder / "run.yaml"), Store(str(folder / "store")))
    command("train-classifier", "--good", "good", "--other", "other", "--out", "good.safetensors", "--epochs", "2")
    after = make_plan(load_run(folder / "run.yaml"), Store(str(folder / "store")))
    assert changed(before, after)[:2] == ["annotate", "select"]
    assert before.run_id != after.run_id


def test_a_file_that_is_no_such_model_is_told_by_its_key_when_the_run_is_planned(folder):
    (folder / "m").write_text("nothing")
    both = {"perplexity": {"model": "m"}, "quality_classifier": {"model": "m"}}
    with pytest.raises(SourceError) as told:
        list_digests({"annotate": both})
    first, second = str(told.value).splitlines()
    assert first.startswith("data.annotate.perplexity.model: m is no ARPA file")
    assert second.startswith("data.annotate.quality_classifier.model: m is no quality classifier")


def test_a_filter_without_its_model_is_told(folder):
    with pytest.raises(
        RunFileError, match=r"data.select.perplexity: nothing measures it: name a model in data.annotate"
    ):
        load_run(folder / "run.yaml", ["data.annotate.perplexity=null"])
    with pytest.raises(RunFileError, match=r"data.select.quality: nothing gives a score: name a model in data.annot"):
        load_run(folder / "run.yaml", ["data.annotate.quality_classifier=null"])
