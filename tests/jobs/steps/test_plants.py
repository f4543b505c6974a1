"""Plants through the whole step: what they tell, that they can tell of faults, and that they leave nothing behind."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataprep.errors import DataError
from jobs.run import do_step
from jobs.steps import deduplicate, plants
from seedbed.artifact import Artifact
from seedbed.errors import ConservationError
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.this_process import Here

RUN = """\
name: planted
data:
  sources: {pages: {path: pages}}
  decontaminate: {sets: {exam: {path: exam.jsonl, fields: [text]}}}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
"""
KINDS = ("extract", "clean", "annotate", "select", "deduplicate", "decontaminate", "corpus")
NOTHING = ("data.deduplicate.plants.number=0", "data.decontaminate.plants.number=0")
ITEM = "a question that nobody has answered so far and that is asked of every model again"


def page(number: int, shift: int = 0) -> str:
    return " ".join(f"word{number}x{place}" for place in range(shift, shift + 150))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four files of 15 pages; of each file the first is like the last of the one before it, and one has an item."""
    (tmp_path / "pages").mkdir()
    for file in range(4):
        texts = [page(15 * file + n) for n in range(14)] + [page(15 * file + 15, 5)]
        texts[3] += f" {ITEM}"
        lines = [json.dumps({"url": f"https://x.example/{file}/{n}", "text": text}) for n, text in enumerate(texts)]
        (tmp_path / "pages" / f"{file}.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "exam.jsonl").write_text(json.dumps({"text": ITEM}) + "\n")
    (tmp_path / "run.yaml").write_text(RUN)
    return tmp_path


def made(folder: Path, *overrides: str, kinds: tuple[str, ...] = KINDS, store_name: str = "store") -> dict[str, Any]:
    """The manifest of each step, done in this process."""
    store, state = Store(str(folder / store_name)), StateDirectory(folder / "state")
    plan = make_plan(load_run(folder / "run.yaml", list(overrides)), store)
    for kind in kinds:
        do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), Here())
    return {kind: Artifact(store, kind, plan.step(kind).fingerprint).committed() for kind in kinds}


def test_planted_copies_are_found_and_counted_apart(folder, monkeypatch):
    done = made(folder)["deduplicate"]
    told = done["planted_copies"]
    assert told["planted"] == done["counts"]["planted"] == 60  # a copy of each document
    assert told["found"] == told["at_or_above"] > 35
    assert told["recall"] == told["precision"] == 1.0
    assert told["expected_recall"] == pytest.approx(1.0, abs=0.005)
    assert told["verified_pairs"] > told["found"]  # near copies of their originals, and those meant to be below 0.8
    assert (done["records_in"], done["records_out"], done["dropped"]) == (60, 57, {"near_duplicate": 3})
    monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", 7)
    monkeypatch.setattr(plants, "MAX_TEXT_BYTES", 4000)
    assert made(folder, store_name="many")["deduplicate"]["planted_copies"] == told


def test_planted_passages_are_found_and_counted_apart(folder):
    done = made(folder)["decontaminate"]
    of_all = done["planted_passages"]["all"]
    assert of_all["verbatim"]["planted"] + of_all["edited"]["planted"] == done["counts"]["planted"] == 57
    assert of_all["verbatim"]["found"] == of_all["verbatim"]["planted"] > 15
    assert done["planted_passages"]["sets"] == {"exam": of_all}
    # The item of four pages is no more common for the passages.
    assert done["benchmarks"]["exam"] == {"items": 1, "items_not_checkable": 0, "items_found": 1, "documents": 4}
    assert done["counts"]["common_ngrams"] == 0


def test_every_artifact_is_the_same_without_plants(folder):
    planted, without = made(folder), made(folder, *NOTHING)
    sums = ("digest", "records_in", "records_out", "bytes_in", "bytes_out", "checksum_in", "checksum_out", "dropped")
    for kind in KINDS:
        assert {key: planted[kind][key] for key in sums} == {key: without[kind][key] for key in sums}
        assert [f["path"] for f in planted[kind]["files"]] == [f["path"] for f in without[kind]["files"]]
    assert planted["deduplicate"]["fingerprint"] != without["deduplicate"]["fingerprint"]
    assert "planted_copies" not in without["deduplicate"]
    assert "planted_passages" not in without["decontaminate"]
    assert (without["deduplicate"]["counts"]["planted"], without["decontaminate"]["counts"]["planted"]) == (0, 0)


def test_nothing_of_a_plant_is_left_in_the_artifacts(folder):
    made(folder)
    left = [path for path in (folder / "store" / "steps").rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in left)
    assert not [path for path in left if "scratch" in path.parts]
    for path in left:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            assert not any("zq" in str(value) for row in table.to_pylist() for value in row.values())


def swapped(rows: pa.Table) -> pa.Table:
    """Band rows under the ids of others."""
    ids = rows["id"].combine_chunks()
    return rows.set_column(
        rows.schema.get_field_index("id"), rows.schema.field("id"), pa.concat_arrays([ids[7:], ids[:7]])
    )


@pytest.mark.parametrize("min_recall", [0.9, 0.0])
def test_bands_under_the_ids_of_other_documents_are_seen(folder, monkeypatch, min_recall):
    band_rows = deduplicate.band_rows

    def broken(survivors: pa.Table, num_partitions: int) -> tuple[pa.Table, list[int]]:
        rows, sizes = band_rows(survivors, num_partitions)
        return swapped(rows), sizes

    monkeypatch.setattr(deduplicate, "band_rows", broken)
    before = ("extract", "clean", "annotate", "select", "deduplicate")
    allowed = f"data.deduplicate.plants.min_recall={min_recall}"
    if min_recall:
        with pytest.raises(DataError, match=r"of \d+ planted copies at 0.8 and above, \d+ were found"):
            made(folder, allowed, kinds=before)
    else:
        told = made(folder, allowed, kinds=before)["deduplicate"]["planted_copies"]
        assert told["recall"] < 0.9 < 0.99 < told["expected_recall"]
        assert 0 < len(told["missed"]) <= 10
        assert not any(one["is_compared"] for one in told["missed"])


def test_a_lost_band_row_of_a_plant_is_an_error(folder, monkeypatch):
    plant_rows = plants.plant_rows

    def one_too_few(*arguments: Any) -> tuple[pa.Table, list[int]]:
        rows, sizes = plant_rows(*arguments)
        return rows, [sizes[0] - 1, *sizes[1:]]

    monkeypatch.setattr(plants, "plant_rows", one_too_few)
    with pytest.raises(ConservationError, match="plant_band_rows were written, but"):
        made(folder, kinds=("extract", "clean", "annotate", "select", "deduplicate"))


class Killed(Exception):
    pass


@pytest.mark.parametrize("function", ["bands_unit", "candidates_unit", "plants_unit"])
def test_a_run_that_was_killed_measures_the_same(folder, monkeypatch, function):
    before = ("extract", "clean", "annotate", "select", "deduplicate")
    monkeypatch.setattr(deduplicate, "SURVIVORS_PER_PARTITION", 25)
    expected = made(folder, kinds=before)["deduplicate"]
    module = plants if function == "plants_unit" else deduplicate
    unit, calls = getattr(module, function), 0

    def killed_at_the_second(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return unit(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(module, function, killed_at_the_second)
        with pytest.raises(Killed):
            made(folder, kinds=before, store_name="killed")
    again = made(folder, kinds=before, store_name="killed")["deduplicate"]
    assert (again["planted_copies"], again["digest"]) == (expected["planted_copies"], expected["digest"])
