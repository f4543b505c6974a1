import io
from dataclasses import dataclass, field
from types import SimpleNamespace

import pyarrow as pa
import pytest

from dataprep.document_id import file_prefix, pack
from dataprep.tally import Tally, tally
from jobs.executor import InlineExecutor
from jobs.step_run import StepRun, total
from jobs.unit import Unit, UnitTask
from seedbed.artifact import Artifact, FileEntry, Report
from seedbed.errors import ConservationError, StoreError
from seedbed.progress import Progress
from seedbed.state import StateDirectory
from seedbed.store import Store

A, B = file_prefix("docs", "a.jsonl"), file_prefix("docs", "b.jsonl")
SHARDS = [
    {"unit": "00000", "source": "docs", "path": "a.jsonl", "prefix": A.hex()},
    {"unit": "00001", "source": "docs", "path": "b.jsonl", "prefix": B.hex()},
]


def rows(prefix, *numbers):
    ids = [pack(prefix, number) for number in numbers]
    return pa.table({"id": pa.array(ids, pa.binary(16)), "num_bytes": pa.array([10] * len(numbers), pa.int64())})


def three_records(unit: Unit) -> Report:
    """A first step: each shard holds three records."""
    table = rows(A if unit.name == "00000" else B, 0, 1, 2)
    unit.write("things", table)
    counted = tally(table, "num_bytes")
    return Report(counted, counted, counts={"read": 3})


def drop_the_first(unit: Unit, say: str = "") -> Report:
    """A second step: of each shard it drops one record."""
    if unit.name == say:
        raise StoreError("the disk is full")
    table = unit.read("extract", "things")
    unit.write("kept", table.slice(1))
    unit.write_scratch("dropped", table.slice(0, 1))
    unit.write_file(f"notes/{unit.name}.json", b'{"dropped": 1}')
    return Report(
        tally(table, "num_bytes"),
        tally(table.slice(1), "num_bytes"),
        {"first": tally(table.slice(0, 1), "num_bytes")},
        counts={"looked_at": 3},
    )


def lose_one(unit: Unit) -> Report:
    table = unit.read("extract", "things")
    return Report(tally(table, "num_bytes"), tally(table.slice(1), "num_bytes"))


def config_of(unit: Unit) -> Report:
    return Report(counts=unit.config)


@dataclass
class Here:
    """A cluster that is this process; it remembers what it was given."""

    given: list[UnitTask] = field(default_factory=list)

    def start(self):
        pass

    def executor(self):
        return self

    def run(self, tasks, on_done, stop_requested):
        self.given += tasks
        InlineExecutor().run(tasks, on_done)


class Nowhere:
    """A cluster that must not be needed."""

    def start(self):
        raise AssertionError("started")

    executor = start


@pytest.fixture
def step(store_url, tmp_path):
    """Makes the driver's side of a step in a store with one or two steps."""
    store = Store(store_url)

    def make(kind="select", config=None, cluster=None, parents=("extract",)):
        return StepRun(
            artifact=Artifact(store, kind, "12ab"),
            version=3,
            parents={parent: Artifact(store, parent, "12ab") for parent in parents},
            config=config or {},
            software={"numpy": "2.4"},
            state=StateDirectory(tmp_path / "state"),
            cluster=cluster or Here(),
            progress=Progress(io.StringIO()),
            plan=SimpleNamespace(run_id="tiny-1"),
        )

    first = make("extract", parents=())
    first.commit(total(first.map(f"{__name__}:three_records", ["00000", "00001"])), input_shards=SHARDS)
    return make


DROP = f"{__name__}:drop_the_first"
UNITS = ["00000", "00001"]


def test_a_step_is_its_units_and_their_sums(step):
    run = step(config={"threshold": 1})
    assert run.input_shards() == {"00000": A.hex(), "00001": B.hex()}
    reports = run.map(DROP, UNITS)
    assert list(reports) == UNITS
    run.check_takes_all(reports, "extract")
    run.write_file("note.json", b"[1]")
    assert run.read_json("notes/00001.json") == {"dropped": 1}
    run.commit(total(reports), languages={"en": 4})
    manifest = run.artifact.committed()
    times = {key: manifest.pop(key) for key in ("seconds", "worker_seconds", "committed_at")}
    assert times["seconds"] < 60
    files = manifest.pop("files")
    assert [entry["path"] for entry in files] == [
        "kept/00000.parquet",
        "kept/00001.parquet",
        "note.json",
        "notes/00000.json",
        "notes/00001.json",
    ]
    assert [entry["num_rows"] for entry in files] == [2, 2, None, None, None]
    both = tally(rows(A, 0, 1, 2), None).checksum + tally(rows(B, 0, 1, 2), None).checksum
    kept = tally(rows(A, 1, 2), None).checksum + tally(rows(B, 1, 2), None).checksum
    assert manifest == {
        "kind": "select",
        "version": 3,
        "fingerprint": "12ab",
        "parents": {"extract": "12ab"},
        "config": {"threshold": 1},
        "software": {"numpy": "2.4"},
        "digest": manifest["digest"],
        "records_in": 6,
        "records_out": 4,
        "dropped": {"first": 2},
        "bytes_in": 60,
        "bytes_out": 40,
        "bytes_dropped": 20,
        "bytes_cut": 0,
        "bytes_added": 0,
        "checksum_in": f"{both % 2**64:016x}",
        "checksum_out": f"{kept % 2**64:016x}",
        "counts": {"looked_at": 6},
        "made_by_run": "tiny-1",
        "input_shards": SHARDS,
        "languages": {"en": 4},
    }
    # Nothing is left of what only the step itself read.
    folder = run.artifact.store.files("steps/select-12ab")
    assert not any("/scratch/" in path for path in folder)
    assert sum("/units/" in path for path in folder) == 2


def test_what_was_done_before_is_not_done_again_and_the_content_is_the_same(step):
    undisturbed = step("select")
    undisturbed.commit(total(undisturbed.map(DROP, UNITS)))
    disturbed = step("clean")
    with pytest.raises(StoreError):
        disturbed.map(DROP, UNITS, arguments={"00001": {"say": "00001"}})
    assert disturbed.artifact.manifest() is None
    # A part without its report is of a unit that did not come to its end.
    disturbed.artifact.store.write("steps/clean-12ab/kept/00001.parquet", b"half a part")
    again = step("clean")
    reports = again.map(DROP, UNITS)
    assert [task.unit for task in again.cluster.given] == ["00001"]
    again.commit(total(reports))
    assert again.artifact.committed()["digest"] == undisturbed.artifact.committed()["digest"]
    assert again.artifact.committed()["counts"] == {"looked_at": 6}


def test_without_a_unit_to_do_no_cluster_is_started(step):
    first = step()
    reports = first.map(DROP, UNITS)
    again = step(cluster=Nowhere())
    assert {unit: report.tally_out for unit, report in again.map(DROP, UNITS).items()} == {
        unit: report.tally_out for unit, report in reports.items()
    }
    assert [entry.path for entry in again.files] == [entry.path for entry in first.files]
    assert step(cluster=Nowhere()).map(DROP, []) == {}


def test_the_units_of_one_phase_are_not_those_of_another(step):
    run = step()
    run.map(DROP, UNITS, phase="look")
    run.map(DROP, UNITS, phase="look-again")
    run.map(DROP, UNITS, phase="again")
    assert [(task.phase, task.unit) for task in run.cluster.given] == [
        ("look", "00000"),
        ("look", "00001"),
        ("look-again", "00000"),
        ("look-again", "00001"),
        ("again", "00000"),
        ("again", "00001"),
    ]


def test_a_unit_is_told_its_own_arguments_and_the_step_s_configuration(step):
    run = step(config={"threshold": 5, "files": ["as long as the crawl"]})
    (report,) = run.map(f"{__name__}:config_of", ["00000"]).values()
    assert report.counts == {"threshold": 5}
    run.map(DROP, UNITS, phase="drop", arguments={"00001": {"say": "nothing"}})
    assert [task.arguments for task in run.cluster.given] == [{}, {}, {"say": "nothing"}]


def test_a_unit_whose_sums_do_not_hold_is_not_done(step):
    run = step()
    with pytest.raises(ConservationError) as failed:
        run.map(f"{__name__}:lose_one", UNITS)
    assert str(failed.value) == "select map 00000: 3 records in, but 2 out and 0 dropped"
    assert run.artifact.report("map", "00000") is None


def test_a_step_whose_sums_do_not_hold_is_not_committed(step):
    run = step()
    with pytest.raises(ConservationError) as failed:
        run.commit(Report(Tally(3, 1, 10), Tally(2, 1, 10)))
    assert str(failed.value) == "select: 3 records in, but 2 out and 0 dropped"
    assert run.artifact.manifest() is None


def test_a_step_that_does_not_take_in_all_that_its_parent_put_out_fails(step):
    run = step()
    reports = run.map(DROP, UNITS)
    short = {"00001": Report(tally_in=Tally(2, 5, 20))}
    with pytest.raises(ConservationError) as failed:
        run.check_takes_all(reports | short, "extract")
    put_out = run.parents["extract"].report("map", "00001").tally_out
    assert str(failed.value) == (
        f"select 00001: took in Tally(records=2, checksum=5, num_bytes=20, texts=0), but extract had put out {put_out}"
    )
    with pytest.raises(ConservationError, match=r"select 00007: took in .* had put out Tally\(records=0, "):
        run.check_takes_all({"00007": reports["00000"]}, "extract")


def test_the_input_shards_come_from_the_first_parent_that_names_some(step):
    tokenizer = step("tokenizer")
    tokenizer.artifact.commit({"input_shards": []})
    assert step("shards", parents=("tokenizer", "extract")).input_shards() == {"00000": A.hex(), "00001": B.hex()}
    assert step("shards", parents=("tokenizer",)).input_shards() == {}
    with pytest.raises(StoreError, match="steps/corpus-12ab is gone"):
        step("shards", parents=("corpus",)).input_shards()


def test_a_total_adds_up_all_but_the_files():
    one = Report(Tally(1, 2, 3), Tally(1, 2, 3), counts={"a": 1}, files=[FileEntry("x", 1, "d")], seconds=1.0)
    summed = total({"00000": one, "00001": one})
    assert summed == Report(Tally(2, 4, 6), Tally(2, 4, 6), counts={"a": 2}, seconds=2.0)
    assert total({}) == Report()
    assert one.files == [FileEntry("x", 1, "d")]
