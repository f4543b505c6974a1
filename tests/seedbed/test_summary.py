import io

import pytest

from seedbed import runs
from seedbed.defaults import DEFAULT_STORE
from seedbed.progress import Progress
from seedbed.runs import RunRecord
from seedbed.state import StateDirectory
from seedbed.summary import end_lines, funnel_lines, group_lines, mixture_lines, print_end, step_line, training_lines

EXTRACT = {
    "kind": "extract",
    "state": "done",
    "records_in": 1000,
    "records_out": 600,
    "dropped": {"not_a_response": 100, "empty_page": 300},
    "counts": {},
    "seconds": 12.34,
}
SELECT = {
    "kind": "select",
    "state": "done",
    "records_in": 600,
    "records_out": 33,
    "dropped": {"too_few_words": 567},
    "counts": {},
    "seconds": 0.06,
}


def test_a_step_says_what_went_in_and_came_out_and_what_took_most():
    assert step_line(EXTRACT, cached=False) == (
        "extract          1,000 in      600 out  12.3 s   300 empty_page, 100 not_a_response"
    )
    assert step_line(SELECT, cached=True) == "select             600 in       33 out  cached   567 too_few_words"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"kind": "clean", "bytes_cut": 1500, "bytes_in": 20_000}, "1,500 of 20,000 bytes cut"),
        ({"kind": "clean", "bytes_cut": 0, "bytes_in": 20_000}, None),
        (
            {"kind": "deduplicate", "counts": {"candidate_pairs": 1234, "rejected_pairs": 5}},
            "1,234 candidate pairs, 5 refused on their texts",
        ),
        (
            {"kind": "shards", "counts": {"train_tokens": 1_000_000, "validation_tokens": 9}},
            "1,000,000 tokens to train on, 9 held out",
        ),
        (
            {"kind": "tokenizer", "counts": {"vocab_size": 4096, "sample_bytes": 70_000}},
            "4,096 tokens learnt from 70,000 bytes",
        ),
        (
            {"kind": "pretrain", "training": {"loss_first": 8.3456, "loss_last": 3.2, "steps": 300}},
            "loss 8.346 -> 3.200 in 300 steps",
        ),
    ],
)
def test_a_step_says_what_matters_of_it(facts, says):
    nothing = {"records_in": 0, "records_out": 0, "counts": {}, "dropped": {}, "seconds": 1.0}
    line = step_line(nothing | facts, cached=False)
    assert line == f"{facts['kind']:<12}  {'':24}  1.0 s" + (f"   {says}" if says else "")


def test_the_funnel_shows_what_is_left_after_each_step_and_why():
    to_do = {"kind": "deduplicate", "state": "to do"}
    assert funnel_lines({"steps": [EXTRACT, SELECT, to_do]}) == [
        "records         1,000 ██████████████████████████████",
        "extract           600 ██████████████████",
        "                 -300 empty_page",
        "                 -100 not_a_response",
        "select             33 █",
        "                 -567 too_few_words",
    ]
    assert funnel_lines({"steps": [to_do]}) == []


TRAINING = {"steps": 300, "loss_first": 8.3, "loss_last": 3.2, "validation_loss": 3.3}
SCORES = {"perplexity": 27.11, "bits_per_byte": 1.5, "unigram_loss": 6.5, "bigram_loss": 4.25}


def test_the_losses_stand_beside_what_they_are_held_against():
    assert training_lines(TRAINING | SCORES) == [
        "training: 300 steps, loss 8.300 -> 3.200",
        "validation loss 3.300 nats per token (perplexity 27.1, 1.500 bits per byte)",
        "on the same tokens: unigram model 6.500, bigram model 4.250",
    ]


def test_a_perplexity_beyond_all_numbers_is_said_as_such():
    training = TRAINING | {"perplexity": None, "bits_per_byte": 400.0, "validation_loss": 1000.0}
    assert training_lines(training)[1] == (
        "validation loss 1000.000 nats per token (perplexity beyond measure, 400.000 bits per byte)"
    )


def summary(**more):
    nothing = {
        "run": "demo-1",
        "name": "demo",
        "store": DEFAULT_STORE,
        "state": "finished",
        "steps": [],
        "training": None,
        "export": None,
    }
    return nothing | more


def test_the_end_says_where_things_are_and_what_to_type_next():
    ended = summary(training=TRAINING | SCORES, export="/store/steps/export-1/model")
    assert end_lines(ended, "https://x.example/one") == [
        "",
        "",
        *training_lines(TRAINING | SCORES),
        "",
        "run demo-1: finished",
        "model (Hugging Face format): /store/steps/export-1/model",
        "",
        "next:",
        "  seedbed show demo-1",
        "  seedbed sample select --run demo-1 -n 3",
        "  seedbed why https://x.example/one --run demo-1",
        "  seedbed export demo-1 DIR",
    ]


def test_a_run_that_stopped_before_its_end_says_how_it_goes_on():
    # A training that was interrupted before has left its losses; they are no result.
    lines = end_lines(summary(state="stopped", training=TRAINING))
    assert lines[-6:] == [
        "",
        "next:",
        "  seedbed show demo-1",
        "  seedbed sample select --run demo-1 -n 3",
        "  seedbed why URL --run demo-1",
        "  or the same `seedbed run` without --until, which goes on from here",
    ]
    assert not any("loss" in line for line in lines)


def test_the_end_of_a_run_asks_about_a_page_of_its_own(pipeline, tmp_path):
    store, plan = pipeline.store, pipeline.plan
    runs.save(store, RunRecord(plan.run_id, "tiny", runs.now(), runs.STOPPED))
    sums = {"records_in": 7, "records_out": 4, "seconds": 1.0, "bytes_in": 0, "bytes_out": 0, "bytes_cut": 0}
    for artifact in pipeline.artifacts.values():
        artifact.commit(sums | {"bytes_added": 0, "counts": {}, "made_by_run": plan.run_id} | artifact.committed())
    out = io.StringIO()
    print_end(store, StateDirectory(tmp_path / "state"), plan, Progress(out))
    assert (
        f"  seedbed why https://x.example/copy --run {plan.run_id} --store {store.url}" in out.getvalue().splitlines()
    )


def test_the_loss_is_told_by_groups_where_there_are_several_and_of_the_others_what_is_too_little():
    english = {"name": "en", "tokens": 12_000, "bits_per_byte": 2.5}
    alone = {
        "groups": [{"name": "docs", "tokens": 12_400, "bits_per_byte": 2.5}],
        "too_small": {"groups": 0, "names": []},
    }
    few = {"groups": [english], "too_small": {"groups": 2, "names": ["de", "fr"]}}
    large = [{"name": f"{n}.example", "tokens": 2_000, "bits_per_byte": 3.0} for n in range(8)]
    many = {"groups": large, "too_small": {"groups": 30, "names": list("abcdefghi")}}
    assert group_lines({"by": {"source": alone, "language": few, "domain": many}}) == [
        "bits per byte by language: en 2.500 (12,000 tokens); too little held out of 2: de, fr",
        "bits per byte by domain: 0.example 3.000 (2,000 tokens); 1.example 3.000 (2,000 tokens); "
        "2.example 3.000 (2,000 tokens); 3.example 3.000 (2,000 tokens); 4.example 3.000 (2,000 tokens); "
        "5.example 3.000 (2,000 tokens); 2 more; too little held out of 30: a, b, c, d, e, f, ...",
    ]
    assert group_lines({}) == []


def test_what_was_trained_on_of_each_source_is_told():
    rows = {
        "docs": {"tokens": 6400, "weight": 0.8, "epochs": 0.5},
        "more": {"tokens": 1600, "weight": 0.2, "epochs": 2.5},
    }
    assert mixture_lines({"mixture": rows}) == [
        "trained on: docs 6,400 tokens (80.0%, 0.50 epochs), more 1,600 tokens (20.0%, 2.50 epochs)"
    ]
    assert mixture_lines({}) == []
