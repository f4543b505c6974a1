"""`deduplicate` and what follows, in this process: copies first, then caps per domain."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pytest

from dataprep.domain_cap import TOO_MANY_DOCUMENTS
from jobs.run import do_step
from jobs.steps import deduplicate
from seedbed.artifact import Artifact
from seedbed.balance import balance
from seedbed.errors import ConservationError
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.sources import list_sources
from seedbed.state import StateDirectory
from seedbed.steps import fingerprint_steps
from seedbed.store import Store
from tests.jobs.steps.lost_rows import lose_the_first_row
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.this_process import Here

RUN = """\
name: capped
data:
  sources: {docs: {path: crawl}}
CAP
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
"""
CAP = "  domain_cap: {max_documents: 3}"
WORDS = ("server", "reads", "configuration", "answers", "every", "request", "that", "it", "understands", "again")


def page(number: int) -> str:
    """Pages of different numbers share no five words."""
    return " ".join(f"{word}{number}" for word in WORDS)


BIG = [(f"https://{'ab'[n % 2]}.big.example.com/{n}", page(n)) for n in range(8)]
COPIES = [(f"https://copy.big.example.com/{n}", page(n % 2)) for n in range(4)]
SMALL = [(f"https://small.example.org/{n}", page(100 + n)) for n in range(3)] + [(None, page(200)), (None, page(201))]


def carried_out(folder: Path, files: dict[str, list[tuple[str | None, str]]], cap: str = CAP, until: str = "ledger"):
    """The store, the plan and the artifacts of the run's steps up to this one."""
    (folder / "crawl").mkdir(parents=True, exist_ok=True)
    for name, pages in files.items():
        (folder / "crawl" / name).write_text("\n".join(json.dumps({"url": u, "text": t}) for u, t in pages))
    (folder / "run.yaml").write_text(RUN.replace("CAP\n", f"{cap}\n" if cap else ""))
    store, state = Store(str(folder / "store")), StateDirectory(folder / "state")
    plan = make_plan(load_run(folder / "run.yaml"), store)
    artifacts: dict[str, Artifact] = {}
    for step in plan.steps:
        if step.kind in ("tokenizer", "shards"):
            continue  # the ledger does not want them
        do_step(step, plan, store, state, Progress(io.StringIO()), Here())
        artifacts[step.kind] = Artifact(store, step.kind, step.fingerprint)
        if step.kind == until:
            break
    return store, plan, artifacts


TWO_FILES = {"a.jsonl": BIG[:5] + SMALL[:2], "b.jsonl": COPIES + BIG[5:] + SMALL[2:]}


def test_a_domain_is_capped_after_its_copies_are_gone(tmp_path):
    store, plan, artifacts = carried_out(tmp_path, TWO_FILES)
    manifest = artifacts["deduplicate"].committed()
    # 4 copies of 2 pages go as copies; of the 8 pages that are left of the domain 3 stay. Nobody else is over 3, and
    # pages without a URL are of no domain.
    dropped = manifest["dropped"]
    assert sum(n for reason, n in dropped.items() if reason != TOO_MANY_DOCUMENTS) == 4
    assert dropped[TOO_MANY_DOCUMENTS] == 5
    assert (manifest["records_in"], manifest["records_out"]) == (17, 8)
    counts = manifest["counts"]
    assert {name: counts[name] for name in ("domain_rows", "no_domain", "domains", "over_domain_cap", "losers")} == {
        "domain_rows": 11,
        "no_domain": 2,
        "domains": 2,
        "over_domain_cap": 5,
        "losers": 4,
    }
    ledger = pa.concat_tables([artifacts["ledger"].read_table("ledger", unit) for unit in ("00000", "00001")])
    capped = [row for row in ledger.to_pylist() if row["reason"] == TOO_MANY_DOCUMENTS]
    assert len(capped) == 5
    assert {(row["step"], row["outcome"], row["value"], row["threshold"]) for row in capped} == {
        ("deduplicate", "dropped", 4.0, 3.0)
    }
    assert all(row["duplicate_of"] is None and "big.example.com" in row["url"] for row in capped)
    taken = balance(store, plan).taken["domain"][TOO_MANY_DOCUMENTS]
    assert sum(taken.values()) == 5
    assert all(host.endswith(".big.example.com") for host in taken)


def kept_pages(artifacts: dict[str, Artifact]) -> set[str]:
    shards = artifacts["corpus"].committed()["input_shards"]
    return {
        url for shard in shards for url in artifacts["corpus"].read_table("corpus", shard["unit"])["url"].to_pylist()
    }


def test_more_partitions_and_more_shards_decide_the_same(tmp_path, monkeypatch):
    _, _, expected = carried_out(tmp_path / "one", TWO_FILES, until="corpus")
    monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", 4)
    for place in ("many", "merged"):
        merged = merge_all(monkeypatch, unit_bytes=64) if place == "merged" else set()
        _, _, found = carried_out(tmp_path / place, TWO_FILES, until="corpus")
        assert found["deduplicate"].committed()["digest"] == expected["deduplicate"].committed()["digest"]
    assert {("deduplicate", "domains"), ("deduplicate", "capped")} <= merged
    more = TWO_FILES | {"c.jsonl": [("https://third.example.net/", page(300))]}
    _, _, beside = carried_out(tmp_path / "more", more, until="corpus")
    assert kept_pages(beside) == kept_pages(expected) | {"https://third.example.net/"}


def test_without_a_cap_nothing_of_it_is_done_and_the_step_is_named_as_before(tmp_path):
    _, plan, artifacts = carried_out(tmp_path, TWO_FILES, cap="", until="deduplicate")
    manifest = artifacts["deduplicate"].committed()
    assert manifest["records_out"] == 13
    assert "over_domain_cap" not in manifest["counts"]
    step = plan.step("deduplicate")
    assert set(step.config) == {"deduplicate", "split"}
    assert step.software == {}
    (tmp_path / "run.yaml").write_text(RUN.replace("CAP", CAP))
    run = load_run(tmp_path / "run.yaml")
    capped = {one.kind: one for one in fingerprint_steps(run, list_sources(run.data))}
    assert capped["select"].fingerprint == plan.step("select").fingerprint
    assert capped["deduplicate"].fingerprint != step.fingerprint
    assert "tldextract" in capped["deduplicate"].software  # the Public Suffix List comes with it


def test_a_document_that_is_lost_between_two_phases_fails_the_step(tmp_path, monkeypatch):
    lose_the_first_row(monkeypatch, "capped")
    with pytest.raises(ConservationError, match="deduplicate: 5 over_domain_cap were written, but 3 were read"):
        carried_out(tmp_path, TWO_FILES, until="deduplicate")
