"""One command, from a real crawl to an exported model, and what the other commands say of it."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from dataprep.indexed_dataset import IndexedDataset
from dataprep.tokenizer import Encoder

pytestmark = pytest.mark.slow

STEPS = ("extract", "clean", "annotate", "select", "deduplicate", "corpus", "tokenizer", "shards", "ledger")
STEPS += ("pretrain", "evaluate", "export")


def from_step(kind):
    """This step and those after it."""
    return set(STEPS[STEPS.index(kind) :])


def to_do(states):
    return {kind for kind, state in states.items() if state == "to do"}


@pytest.fixture(scope="module")
def shown(reference):
    """What `seedbed show RUN --json` says of the reference run."""
    return reference.json("show", "small")


@pytest.fixture(scope="module")
def steps(shown):
    """Its steps by kind."""
    return {step["kind"]: step for step in shown["steps"]}


@pytest.fixture(scope="module")
def planned(reference):
    """What `seedbed plan --json` says of it."""
    return reference.json("plan", reference.run_file)


def sampled(run, step, *options):
    """The first of the documents that a step kept, or dropped for a reason."""
    return run.json("sample", step, "-n", 1, *options)["documents"][0]


def test_the_path_ends_with_a_model_that_transformers_loads_and_that_says_the_same(reference, shown, steps, planned):
    import torch
    from safetensors.torch import load_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from jobs.pretrain.model import GPT
    from seedbed.runfile.model import ModelConfig

    ours = GPT(ModelConfig.model_validate(planned["config"]["model"]))
    load_model(ours, reference.store / steps["pretrain"]["path"] / "model.safetensors")
    theirs = AutoModelForCausalLM.from_pretrained(shown["export"])
    tokenizer = AutoTokenizer.from_pretrained(shown["export"])
    tokens = tokenizer("The server answers each request.", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.allclose(ours.eval()(tokens), theirs(tokens).logits, atol=1e-5)
    assert tokenizer.decode(tokens[0]) == "The server answers each request."


def test_every_record_is_kept_or_dropped_for_a_reason(steps):
    assert steps["extract"]["dropped"] == {
        "content_type_not_text": 4,
        "empty_page": 1,
        "http_status_not_200": 8,
        "invalid_json": 1,
        "no_text_field": 1,
    }
    for step in steps.values():
        assert step["records_in"] == step["records_out"] + sum(step["dropped"].values())
    assert steps["select"]["dropped"]["too_few_words"] >= 1
    assert {"exact_duplicate", "near_duplicate"} <= set(steps["deduplicate"]["dropped"])
    assert steps["ledger"]["records_in"] == steps["extract"]["records_in"]
    assert steps["ledger"]["records_out"] == steps["corpus"]["records_out"]


PLAN = {"verdict", "findings", "parameters", "tokens", "flops", "memory_per_rank_bytes", "steps"}
STEP = {"kind", "fingerprint", "state", "records_in", "records_out", "dropped", "digest", "seconds"}
TRAINING = {"steps", "loss_first", "loss_last", "validation_loss", "bits_per_byte", "unigram_loss", "bigram_loss"}
WHY = {"document_id", "url", "outcome", "step", "reason", "value", "duplicate_of"}


def test_json_has_the_promised_keys(reference, shown, planned):
    assert planned.keys() >= PLAN
    assert (planned["verdict"], planned["tokens"]) == ("pass", 12 * 512)

    runs = reference.json("show")["runs"]
    assert [(run["run"], run["state"]) for run in runs] == [(planned["run_id"], "finished")]

    assert {"run", "state", "steps", "training", "export"} <= shown.keys()
    assert (shown["run"], shown["state"]) == (planned["run_id"], "finished")
    assert tuple(step["kind"] for step in shown["steps"]) == STEPS
    for step in shown["steps"]:
        assert step.keys() >= STEP
        assert step["state"] == "done"
    training = shown["training"]
    assert training.keys() >= TRAINING
    assert training["steps"] == 12
    assert training["loss_last"] < training["loss_first"]
    assert training["bigram_loss"] < training["unigram_loss"]


def test_a_second_run_finds_everything_cached_in_a_store_that_moved_and_starts_no_ray(mine, tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('nothing is to do, and still somebody wants Ray')\n")
    assert set(mine.planned().values()) == {"cached"}
    out = mine.run(PYTHONPATH=str(tmp_path)).out
    lines = [line for line in out.splitlines() if line.split() and line.split()[0] in STEPS and "cached" in line]
    assert [line.split()[0] for line in lines] == list(STEPS)
    mine.run("--until", "ledger", PYTHONPATH=str(tmp_path))  # nothing is left behind it
    assert mine.json("show", "small")["state"] == "finished"


def test_a_filters_threshold_repeats_nothing_before_select(reference):
    states = reference.planned("--set", "data.select.gopher_quality.min_words=60")
    assert to_do(states) == from_step("select")


def test_a_learning_rate_repeats_no_data_step(reference):
    assert to_do(reference.planned("--set", "training.learning_rate=1e-3")) == from_step("pretrain")


def test_what_a_run_costs_and_runs_on_repeats_nothing(reference):
    changed = ("budget.max_flops=2e12", "cluster.data_workers=1", "training.checkpoint_every_steps=6")
    assert not to_do(reference.planned(*(word for key in changed for word in ("--set", key))))


def test_one_worker_and_sources_in_another_order_make_the_same_artifacts(reference, steps, workspace):
    docs, more = (line for line in reference.run_file.read_text().splitlines(True) if "{path: crawl/" in line)
    turned = reference.run_file.read_text().replace(docs + more, more + docs)
    assert turned != reference.run_file.read_text()
    run_file = reference.run_file.with_name("turned.yaml")
    run_file.write_text(turned)
    other = replace(workspace, run_file=run_file)
    other.run("--set", "cluster.data_workers=1", "--until", "ledger")
    told = other.json("show", "small")
    assert told["state"] == "stopped"
    for step in told["steps"][:9]:
        expected = steps[step["kind"]]
        assert (step["fingerprint"], step["digest"]) == (expected["fingerprint"], expected["digest"])
    assert {step["kind"] for step in told["steps"] if step["state"] == "to do"} == from_step("pretrain")


@pytest.mark.thorough
def test_four_workers_and_a_crawl_copied_elsewhere_give_the_same_digests(reference, steps, workspace, tmp_path):
    shutil.copytree(reference.run_file.parent, tmp_path / "elsewhere")
    for file in (tmp_path / "elsewhere" / "crawl").rglob("*.*"):
        os.utime(file, (1_600_000_000, 1_600_000_000))
    other = replace(workspace, run_file=tmp_path / "elsewhere" / "run.yaml")
    other.run("--set", "cluster.data_workers=4", "--until", "ledger")
    for step in other.json("show", "small")["steps"][:9]:
        expected = steps[step["kind"]]
        assert step["fingerprint"] != expected["fingerprint"]
        assert step["digest"] == expected["digest"]


def test_why_leads_from_a_kept_page_to_its_tokens(reference, steps):
    page = sampled(reference, "corpus")
    told = reference.json("why", page["document_id"])
    assert told.keys() >= WHY
    assert (told["outcome"], told["step"], told["reason"], told["url"]) == ("kept", "corpus", None, page["url"])
    encoder = Encoder((reference.store / steps["tokenizer"]["path"] / "tokenizer.json").read_bytes())
    shard = IndexedDataset(reference.store / steps["shards"]["path"] / "tokens" / told["tokens"]["shard"])
    first, number = told["tokens"]["first_token"], told["tokens"]["num_tokens"]
    assert encoder.decode(np.asarray(shard.tokens[first : first + number])) == page["text"]


def test_why_names_what_a_near_duplicate_lost_to(reference):
    lost = sampled(reference, "deduplicate", "--reason", "near_duplicate")
    told = reference.json("why", lost["document_id"])
    assert (told["outcome"], told["step"], told["reason"]) == ("dropped", "deduplicate", "near_duplicate")
    assert told["duplicate_of"] == lost["duplicate_of"]
    assert told["value"] is None or 0.8 <= told["value"] <= 1
    assert reference.json("why", told["duplicate_of"])["outcome"] == "kept"


def test_why_gives_rule_and_value_of_what_a_filter_dropped(reference):
    told = reference.json("why", "https://notes.example/short")
    assert told.keys() >= WHY
    assert told["document_id"] == "more/notes.jsonl#3"
    assert (told["outcome"], told["step"], told["reason"], told["value"]) == ("dropped", "select", "too_few_words", 7)


def test_why_knows_what_was_no_page(reference):
    lost = sampled(reference, "extract", "--reason", "http_status_not_200")
    told = reference.json("why", lost["document_id"])
    assert (told["outcome"], told["step"], told["reason"]) == ("dropped", "extract", "http_status_not_200")
    assert told["value"] in (301, 404)
    assert reference.json("why", told["url"])["document_id"] == lost["document_id"]

    broken = reference.json("why", "more/notes.jsonl#6")
    assert (broken["url"], broken["reason"]) == (None, "invalid_json")


def test_why_of_what_was_never_read_is_an_error(reference):
    answer = reference.seedbed("why", "https://nobody.example/", expect=2)
    assert "no record 'https://nobody.example/' in run small-" in answer.err


def test_sample_shows_texts_and_reasons(reference, steps):
    dropped = reference.json("sample", "select", "--reason", "too_few_words", "-n", 50)["documents"]
    assert "The server answers with too few words." in [document["text"] for document in dropped]
    kept = reference.json("sample", "corpus", "-n", 200)["documents"]
    assert len(kept) == steps["corpus"]["records_out"]
    [note] = [document for document in kept if document["url"] == "https://notes.example/1"]
    assert note["text"].startswith("Write to the list at |||EMAIL_ADDRESS||| with a question.")
    assert "its reasons here are" in reference.seedbed("sample", "select", "--reason", "x", expect=2).err


def test_export_copies_the_model_with_its_datasheet(reference, tmp_path):
    reference.seedbed("export", "small", tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "DATASHEET.md"} <= names
    facts = json.loads((tmp_path / "model" / "datasheet.json").read_text())
    assert "extract" in json.dumps(facts)
    assert reference.seedbed("export", "small", tmp_path / "model", expect=2).err.startswith("error: ")


def test_gc_shows_what_no_run_reaches_and_then_removes_it(mine):
    stray = mine.store / "steps" / "clean-0123456789abcdef"
    stray.mkdir()
    (stray / "edits.parquet").write_bytes(b"x" * 100)
    [garbage] = mine.json("gc", "--dry-run")["garbage"]
    assert (garbage["path"], garbage["num_bytes"]) == ("steps/clean-0123456789abcdef", 100)
    assert stray.exists()
    mine.seedbed("gc", "--yes")
    assert not stray.exists()
    assert set(mine.planned().values()) == {"cached"}


def test_a_refused_run_leaves_with_3_and_the_arithmetic_and_starts_nothing(workspace):
    answer = workspace.run("--set", "budget.max_flops=1000", expect=3)
    assert "6,144 tokens = " in answer.err
    assert "FLOPs > budget.max_flops 1000" in answer.err
    assert workspace.json("show") == {"runs": []}
    assert not (workspace.store / "steps").exists()


def test_a_reason_starts_a_run_that_is_over_its_budget_and_is_kept(mine):
    over = ("--set", "budget.max_flops=1000")
    mine.run(*over, "--over-budget", "to see what it costs", "--until", "extract")
    newest = mine.json("show", "small")
    assert newest["run"] == mine.json("plan", mine.run_file, *over, expect=3)["run_id"]
    assert (newest["state"], newest["over_budget"]) == ("stopped", "to see what it costs")


def test_the_budget_is_checked_again_when_the_tokens_are_counted(mine):
    """6,144 tokens of some 58,000 are a tenth of them; by the bytes that are left there might be far more."""
    changed = ("--set", "data.shards.seed=1", "--set", "budget.max_repeats=0.05")
    assert mine.json("plan", mine.run_file, *changed)["verdict"] == "warn"
    answer = mine.run(*changed, expect=3)
    assert "6,144 training tokens / " in answer.err
    newest = mine.json("show", "small")
    assert newest["state"] == "failed"
    assert {step["kind"] for step in newest["steps"] if step["state"] == "to do"} == from_step("pretrain")


# 150 steps of the small run, in which a rank is lost before the 79th: 78 steps are lost and taken again, so that the
# FLOPs of 151 steps are passed long before the last.
LONG, LOST_AT = 150, 79


def test_a_training_that_passes_its_limit_stops_at_a_checkpoint_and_goes_on_with_a_reason(mine, tmp_path):
    long = ("--set", f"training.num_steps={LONG}", "--set", "training.checkpoint_every_steps=100")
    plan = mine.json("plan", mine.run_file, *long)
    per_step = plan["flops"] / LONG
    limit = ("--set", f"budget.max_flops={per_step * (LONG + 1)}")
    once = tmp_path / "once"
    once.mkdir()
    broken = {"SEEDBED_FAULT": f"pretrain.step.{LOST_AT}", "SEEDBED_FAULT_ONCE": str(once)}
    answer = mine.run(*long, *limit, expect=3, **broken)
    assert " of them lost to restarts and taken again, x " in answer.err
    assert "which is more than budget.max_flops" in answer.err
    assert "it has stopped at its checkpoint of step " in answer.err
    stopped = mine.json("show", "small")
    assert stopped["state"] == "stopped"
    assert LONG + 1 - LOST_AT < stopped["training"]["steps"] < LONG  # the more of the lost was told, the earlier
    spending = stopped["training"]["spending"]
    lost = spending["steps_lost"]
    assert LOST_AT // 2 < lost < LOST_AT  # a rank that is lost takes with it what it had no time to tell
    assert spending["steps_taken"] == stopped["training"]["steps"] + lost
    assert spending["forecast_steps_taken"] == LONG + lost
    newest = max((mine.artifact("pretrain") / "checkpoints").glob("step-*"))
    on_disk = sum(file.stat().st_size for file in newest.iterdir() if not file.name.startswith("metrics"))
    assert on_disk == pytest.approx(plan["checkpoint_bytes"], rel=0.1)

    assert mine.run(*long, *limit, expect=3).err.startswith("error: run small-")  # it is spent: nothing is started
    mine.run(*long, *limit, "--over-budget", "the last steps are worth it")
    finished = mine.json("show", "small")
    assert (finished["state"], finished["over_budget"]) == ("finished", "the last steps are worth it")
    manifest = json.loads((mine.artifact("pretrain") / "manifest.json").read_text())
    assert manifest["spending"]["steps_taken"] == LONG + lost
    assert 0 < manifest["spending"]["goodput"] < 1


def test_until_names_a_step(workspace):
    answer = workspace.run("--until", "the end", expect=2)
    assert "there is no such step; the steps are extract, clean, " in answer.err
