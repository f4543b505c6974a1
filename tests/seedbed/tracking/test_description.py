import json

import pytest

from seedbed import runs
from seedbed.artifact import Artifact
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run, write_resolved
from seedbed.store import Store
from seedbed.tracking import description


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def test_params_are_the_run_file_flattened_and_what_follows_from_it(run_file, store):
    told = description.run_params(make_plan(load_run(run_file), store))
    assert told["training.num_steps"] == "10"
    assert told["training.learning_rate"] == "0.001"
    assert told["model.width"] == "16"
    assert told["data.sources.docs.priority"] == "0"
    assert told["data.select.gopher_quality"] == "null"
    assert told["derived.tokens"] == "640"
    assert int(told["derived.flops"]) == 640 * int(told["derived.flops_per_token"])


def test_no_param_may_change_while_the_run_stays_the_same(run_file, store):
    """MLflow's params are for ever: what the run's id does not cover is none."""
    plan = make_plan(load_run(run_file), store)
    moved = run_file.parent / "crawl"
    moved.rename(run_file.parent / "elsewhere")
    other = ["cluster.threads_per_rank=2", "tracking.alias=best", f"data.sources.docs.path={run_file.parent}/elsewhere"]
    again = make_plan(load_run(run_file, other), store)
    assert again.run_id == plan.run_id
    assert description.run_params(again) == description.run_params(plan)


def test_a_value_that_is_too_long_says_so_and_where_it_stands():
    assert description.params({"a": {"b": "x" * 6000}})["a.b"] == "x" * 6000
    cut = description.params({"a": {"b": ["x" * 6000]}})["a.b"]
    assert cut == "(6,004 characters, too long for a param: see the artifact run/resolved.yaml)"
    assert description.fitted_tag("x" * 8000) == "x" * 8000
    tag = description.fitted_tag("x" * 9000)
    assert len(tag) == 8000
    assert tag.endswith("x... (cut: 9,000 characters)")


def test_tags_lead_from_the_run_to_every_step_and_to_the_reason_it_was_started_for(run_file, store):
    plan = make_plan(load_run(run_file), store)
    record = runs.RunRecord(plan.run_id, plan.name, runs.now(), over_budget="to see " * 2000)
    tags = description.run_tags(plan, record, store)
    assert tags["seedbed.run"] == plan.run_id
    for step in plan.steps:
        assert tags[f"seedbed.fingerprint.{step.kind}"] == step.fingerprint
    assert tags["seedbed.over_budget"].startswith("to see to see ")
    assert "2 ranks" in tags["seedbed.layout"]
    assert max(map(len, tags.values())) <= description.MAX_TAG


def test_the_note_leads_to_the_dashboard_where_the_run_file_says_where_that_is(run_file, store):
    def note(*overrides):
        plan = make_plan(load_run(run_file, overrides), store)
        record = runs.RunRecord(plan.run_id, plan.name, runs.now())
        return plan.run_id, description.run_tags(plan, record, store)["mlflow.note.content"]

    run, told = note("tracking.dashboard_url=http://head:8780/")
    assert f"(http://head:8780/runs/{run})" in told
    assert "dashboard" not in note()[1]


def test_the_verdict_is_what_is_known_of_the_tokens_by_now(run_file, store):
    run = load_run(run_file)
    plan = make_plan(run, store)
    runs.save_plan(store, plan, write_resolved(run))
    record = runs.RunRecord(plan.run_id, plan.name, runs.now())
    assert description.run_tags(plan, record, store)["seedbed.budget_verdict"] == "pass"
    shards = Artifact(store, "shards", plan.step("shards").fingerprint)
    shards.commit({"counts": {"train_tokens": 100}})  # 640 / 100 = 6.4 repeats, 4 are allowed
    assert description.run_tags(plan, record, store)["seedbed.budget_verdict"] == "refuse"
    told = json.loads(description.run_files(plan, record, store)["run/budget.json"])
    assert (told["verdict"], told["verdict_when_planned"]) == ("refuse", "pass")
    assert "640 training tokens / 100 unique tokens = 6.4 repeats" in told["findings"][-1]["message"]


def test_a_password_in_the_address_of_a_store_is_not_told():
    assert description.without_password("https://joe:s3cret@host/bucket") == "https://...@host/bucket"
    assert description.without_password("s3://bucket/a@b") == "s3://bucket/a@b"


def test_datasets_have_digests_that_mlflow_takes(run_file, store):
    plan = make_plan(load_run(run_file), store)
    shards = Artifact(store, "shards", plan.step("shards").fingerprint)
    manifest = {"digest": "d" * 64, "counts": {"train_tokens": 70, "validation_tokens": 30}}
    train, validation = description.step_datasets(plan, shards, manifest)
    assert (train.name, train.context, train.profile["num_rows"]) == ("tiny training tokens", "training", 70)
    assert (validation.context, validation.profile["num_rows"]) == ("validation", 30)
    assert len(train.digest) <= 36
    assert train.source == f"{store.local_path('')}/{shards.path}/tokens"


def test_files_on_the_run_say_all_of_it(run_file, store):
    run = load_run(run_file)
    plan = make_plan(run, store)
    runs.save_plan(store, plan, write_resolved(run))
    files = description.run_files(plan, runs.RunRecord(plan.run_id, plan.name, runs.now()), store)
    assert files["run/resolved.yaml"].decode() == write_resolved(run)
    assert json.loads(files["run/plan.json"])["run_id"] == plan.run_id
    assert json.loads(files["run/budget.json"])["verdict"] == "pass"
    assert "run/conformance.json" not in files
    store.write(f"runs/{plan.run_id}/conformance.json", b"{}")
    assert "run/conformance.json" in description.run_files(
        plan, runs.RunRecord(plan.run_id, plan.name, runs.now()), store
    )


def test_a_version_that_two_runs_made_stays_the_firsts_and_names_both():
    first, second = {"seedbed.run": "a-1", "seedbed.store": "/s"}, {"seedbed.run": "b-2", "seedbed.store": "/t"}
    there = description.version_tags({"seedbed.export": "f"}, first)
    assert there == {"seedbed.run": "a-1", "seedbed.store": "/s", "seedbed.runs": "a-1"}
    assert description.version_tags(there, second) == {"seedbed.runs": "a-1 b-2"}
    assert description.version_tags(there | {"seedbed.runs": "a-1 b-2"}, first)["seedbed.runs"] == "a-1 b-2"


def test_a_submitted_run_is_its_owners_and_not_the_drivers(run_file, store):
    plan = make_plan(load_run(run_file), store)
    record = runs.RunRecord(plan.run_id, plan.name, runs.now())
    assert description.run_tags(plan, record, store, "ann")["mlflow.user"] == "ann"
