import json
import shutil

import pytest

from seedbed.artifact import Artifact
from seedbed.plan import Plan, check_again, make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def plan_of(run_file, store, *overrides):
    return make_plan(load_run(run_file, overrides), store)


def commit(store, plan, kind, **manifest):
    Artifact(store, kind, plan.step(kind).fingerprint).commit({"digest": f"digest of {kind}", **manifest})


def test_a_plan_counts_what_the_run_will_cost(run_file, store):
    plan = plan_of(run_file, store)
    # Embeddings 300 x 16 and 16 x 16; a layer has 17 x 48 + 17 x 16 in attention, 17 x 64 + 65 x 16 in its MLP and
    # 4 x 16 in norms; the last norm has 32.
    assert plan.parameters == 4800 + 256 + 2 * (816 + 272 + 1088 + 1040 + 64) + 32
    assert sum(plan.parameters_by_component.values()) == plan.parameters
    assert plan.matmul_parameters == 2 * 12 * 16 * 16 + 300 * 16
    assert plan.tokens == 10 * 64
    # 6 x 10,944 for the matrices and 6 x 2 layers x width 16 x length 16 for causal attention.
    assert plan.flops_per_token == 6 * 10_944 + 6 * 512
    assert plan.flops == plan.flops_per_token * 640
    assert plan.memory_per_rank_bytes == sum(plan.memory_per_rank_by_component.values())
    assert plan.unique_tokens is None
    assert plan.max_unique_tokens == 10 * 1000 + 500  # compressed, plain
    assert plan.verdict == "pass"
    # in fp32, whatever the layout: weights and two moments
    assert plan.checkpoint_bytes == plan.parameters * (4 + 8)
    assert (plan.predicted_loss.law, plan.predicted_loss.value) == ("besiroglu", None)
    assert plan.predicted_loss.reason.startswith(f"{plan.parameters:,} parameters are outside of")


def test_hours_and_money_are_unknown_until_the_cluster_says_what_they_need(run_file, store):
    plan = plan_of(run_file, store)
    assert plan.hours.low is None
    assert plan.hours.reason.startswith("cluster.hardware is not stated")
    known = plan_of(
        run_file,
        store,
        "cluster.device_peak_flops_per_second=1e6",
        "cluster.mfu.low=0.25",
        "cluster.mfu.high=0.5",
        "cluster.price_per_device_hour=3",
    )
    # 68,736 FLOPs a token x 64 tokens / (2 ranks x 1e6 x 0.5) = 4.399 s a step, twice that at worst; 10 steps
    assert known.step_time_s.low == pytest.approx(4.399104)
    assert known.hours.high == pytest.approx(10 * 2 * 4.399104 / 3600)
    assert known.device_hours.high == pytest.approx(2 * known.hours.high)
    assert known.cost.high == pytest.approx(3 * known.device_hours.high)
    assert {step.fingerprint for step in known.steps} == {step.fingerprint for step in plan.steps}


def test_a_refused_plan_names_the_nearest_number_of_steps(run_file, store):
    # 68,736 FLOPs x 64 tokens = 4,399,104 a step: 6 steps in 3e7
    assert plan_of(run_file, store, "budget.max_flops=3e7").nearest_num_steps == 6
    assert plan_of(run_file, store).nearest_num_steps is None


def test_no_number_of_steps_is_named_where_the_devices_are_too_small(run_file, store):
    plan = plan_of(run_file, store, "budget.max_flops=3e7", "cluster.device_memory_bytes=1e5")
    assert [finding.limit for finding in plan.findings if finding.level == "refuse"] == [
        "budget.max_flops",
        "cluster.hardware",
    ]
    assert plan.nearest_num_steps is None


def test_a_plan_of_an_older_seedbed_can_still_be_read(run_file, store):
    value = plan_of(run_file, store).to_json()
    new = {"checkpoint_bytes", "checkpoint_by_component", "step_time_s", "hours", "device_hours", "cost"}
    new |= {
        "likely_unique_tokens",
        "predicted_loss",
        "nearest_num_steps",
        "memory_by_role",
        "device_memory_bytes",
        "optimum",
    }
    old = Plan.from_json({key: part for key, part in value.items() if key not in new})
    assert old.hours.reason == old.predicted_loss.reason == "an older Seedbed made this plan"


def test_nothing_is_written(run_file, store, tmp_path):
    plan_of(run_file, store)
    assert not (tmp_path / "store").exists()


def test_what_is_computed_again_trains_no_larger_model(run_file, store):
    plain, again = (
        plan_of(run_file, store, f"training.activation_checkpointing={value}") for value in ("false", "true")
    )
    assert again.flops > plain.flops
    assert [best.flops for best in again.optimum] == [plain.flops] * len(plain.optimum)
    assert again.optimum == plain.optimum


def test_steps_are_cached_where_the_store_has_their_manifest(run_file, store):
    plan = plan_of(run_file, store)
    assert {(step.state, step.digest) for step in plan.steps} == {("to do", None)}
    commit(store, plan, "extract")
    commit(store, plan, "clean")
    store.write(f"steps/annotate-{plan.step('annotate').fingerprint}/attributes/00000.parquet", b"no manifest yet")
    again = plan_of(run_file, store)
    assert [(step.kind, step.digest) for step in again.steps if step.state == "cached"] == [
        ("extract", "digest of extract"),
        ("clean", "digest of clean"),
    ]
    assert again.run_id == plan.run_id


def test_the_tokens_that_shards_counted_are_taken(run_file, store):
    plan = plan_of(run_file, store)
    commit(store, plan, "shards", counts={"train_tokens": 100})
    counted = plan_of(run_file, store)
    assert counted.unique_tokens == 100
    assert counted.verdict == "refuse"  # 640 / 100 = 6.4 repeats
    verdict, findings = check_again(plan, store)
    assert verdict == "refuse"
    assert findings == counted.findings
    assert findings[-1].message.startswith(
        "640 training tokens / 100 unique tokens = 6.4 repeats > budget.max_repeats 4"
    )


def test_what_deduplicate_leaves_bounds_the_tokens(run_file, store):
    plan = plan_of(run_file, store)
    commit(store, plan, "deduplicate", records_out=3, bytes_out=600)
    known = plan_of(run_file, store)
    # 600 bytes grow by 19 / 6 at most (a mask in the place of a@b.cc); an end mark for each of 3 documents
    assert (known.max_unique_tokens, known.unique_tokens) == (1903, None)
    assert known.likely_unique_tokens == round((600 * 0.29335 + 3) * (1 - known.run.data.split.validation_fraction))
    verdict, findings = check_again(plan, store)
    assert (verdict, findings) == (known.verdict, known.findings)


@pytest.mark.parametrize(
    ("bytes_out", "verdict", "said"),
    # 640 training tokens, four times of at least 160: surely fewer than 50 x 19 / 6 + 1; likely fewer than 200 x .29
    [
        (
            49,
            "refuse",
            "at most 157 unique tokens (by the bytes that are left) = at least 4.076 repeats >",
        ),
        (200, "warn", "training tokens / likely "),
        (2000, "pass", "; checked again when `shards` has counted the tokens"),
    ],
)
def test_an_estimate_refuses_only_what_is_sure(run_file, store, bytes_out, verdict, said):
    plan = plan_of(run_file, store)
    commit(store, plan, "deduplicate", records_out=1, bytes_out=bytes_out)
    found, findings = check_again(plan, store)
    assert (found, findings[-1].level) == (verdict, verdict)
    assert said in findings[-1].message


def test_a_plan_survives_being_written_down(run_file, store):
    plan = plan_of(run_file, store, "budget.max_flops=1", "data.select.language.keep=[en]")
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again.to_json() == json.loads(json.dumps(plan.to_json()))
    assert again.run == load_run(run_file, ["budget.max_flops=1", "data.select.language.keep=[en]"])
    assert (again.name, again.verdict) == ("tiny", "refuse")
    assert again.sources == plan.sources
    assert again == plan


def test_the_run_is_named_by_what_it_is(run_file, store, tmp_path):
    run_id = plan_of(run_file, store).run_id
    name, _, digest = run_id.rpartition("-")
    assert name == "tiny"
    assert len(digest) == 8
    shutil.copytree(tmp_path / "crawl", tmp_path / "moved")
    for same in ("cluster.data_workers=4", f"data.sources.docs.path={tmp_path}/moved"):
        assert plan_of(run_file, store, same).run_id == run_id
    for other in ("training.num_steps=11", "name=other", "training.max_restarts=0", "budget.max_repeats=5"):
        assert plan_of(run_file, store, other).run_id != run_id


def test_files_without_a_reader_are_named(run_file, store, tmp_path):
    (tmp_path / "crawl" / "README.md").write_text("x")
    plan = plan_of(run_file, store)
    assert (plan.num_ignored, plan.ignored) == (1, (str(tmp_path / "crawl" / "README.md"),))
