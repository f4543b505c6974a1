"""Where `deduplicate` reads texts from, and what it sends: its results are those of `test_deduplicate`."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from dataprep import document_id
from dataprep.errors import CorruptDataError
from dataprep.schemas import ID
from jobs import shuffled
from jobs.by_shard import by_both_shards
from jobs.step_run import check_handed_on
from jobs.steps import compare, deduplicate, groups
from seedbed.artifact import Artifact, Report
from seedbed.errors import ConservationError
from tests.jobs.steps.merging import merge_all
from tests.jobs.steps.test_deduplicate import made, sources, verdicts

NO_PLANTS = "data.deduplicate.plants.number=0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources(tmp_path)
    return tmp_path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many partitions of a few documents each."""
    monkeypatch.setattr(compare, "PARTITION_TEXT_BYTES", 6000)


def counted(artifact: Artifact, phase: str) -> Counter[str]:
    """The sums of a phase's units."""
    total: Counter[str] = Counter()
    for unit in artifact.finished_units(phase):
        total.update(artifact.report(phase, unit).counts)
    return total


def test_a_pair_of_two_shards_is_handed_to_both_and_one_of_one_shard_once():
    prefixes = {name: document_id.file_prefix("s", name).hex() for name in "ab"}
    a, b = ([document_id.pack(bytes.fromhex(prefixes[name]), n) for n in range(2)] for name in "ab")
    pairs = pa.table({"low": pa.array([a[0], b[0], a[1]], ID), "high": pa.array([b[0], b[1], a[0]], ID)})
    rows, sizes = by_both_shards(pairs, prefixes)
    assert sizes == [2, 2]
    assert rows["low"].to_pylist() == [a[0], a[1], b[0], a[0]]


def test_a_shard_reads_its_own_documents_alone_and_each_row_group_once(folder, small, monkeypatch):
    monkeypatch.setattr("seedbed.artifact.ROW_GROUP_ROWS", 1)
    read: Counter[tuple[str, str]] = Counter()
    real = Artifact.read_rows_in_turn

    def counting(artifact, table, unit, ids, columns=None):
        for rows in real(artifact, table, unit, ids, columns):
            read[unit, rows["id"][0].as_py()] += 1
            yield rows

    monkeypatch.setattr(Artifact, "read_rows_in_turn", counting)
    unit = compare.texts_unit

    def texts_unit(one, *arguments, **more):
        before = Counter(read)
        report = unit(one, *arguments, **more)
        assert {shard for shard, _ in read - before} <= {one.name}
        assert set((read - before).values()) <= {1}
        return report

    monkeypatch.setattr(compare, "texts_unit", texts_unit)
    artifact = made(folder, NO_PLANTS)
    # 9 pages of the chain, 3 copies of page 2 and 2 of page 5 are candidates: 14 of 16 documents.
    assert len(read) == 14
    assert counted(artifact, "gather")["pairs"] == artifact.committed()["counts"]["candidate_pairs"]


def test_a_text_is_sent_once_to_a_partition_and_texts_that_many_pairs_want_go_to_few(folder, small):
    artifact = made(folder, NO_PLANTS)
    gathered, sent, compared = (counted(artifact, phase) for phase in ("gather", "texts", "verify"))
    assert sent == {"pairs": gathered["pairs"], "texts": compared["texts"]}
    assert len(artifact.finished_units("verify")) == gathered["text_bytes"] // 6000 + 1 > 2
    # 14 documents in some 40 pairs: were each sent for each pair, it would be 80 texts.
    assert 14 <= sent["texts"] < sent["pairs"]


def test_no_text_is_left_in_scratch_when_a_later_phase_breaks_off(folder, small, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("broken off")

    monkeypatch.setattr(groups, "groups_unit", broken)
    with pytest.raises(RuntimeError, match="broken off"):
        made(folder, NO_PLANTS)
    scratch = {path.name for path in (folder / "store").glob("steps/deduplicate-*/scratch/*")}
    assert {"members", "compared"} <= scratch
    assert not [name for name in scratch if "texts" in name]


def test_partitions_that_do_not_fit_into_memory_are_read_again(folder, small, monkeypatch):
    expected = verdicts(made(folder, NO_PLANTS))
    monkeypatch.setattr(compare, "MAX_TEXT_BYTES", 5000)
    again = 0
    real = compare._read_texts

    def counting(*arguments):
        nonlocal again
        again += 1
        return real(*arguments)

    monkeypatch.setattr(compare, "_read_texts", counting)
    assert verdicts(made(folder, NO_PLANTS, store_name="again")) == expected
    assert again > 0


@pytest.mark.parametrize("unit_bytes", [1, 3000, 1 << 30])
def test_pieces_that_are_merged_are_compared_alike(folder, small, monkeypatch, unit_bytes):
    """One unit for everything, some, and as many as there can be."""
    expected = verdicts(made(folder, NO_PLANTS))
    tables = merge_all(monkeypatch, unit_bytes)
    merged = made(folder, NO_PLANTS, store_name="merged")
    assert verdicts(merged) == expected
    sent, compared = counted(merged, "texts"), counted(merged, "verify")
    assert sent == {name: compared[name] for name in ("pairs", "texts")}
    assert counted(merged, "texts_4_merge")["rows"] == sent["texts"]
    assert counted(merged, "texts_pairs_4_merge")["rows"] == sent["pairs"]
    for names in (deduplicate.CANDIDATES, groups.FAR):
        assert {names.pairs, names.texts, f"{names.texts}_pairs", names.verified} <= {table for _, table in tables}
    num_units = len(merged.finished_units("texts_4_merge"))
    assert (num_units == 1) if unit_bytes > 1 << 20 else (num_units > 2)


def test_with_merged_pieces_killed_anywhere_it_goes_on_and_no_text_is_left(folder, small, monkeypatch):
    expected = verdicts(made(folder, NO_PLANTS))
    merge_all(monkeypatch, unit_bytes=3000)
    whole = made(folder, NO_PLANTS, store_name="whole")
    num_merges = sum(path.name.count("_merge-") for path in (folder / "whole" / whole.path / "units").iterdir())
    assert num_merges > 12  # of as many tables
    killed_in = [(shuffled, "merge_unit", number) for number in (1, num_merges // 3, num_merges // 2, num_merges)]
    for module, name, stop_at in [*killed_in, (compare, "verify_unit", 3), (groups, "groups_unit", 1)]:
        whole, calls, store_name = getattr(module, name), 0, f"{name}-{stop_at}"

        def killed(*arguments, whole=whole, stop_at=stop_at, **more):
            nonlocal calls
            calls += 1
            if calls == stop_at:
                raise KeyboardInterrupt
            return whole(*arguments, **more)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(module, name, killed)
            made(folder, NO_PLANTS, store_name=store_name)
        assert verdicts(made(folder, NO_PLANTS, store_name=store_name)) == expected

    def broken(*_, **__):
        raise RuntimeError("broken off")

    monkeypatch.setattr(groups, "groups_unit", broken)
    with pytest.raises(RuntimeError, match="broken off"):
        made(folder, NO_PLANTS, store_name="broken")
    scratch = {path.name for path in (folder / "broken").glob("steps/deduplicate-*/scratch/*")}
    assert any(name.startswith("compared_") for name in scratch) and not [name for name in scratch if "texts" in name]


def test_a_text_that_changes_on_its_way_is_found(folder, small, monkeypatch):
    cut = compare._cut

    def broken(texts, rows, sizes):
        for part in cut(texts, rows, sizes):
            yield part.set_column(3, part.schema.field("text"), pa.array(["x"] * part.num_rows, pa.large_string()))

    monkeypatch.setattr(compare, "_cut", broken)
    with pytest.raises(CorruptDataError, match="its surviving text has the XXH3-128"):
        made(folder, NO_PLANTS)


def test_rows_that_are_lost_between_phases_are_told_with_both_numbers():
    with pytest.raises(ConservationError, match=r"deduplicate: 1,234 texts were written, but 1 were read"):
        check_handed_on("deduplicate", "texts", Report(counts={"texts": 1234}), Report(counts={"texts": 1}))
