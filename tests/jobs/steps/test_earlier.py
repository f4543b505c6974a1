"""`deduplicate` against earlier corpora, with its files, held against one run over both."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataprep.errors import CorruptDataError
from jobs.run import do_step
from jobs.steps import deduplicate
from seedbed import runs
from seedbed.artifact import Artifact
from seedbed.cli.plan import print_plan
from seedbed.datasheet import known_limits
from seedbed.earlier import EarlierCorpus, check_same
from seedbed.errors import ConservationError, UsageError
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.takedown import takedown
from seedbed.why import why
from tests.jobs.steps.lost_rows import lose_the_first_row
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.this_process import Here, page

STEPS = ("extract", "clean", "annotate", "select", "deduplicate", "corpus")


TEXTS = {
    # `b` has an exact and a near copy of `a`, a chain that begins in it, and copies of its own; `c` has copies of both.
    "a": [page(1), page(2), page(3, 0), *(page(number) for number in range(100, 110))],
    "b": [page(1), page(2, 10), page(3, 10), page(3, 40), page(3, 50), page(4), page(4, 10), page(5), page(6)],
    "c": [page(2, 20), page(4), page(5, 10), page(3, 40), page(1), page(7)],
}


def made(folder: Path, name: str, sources: dict[str, int], *overrides: str, store: str = "store") -> Plan:
    """A run over these sources, by priority, as far as its corpus, done in this process and remembered."""
    lines = [f"    {source}: {{path: {source}, priority: {priority}}}" for source, priority in sources.items()]
    head = f"name: {name}\ndata:\n  sources:\n" + "\n".join(lines)
    for source in sources:
        (folder / source).mkdir(exist_ok=True)
        rows = [
            json.dumps({"url": f"https://{source}.example/{n}", "text": t}) for n, t in enumerate(TEXTS.get(source, ()))
        ]
        if not (folder / source / "x.jsonl").exists():
            (folder / source / "x.jsonl").write_text("\n".join(rows) + "\n")
    (folder / f"{name}.yaml").write_text(
        head + "\n  tokenizer: {vocab_size: 300}\n"
        "model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}\n"
        "training: {num_steps: 10, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}\n"
    )
    there, state = Store(str(folder / store)), StateDirectory(folder / "state")
    split = "data.split.validation_fraction=1e-9"  # of some tens of documents: none
    plan = make_plan(load_run(folder / f"{name}.yaml", [split, *overrides]), there)
    runs.save_plan(there, plan, "")
    attempts = [{"started_at": runs.now()}]
    runs.save(there, runs.RunRecord(plan.run_id, plan.name, runs.now(), created_ns=time.time_ns(), attempts=attempts))
    for kind in STEPS:
        do_step(plan.step(kind), plan, there, state, Progress(io.StringIO()), Here())
    return plan


def artifact(folder: Path, plan: Plan, kind: str, store: str = "store") -> Artifact:
    return Artifact(Store(str(folder / store)), kind, plan.step(kind).fingerprint)


def kept(folder: Path, plan: Plan, source: str, store: str = "store") -> set[bytes]:
    """The ids of a source's documents that the run's corpus holds."""
    found = artifact(folder, plan, "corpus", store)
    units = [shard["unit"] for shard in found.committed()["input_shards"] if shard["source"] == source]
    return {row for unit in units for row in found.read_table("corpus", unit, ["id"])["id"].to_pylist()}


def dropped(folder: Path, plan: Plan, store: str = "store") -> list[dict[str, Any]]:
    found = artifact(folder, plan, "deduplicate", store)
    units = [shard["unit"] for shard in found.committed()["input_shards"]]
    rows = [row for unit in units for row in found.read_table("verdicts", unit).to_pylist()]
    return [row for row in rows if row["reason"]]


def against(*names: str, store: str | None = None) -> str:
    where = "" if store is None else f", store: {store}"
    return "data.deduplicate.against=[" + ", ".join(f"{{run: {name}{where}}}" for name in names) + "]"


def test_what_is_kept_of_a_new_crawl_is_what_one_run_over_both_keeps_of_it(tmp_path, monkeypatch):
    for store, number in (("one", 1_000_000), ("several", 5), ("merged", 5)):  # partitions of keys
        monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", number)
        merged = merge_all(monkeypatch, unit_bytes=300) if store == "merged" else set()
        made(tmp_path, "first", {"a": 0}, store=store)
        second = made(tmp_path, "second", {"b": 0}, against("first"), store=store)
        both = made(tmp_path, "both", {"a": 2, "b": 1}, store=store)
        assert kept(tmp_path, second, "b", store) == kept(tmp_path, both, "b", store)
        # Pages 1, 2 + 10 and 3 + 10 are in `a`; 3 + 40 (156 / 236 = 0.66) is not; 3 + 50 and one of page 4 are copies.
        assert len(kept(tmp_path, second, "b", store)) == 4
        counts = artifact(tmp_path, second, "deduplicate", store).committed()["counts"]
        assert (counts["old_documents"], counts["earlier_losers"]) == (13, 3)
    assert {("deduplicate", "new_bands"), ("deduplicate", "old_pairs")} <= merged


def test_a_third_generation_is_held_against_both_before_it(tmp_path):
    made(tmp_path, "first", {"a": 0})
    made(tmp_path, "second", {"b": 0}, against("first"))
    third = made(tmp_path, "third", {"c": 0}, against("first", "second"))
    all_three = made(tmp_path, "all", {"a": 3, "b": 2, "c": 1})
    assert kept(tmp_path, third, "c") == kept(tmp_path, all_three, "c")
    assert len(kept(tmp_path, third, "c")) == 1  # page 7
    # Against the second alone what only the first has comes again: page 1, and page 2 + 20.
    assert len(kept(tmp_path, made(tmp_path, "alone", {"c": 0}, against("second")), "c")) == 3


def test_an_earlier_corpus_may_be_given_by_its_name_alone(tmp_path):
    made(tmp_path, "first", {"a": 0})
    by_name = made(tmp_path, "second", {"b": 0}, "data.deduplicate.against=[first]")
    assert (
        by_name.step("deduplicate").fingerprint
        == made(tmp_path, "second", {"b": 0}, against("first")).step("deduplicate").fingerprint
    )


def test_a_crawl_that_was_there_before_goes_as_exact_copies_of_itself(tmp_path):
    made(tmp_path, "first", {"a": 0}, store="elsewhere")
    again = made(tmp_path, "again", {"a": 0, "b": 0}, against("first", store=str(tmp_path / "elsewhere")))
    assert kept(tmp_path, again, "a") == set()
    own = [row for row in dropped(tmp_path, again) if row["duplicate_of"] == row["id"]]
    assert len(own) == len(TEXTS["a"])
    assert {row["reason"] for row in own} == {"exact_duplicate"}


def test_a_held_out_document_of_the_earlier_run_says_so(tmp_path):
    made(tmp_path, "first", {"a": 0}, "data.split.validation_fraction=0.99")
    second = made(tmp_path, "second", {"b": 0}, against("first"))
    lost = [row for row in dropped(tmp_path, second) if row["reason"] == "near_duplicate_of_heldout"]
    held = artifact(tmp_path, second, "deduplicate").read_table("earlier", "00000")
    assert len(lost) == sum(reason == "near_duplicate_of_heldout" for reason in held["reason"].to_pylist()) > 0


def test_only_row_groups_of_candidates_are_read_of_the_earlier_texts(tmp_path, monkeypatch):
    monkeypatch.setattr("seedbed.artifact.ROW_GROUP_ROWS", 1)
    first = made(tmp_path, "first", {"a": 0})
    read: list[int] = []
    old = str(tmp_path / "store" / artifact(tmp_path, first, "extract").path / "documents")
    whole = pq.ParquetFile.read_row_groups
    several = pq.ParquetFile.read

    class Watched(pq.ParquetFile):
        def __init__(self, source: Any, **options: Any) -> None:
            super().__init__(source, **options)
            self.is_old = str(source).startswith(old)

        def read_row_groups(self, groups: list[int], **options: Any) -> pa.Table:
            if self.is_old:
                read.extend(groups)
            return whole(self, groups, **options)

        def read(self, columns: list[str] | None = None, **options: Any) -> pa.Table:
            assert not self.is_old or columns == ["id"]
            return several(self, columns=columns, **options)

    monkeypatch.setattr(pq, "ParquetFile", Watched)
    second = made(tmp_path, "second", {"b": 0}, against("first"))
    # Page 1 is an exact copy and its text is not wanted: of 13 texts those of pages 2 and 3 are.
    assert set(read) == {1, 2}
    assert artifact(tmp_path, second, "deduplicate").committed()["counts"]["old_texts_read"] == 2


def test_why_names_the_run_that_has_the_document_already(tmp_path):
    first = made(tmp_path, "first", {"a": 0})
    second = made(tmp_path, "second", {"b": 0}, against("first"))
    told = why(Store(str(tmp_path / "store")), second, "https://b.example/0")
    assert (told["reason"], told["duplicate_of"]) == ("exact_duplicate", "a/x.jsonl#0")
    assert told["duplicate_of_run"] == first.run_id


def test_takedown_names_what_later_runs_dropped_as_copies_of_the_page(tmp_path):
    first = made(tmp_path, "first", {"a": 0})
    second = made(tmp_path, "second", {"b": 0}, against("first"))
    store = Store(str(tmp_path / "store"))
    told = takedown(store, [first, second], "https://a.example/1")
    copies = [{"document_id": "b/x.jsonl#1", "url": "https://b.example/1", "runs": [second.run_id]}]
    assert [one["document_id"] for one in told["documents"]] == ["a/x.jsonl#1"] and told["copies"] == copies
    assert takedown(store, [second], "https://a.example/1")["copies"] == []  # it holds nothing of the page
    assert takedown(store, [first, second], "a.example")["copies"][:2] == [
        {"document_id": f"b/x.jsonl#{n}", "url": f"https://b.example/{n}", "runs": [second.run_id]} for n in (0, 1)
    ]


def test_plan_and_datasheet_name_the_earlier_corpora(tmp_path, capsys):
    first = made(tmp_path, "first", {"a": 0})
    second = made(tmp_path, "second", {"b": 0}, against("first"))
    print_plan(second)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"against the corpora of {first.run_id}" in lines
    limits = known_limits({"balance": None, "benchmarks": None, "earlier": [first.run_id]})
    assert f"What the corpora of {first.run_id} have already is not in it." in limits


def test_the_fingerprint_changes_with_the_earlier_corpus_and_not_with_its_place(tmp_path):
    first = made(tmp_path, "first", {"a": 0})
    plans = [
        made(tmp_path, f"p{n}", {"b": 0}, option)
        for n, option in enumerate((against("first"), against(first.run_id, store=str(tmp_path / "store"))))
    ]
    assert len({plan.step("deduplicate").fingerprint for plan in plans}) == 1
    made(tmp_path, "first", {"a": 0}, "data.split.validation_fraction=0.5")
    changed = made(tmp_path, "p3", {"b": 0}, against("first"))
    assert changed.step("deduplicate").fingerprint != plans[0].step("deduplicate").fingerprint
    without = made(tmp_path, "p4", {"b": 0})
    assert "earlier" not in without.step("deduplicate").config


def test_a_corpus_that_is_not_there_or_has_other_bands_is_refused_when_planned(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"against\[0\]: no run 'first' in"):
        made(tmp_path, "second", {"b": 0}, against("first"))
    first = made(tmp_path, "first", {"a": 0})
    with pytest.raises(UsageError, match=r'minhash \{.*"seed": 1.*but this run says \{.*"seed": 5'):
        made(tmp_path, "second", {"b": 0}, against("first"), "data.annotate.minhash.seed=5")
    with monkeypatch.context() as another, pytest.raises(UsageError, match="whose words have other hashes"):
        another.setattr("seedbed.earlier.WORD_HASHES", 1)
        made(tmp_path, "second", {"b": 0}, against("first"))
    with pytest.raises(UsageError, match="own name"):
        made(tmp_path, "first", {"b": 0}, against("first"))
    manifest = tmp_path / "store" / artifact(tmp_path, first, "corpus").path / "manifest.json"
    manifest.unlink()
    with pytest.raises(UsageError, match="its corpus is not whole"):
        made(tmp_path, "second", {"b": 0}, against("first"))


def test_a_corpus_that_goes_after_the_plan_stops_the_run(tmp_path):
    first = made(tmp_path, "first", {"a": 0})
    corpus = EarlierCorpus(first.run_id, {"annotate": first.step("annotate").fingerprint}, {"annotate": "other"})
    with pytest.raises(UsageError, match="but the run was planned with other"):
        check_same(corpus, Store(str(tmp_path / "store")))


def test_chains_cannot_be_dropped_against_earlier_corpora(tmp_path):
    with pytest.raises(UsageError, match="against"):
        made(tmp_path, "second", {"b": 0}, against("first"), "data.deduplicate.chains=drop")


SAME_URL = "data.deduplicate.same_url=true"


def crawl(folder: Path, source: str, pages: list[tuple[str | None, str]]) -> None:
    """The files of a source: URL and text of each page."""
    (folder / source).mkdir()
    lines = [json.dumps({"url": url, "text": text}) for url, text in pages]
    (folder / source / "x.jsonl").write_text("\n".join(lines) + "\n")


def test_with_same_url_a_page_that_an_earlier_corpus_has_goes_whatever_it_says_by_now(tmp_path, monkeypatch):
    """`new` has three old pages again, a page of its own twice, a copy of an old text elsewhere, and a near copy of a
    text of its own that went for its URL, which is therefore no copy of anything that is there."""
    old = [(f"https://x.example/{n}", page(n)) for n in range(20)] + [(None, page(99))]
    crawl(tmp_path, "old", old)
    new = [
        ("http://X.example:80/3#top", page(203)),
        ("https://x.example/4", page(4)),
        ("https://x.example/5", page(205)),
    ]
    new += [("https://x.example/new", page(300)), ("https://x.example/new#again", page(301))]
    new += [("https://y.example/6", page(6, 10)), ("https://y.example/203", page(203, 10)), (None, page(400))]
    crawl(tmp_path, "new", new)
    for store, number in (("one", 1_000_000), ("several", 5), ("merged", 5)):  # partitions of keys
        monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", number)
        merged = merge_all(monkeypatch, unit_bytes=300) if store == "merged" else set()
        made(tmp_path, "first", {"old": 0}, store=store)
        second = made(tmp_path, "second", {"new": 0}, against("first"), SAME_URL, store=store)
        both = made(tmp_path, "both", {"old": 2, "new": 1}, SAME_URL, store=store)
        assert kept(tmp_path, second, "new", store) == kept(tmp_path, both, "new", store)
        lost = {row["id"][-1]: row["reason"] for row in dropped(tmp_path, second, store)}
        (of_new,) = lost.keys() & {3, 4}
        near = "near_duplicate"
        assert lost == dict.fromkeys((0, 1, 2, of_new), "url_duplicate") | {5: near}
        counts = artifact(tmp_path, second, "deduplicate", store).committed()["counts"]
        assert (counts["url_losers"], counts["earlier_losers"]) == (1, 4)
        told = why(Store(str(tmp_path / store)), second, "new/x.jsonl#0")
        assert (told["reason"], told["duplicate_of"]) == ("url_duplicate", "old/x.jsonl#3")
    assert {("deduplicate", table) for table in ("urls", "same_url", "earlier_url")} <= merged


@pytest.mark.parametrize(
    "table", ["urls", "old_urls", "same_url", "earlier_url", "old_bands", "new_bands", "old_pairs"]
)
def test_a_row_that_is_lost_on_its_way_is_missed(tmp_path, monkeypatch, table):
    crawl(tmp_path, "old", [(f"https://x.example/{n}", page(n)) for n in range(4)])
    again = [("https://x.example/0", page(100)), ("https://x.example/1", page(101))]
    own = [("https://x.example/new", page(200)), ("https://x.example/new", page(201))]
    crawl(tmp_path, "new", [*again, *own, ("https://y.example/2", page(2, 10)), ("https://y.example/3", page(3, 10))])
    made(tmp_path, "first", {"old": 0})
    lose_the_first_row(monkeypatch, table)
    with pytest.raises((ConservationError, CorruptDataError)):
        made(tmp_path, "second", {"new": 0}, against("first"), SAME_URL)


def test_of_two_earlier_corpora_with_one_address_the_first_is_named(tmp_path):
    for source, text in (("a1", 1), ("a2", 2), ("a3", 3)):
        crawl(tmp_path, source, [("https://x.example/", page(text)), (f"https://{source}.example/", page(text + 10))])
    made(tmp_path, "first", {"a1": 0})
    second = made(tmp_path, "second", {"a2": 0})
    third = made(tmp_path, "third", {"a3": 0}, against("second", "first"), SAME_URL)
    (lost,) = dropped(tmp_path, third)
    told = why(Store(str(tmp_path / "store")), third, lost["id"].hex())
    assert (told["reason"], told["duplicate_of_run"]) == ("url_duplicate", second.run_id)
