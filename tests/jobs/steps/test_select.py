"""The steps up to `corpus` on pages that lists and rules about personal data name, in this process."""

import io
import json
from typing import Any

import pytest

from jobs.run import do_step
from seedbed.artifact import Artifact
from seedbed.errors import SourceError
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here

RUN = """\
name: lists
data:
  sources: {docs: {path: crawl}}
  removals: {path: removals.txt}
  annotate: {offensive_words: {lists: {en: [words.txt]}}}
  select:
    url: {blocked_domains: [domains.txt]}
    personal_data: {max_cards: 0}
    offensive_words: {max_words: 1}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""

PLAIN = "The server reads its configuration and then answers every request that it understands, one after another. "
PAGES = [
    ("https://x.example/kept", PLAIN + "Write to joe@x.example or from 91.198.174.192."),
    ("https://x.example/asked?utm_source=mail", PLAIN + "Somebody asked for this page to go."),
    ("https://www.bad.example/", PLAIN + "A page of a domain that is blocked."),
    ("https://x.example/card", PLAIN + "Pay with 4111 1111 1111 1111."),
    ("https://x.example/rude", PLAIN + "You silly goose, you silly goose."),
    ("http://8.138.4.1/", PLAIN + "A page without a name."),
]


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "crawl").mkdir()
    lines = [json.dumps({"url": url, "text": text}) for url, text in PAGES]
    (tmp_path / "crawl" / "pages.jsonl").write_text("\n".join(lines))
    (tmp_path / "removals.txt").write_text("http://x.example/asked\n")
    (tmp_path / "domains.txt").write_text("bad.example\n")
    (tmp_path / "words.txt").write_text("silly goose\n")
    (tmp_path / "run.yaml").write_text(RUN)
    return tmp_path / "run.yaml"


def carried_out(run_file, until: str) -> dict[str, Artifact]:
    """The artifacts of the run's steps up to this one."""
    store, state = Store(str(run_file.parent / "store")), StateDirectory(run_file.parent / "state")
    plan = make_plan(load_run(run_file), store)
    artifacts: dict[str, Artifact] = {}
    for step in plan.steps:
        do_step(step, plan, store, state, Progress(io.StringIO()), Here())
        artifacts[step.kind] = Artifact(store, step.kind, step.fingerprint)
        if step.kind == until:
            break
    return artifacts


def reasons(artifacts: dict[str, Artifact]) -> list[Any]:
    return artifacts["select"].read_table("verdicts", "00000")["reason"].to_pylist()


def test_lists_and_rules_give_their_reasons_and_the_corpus_is_masked(run_file):
    artifacts = carried_out(run_file, "corpus")
    assert reasons(artifacts) == [
        None,
        "removed_by_url",
        "blocked_domain",
        "too_many_cards",
        "too_many_offensive_words",
        "ip_address_host",
    ]
    [text] = artifacts["corpus"].read_table("corpus", "00000")["text"].to_pylist()
    assert text.endswith("Write to |||EMAIL_ADDRESS||| or from |||IP_ADDRESS|||.")
    counts = artifacts["corpus"].committed()["counts"]
    assert {name: number for name, number in counts.items() if name.endswith("_masked")} == {
        "emails_masked": 1,
        "ip_addresses_masked": 1,
        "phones_masked": 0,
        "ibans_masked": 0,
        "cards_masked": 0,
    }


def test_the_next_run_drops_what_was_added_and_measures_nothing_anew(run_file):
    before = carried_out(run_file, "select")
    with (run_file.parent / "removals.txt").open("a") as f:
        f.write("x.example\n")
    after = carried_out(run_file, "select")
    assert after["annotate"].path == before["annotate"].path
    assert after["select"].path != before["select"].path
    assert reasons(after)[:2] == ["removed_by_domain", "removed_by_url"]


def test_a_list_that_changes_while_the_run_goes_is_no_silent_mixture(run_file, monkeypatch):
    from jobs.steps import select

    real = select.StepRun.input_shards

    def changed_meanwhile(step):
        (run_file.parent / "domains.txt").write_text("other.example\n")
        return real(step)

    artifacts = carried_out(run_file, "annotate")
    assert artifacts["annotate"].is_committed()
    plan = make_plan(load_run(run_file), artifacts["annotate"].store)
    monkeypatch.setattr(select.StepRun, "input_shards", changed_meanwhile)
    from seedbed import selection
    from seedbed.list_files import read_list

    read_list.cache_clear()
    selection._lists.cache_clear()
    with pytest.raises(SourceError, match=r"domains.txt was changed after the run was planned: plan again"):
        state = StateDirectory(run_file.parent / "state")
        do_step(plan.step("select"), plan, artifacts["annotate"].store, state, Progress(io.StringIO()), Here())
