"""The run of `conftest` on two sources: 640 tokens to train on, in samples of 16."""

import json

import pytest

from dataprep.mixture import MixtureConfig
from seedbed.artifact import Artifact
from seedbed.cli.plan import print_plan
from seedbed.errors import RunFileError
from seedbed.mixture import AT_MOST, MixtureNumbers
from seedbed.plan import Plan, known_now, make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store
from seedbed.unique_tokens import UniqueTokens

WEIGHTS = ("data.mixture.weights.docs=0.75", "data.mixture.weights.more=0.25")


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def plan(run_file, store):
    """A plan of `docs`, 1,000 compressed bytes, and `more`, 500 plain ones."""
    crawl = run_file.parent / "crawl"
    paths = (f"data.sources.docs.path={crawl}/a.warc.gz", f"data.sources.more.path={crawl}/b.jsonl")
    return lambda *overrides: make_plan(load_run(run_file, (*paths, *overrides)), store)


def counted(store: Store, plan: Plan, **train_tokens: int) -> Plan:
    """The plan once `shards` has counted."""
    sources = {name: {"train_tokens": number} for name, number in train_tokens.items()}
    counts = {"train_tokens": sum(train_tokens.values())}
    manifest = {"digest": "", "counts": counts, "sources": sources}
    Artifact(store, "shards", plan.step("shards").fingerprint).commit(manifest)
    return known_now(plan, store)


def told(plan: Plan) -> dict[str, tuple]:
    return {row.source: (row.available, row.weight_asked, row.weight, row.tokens, row.epochs) for row in plan.mixture}


def warned(plan: Plan) -> list[str]:
    return [finding.limit for finding in plan.findings if finding.level != "pass"]


def test_before_anything_is_read_the_files_say_what_there_is_at_most(plan):
    made = plan(*WEIGHTS)
    # Ten tokens a compressed byte and one a plain one: 625 samples, and 31 (496 tokens). Of 40 samples 30 and 10.
    assert told(made) == {"docs": (10_000, 0.75, 0.75, 480, 30 / 625), "more": (496, 0.25, 0.25, 160, 10 / 31)}
    assert {row.known for row in made.mixture} == {"at most"}
    assert made.max_unique_tokens == 10_496
    assert made.verdict == "pass"


def test_the_bytes_of_the_corpus_say_what_there_likely_is(plan, store):
    made = plan(*WEIGHTS)
    sources = {
        "docs": {"train_bytes": 10_000, "train_documents": 66},
        "more": {"train_bytes": 300, "train_documents": 9},
    }
    left = {"records_out": 75, "bytes_out": 10_300}
    Artifact(store, "deduplicate", made.step("deduplicate").fingerprint).commit({"digest": "", **left})
    Artifact(store, "corpus", made.step("corpus").fingerprint).commit({"digest": "", "sources": sources})
    known = known_now(made, store)
    # 10,000 x 0.29335 + 66 = 2,999.5 tokens, 187 samples; 300 x 0.29335 + 9 = 97, 6 samples, seen 10 / 6 times.
    assert told(known) == {"docs": (2992, 0.75, 0.75, 480, 30 / 187), "more": (96, 0.25, 0.25, 160, 10 / 6)}
    assert {row.known for row in known.mixture} == {"likely"}
    assert known.likely_unique_tokens == 480 + 96


def test_what_the_shards_hold_is_counted_and_what_is_seen_of_it_is_unique(plan, store):
    known = counted(store, plan(*WEIGHTS), docs=16 * 200 + 1, more=16 * 4 + 1)
    # `more` gives 10 samples of 4: 2.5 epochs.
    assert told(known)["more"] == (64, 0.25, 0.25, 160, 2.5)
    assert (known.unique_tokens, known.max_unique_tokens) == (480 + 64, 480 + 64)
    repeats = next(finding for finding in known.findings if finding.limit == "budget.max_repeats")
    assert repeats.message.startswith("640 training tokens / 544 unique tokens = 1.176 repeats <=")


def test_a_source_that_would_repeat_too_often_is_held_and_said(plan, store):
    known = counted(store, plan(*WEIGHTS, "data.mixture.max_epochs=2"), docs=16 * 200 + 1, more=16 * 4 + 1)
    assert told(known) == {"docs": (3200, 0.75, 0.8, 512, 32 / 200), "more": (64, 0.25, 0.2, 128, 2.0)}
    assert known.verdict == "warn"
    (finding,) = [finding for finding in known.findings if finding.level == "warn"]
    assert (finding.limit, finding.measured, finding.allowed) == ("data.mixture.max_epochs", 160.0, 128.0)
    assert finding.message == (
        "data.mixture.max_epochs: more at 0.250 would be 160 tokens = 2.50 epochs of its 64, but max_epochs 2 allows "
        "128: the rest is given to the other sources"
    )


def test_a_training_longer_than_the_sources_give_is_refused_with_the_steps_that_they_do(plan, store):
    known = counted(store, plan(*WEIGHTS), docs=16 * 5 + 1, more=16 * 4 + 1)
    # 4 x (5 + 4) samples = 576 tokens, 9 steps of 64
    refused = [finding for finding in known.findings if finding.level == "refuse"]
    refusal = next(finding for finding in refused if finding.limit == "data.mixture.max_epochs")
    assert refusal.message == (
        "640 training tokens > 576 that the sources give with data.mixture.max_epochs 4: would pass with "
        "training.num_steps at most 9 (576 tokens; now 10)"
    )
    assert (known.verdict, known.nearest_num_steps) == ("refuse", 9)


def test_fewer_steps_see_fewer_unique_tokens(plan, store):
    made = plan(*WEIGHTS, "data.mixture.max_epochs=64", "budget.max_repeats=1.1")
    known = counted(store, made, docs=16 * 200 + 1, more=16 * 4 + 1)
    # 640 / 544 is too often. With 5 steps 15 and 5 samples, of which `more` has 4: 320 / 304 = 1.05. With 6 of 24
    # samples from `more`: 384 / 352 = 1.09; with 7 steps 7 of 28: 448 / 400 = 1.12.
    assert known.nearest_num_steps == 6


def test_weights_that_do_not_add_up_are_said_and_a_source_without_one_is_not_counted(plan):
    made = plan("data.mixture.weights.more=0.5")
    assert warned(made) == ["data.mixture.weights", "data.mixture.weights"]
    assert made.findings[-2].message.endswith("more 0.5 = 0.5, not 1; each is divided by that")
    assert made.findings[-1].message.endswith("not named in the weights, and so not trained on: docs")
    assert made.max_unique_tokens == 496
    assert told(made)["docs"] == (10_000, 0.0, 0.0, 0, 0.0)


def test_a_temperature_weighs_by_what_is_known(plan, store):
    known = counted(store, plan("data.mixture.temperature=2"), docs=16 * 81 + 1, more=16 * 9 + 1)
    assert told(known) == {"docs": (1296, 0.75, 0.75, 480, 30 / 81), "more": (144, 0.25, 0.25, 160, 10 / 9)}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data.mixture.weights.wiki=1", "data.mixture.weights.wiki: no such source; there are docs, more"),
        ("data.mixture.max_epochs=2", "data.mixture: expected either weights or a temperature"),
        ("data.mixture.weights.docs=-1", "data.mixture: weights.docs: found -1.0, expected a share of at least 0"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused_in_the_run_file(plan, override, said):
    with pytest.raises(RunFileError, match=said):
        plan(override)


def test_weights_touch_the_training_alone_and_a_mixture_the_shards(plan):
    plain, mixed = plan(), plan(*WEIGHTS)
    other = plan("data.mixture.temperature=2")

    def named(made):
        return {step.kind: step.fingerprint for step in made.steps}

    def changed(one, two):
        return {kind for kind in named(one) if named(one)[kind] != named(two)[kind]}

    assert changed(mixed, other) == {"pretrain", "evaluate", "export"}
    assert changed(plain, mixed) == {"shards", "pretrain", "evaluate", "export"}


def test_the_plan_says_it_to_people_and_survives_being_written_down(plan, capsys):
    made = plan(*WEIGHTS)
    assert Plan.from_json(json.loads(json.dumps(made.to_json()))) == made
    print_plan(made)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "docs at most 10,000 0.7500 0.7500 480 at least 0.048" in lines
    assert "more at most 496 0.2500 0.2500 160 at least 0.32" in lines


def test_likely_tokens_of_all_sources_are_no_more_than_those_that_are_taken_at_most():
    numbers = MixtureNumbers(MixtureConfig(weights={"small": 1.0}), {"small": 10, "large": 4000}, AT_MOST, 16)
    seen = numbers.seen(UniqueTokens(at_most=64_160, likely=50_000), training_tokens=160)
    assert seen == UniqueTokens(at_most=160, likely=160)
    assert numbers.seen(UniqueTokens(at_most=64_160), training_tokens=160) == UniqueTokens(at_most=160)
