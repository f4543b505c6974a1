import json
import random

import pyarrow as pa
import pytest

from dataprep.digest import bytes_digest, table_digest
from dataprep.document_id import file_prefix, pack
from dataprep.errors import CorruptDataError
from dataprep.schemas import CORPUS, VERDICTS
from dataprep.tally import Tally
from seedbed.artifact import (
    ROW_GROUP_ROWS,
    Artifact,
    FileEntry,
    Report,
    content_digest,
    file_entry,
    write_file,
    write_scratch,
    write_table,
)
from seedbed.errors import ConservationError, StoreError
from seedbed.store import Store

PREFIX = file_prefix("docs", "a.warc.gz")


@pytest.fixture
def artifact(store_url):
    return Artifact(Store(store_url), "select", "12ab")


@pytest.fixture
def local(tmp_path):
    return Artifact(Store(str(tmp_path)), "select", "12ab")


def ids(*numbers):
    return pa.array([pack(PREFIX, number) for number in numbers], pa.binary(16))


def verdicts(*numbers):
    size = len(numbers)
    columns = {
        "id": ids(*numbers),
        "num_bytes": range(size),
        "reason": [None if n % 2 else "too_few_words" for n in numbers],
        "value": [n / 3 for n in numbers],
        "threshold": [None] * size,
        "duplicate_of": [None] * size,
    }
    return pa.table(columns, schema=VERDICTS)


def corpus(size, text_bytes):
    """Texts that no compression makes smaller."""
    generator = random.Random(0)
    columns = {
        "id": ids(*range(size)),
        "url": [None] * size,
        "language": ["en"] * size,
        "split": ["train"] * size,
        "text": [generator.randbytes(text_bytes // 2).hex() for _ in range(size)],
    }
    return pa.table(columns, schema=CORPUS)


def test_there_is_no_artifact_without_its_manifest(artifact):
    write_table(artifact, "verdicts", "00000", verdicts(1, 2))
    write_table(artifact, "scratch/found", "00000", verdicts(1))
    assert artifact.manifest() is None
    with pytest.raises(StoreError) as refused:
        artifact.committed()
    assert str(refused.value) == (
        f"steps/select-12ab is gone from {artifact.store.url}: run the same command again to make it anew"
    )
    artifact.commit({"kind": "select", "counts": {"é": 1}})
    assert artifact.manifest() == artifact.committed() == {"kind": "select", "counts": {"é": 1}}
    # What only the step itself read is gone.
    assert sorted(artifact.store.files("steps")) == [
        "steps/select-12ab/manifest.json",
        "steps/select-12ab/verdicts/00000.parquet",
    ]


def test_a_manifest_that_is_no_json_says_what_to_do(local):
    local.store.write("steps/select-12ab/manifest.json", b'{"kind": "sel')
    with pytest.raises(StoreError) as refused:
        local.manifest()
    assert str(refused.value) == (
        "steps/select-12ab/manifest.json is not JSON (Unterminated string starting at: line 1 column 10 (char 9)): "
        "remove the folder steps/select-12ab and run again"
    )


def test_a_table_is_read_back_as_it_was_written(artifact):
    table = verdicts(0, 1, 5, 1000)
    entry = write_table(artifact, "verdicts", "00000", table)
    size = artifact.store.size("steps/select-12ab/verdicts/00000.parquet")
    assert entry == FileEntry("verdicts/00000.parquet", size, table_digest(table), 4)
    again = artifact.read_table("verdicts", "00000")
    assert again.equals(table)
    assert again.schema == VERDICTS
    assert table_digest(again) == entry.digest
    assert artifact.read_table("verdicts", "00000", ["reason", "id"]).column_names == ["reason", "id"]


def test_a_table_without_rows_is_a_table(artifact):
    entry = write_table(artifact, "verdicts", "00000", verdicts())
    assert entry.num_rows == 0
    assert artifact.read_table("verdicts", "00000").equals(verdicts())
    assert artifact.read_rows("verdicts", "00000", ids(1)).equals(verdicts())


@pytest.mark.parametrize("numbers", [(2, 1), (1, 1), (1, 3, 2)])
def test_ids_that_do_not_ascend_are_refused_and_nothing_is_written(local, numbers):
    with pytest.raises(ConservationError) as refused:
        write_table(local, "verdicts", "00000", verdicts(*numbers))
    assert str(refused.value) == "steps/select-12ab/verdicts/00000: ids stand twice or out of order"
    assert local.store.files("") == {}


def test_a_table_with_several_rows_of_an_id_is_written_when_that_is_said(artifact):
    table = verdicts(3, 1, 1)
    write_table(artifact, "matches", "00000", table, a_row_an_id=False)
    assert artifact.read_table("matches", "00000") == table


def test_scratch_is_read_by_pieces_and_whole(artifact):
    table = verdicts(3, 1, 2)  # in no order: what is handed on between phases is sorted by who wants it
    write_scratch(
        artifact, "bands", "00000", table.schema, iter([table.slice(0, 1), table.slice(0, 0), table.slice(1)])
    )
    with artifact.open_scratch("bands", "00000") as file:
        assert [piece.num_rows for piece in file.some(0, 3)] == [1, 0, 2]
        assert file.read(2) == table.slice(1)
    assert artifact.read_scratch("bands", "00000") == table


def test_what_an_older_seedbed_had_begun_is_begun_anew(local, monkeypatch):
    table = verdicts(1, 2)
    write_scratch(local, "bands", "00000", table.schema, [table])
    write_table(local, "verdicts", "00000", table)
    local.store.write(f"{local.path}/units/bands-00000.json", b"{}")
    assert local.begin() and local.finished_units("bands") == set()
    left = [f"{local.path}/scratch/layout", f"{local.path}/verdicts/00000.parquet"]
    assert list(local.store.files(local.path)) == left
    write_scratch(local, "bands", "00000", table.schema, [table])
    local.store.write(f"{local.path}/units/bands-00000.json", b"{}")
    assert not local.begin() and local.finished_units("bands") == {"00000"}
    monkeypatch.setattr("seedbed.artifact.SCRATCH_LAYOUT", b"next")
    assert local.begin() and local.finished_units("bands") == set()


def test_units_that_an_older_seedbed_has_done_without_scratch_stay(local):
    local.store.write(f"{local.path}/units/map-00000.json", b"{}")
    assert not local.begin() and local.finished_units("map") == {"00000"}


def test_scratch_that_is_damaged_or_gone_says_where_and_what_to_do(local):
    table = verdicts(1, 2)
    write_scratch(local, "bands", "00000", table.schema, [table])
    path = f"{local.path}/scratch/bands/00000.pieces"
    data = local.store.read(path)
    local.store.write(path, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(CorruptDataError, match=f"{path}: piece 0 does not match its checksum; remove the folder"):
        local.read_scratch("bands", "00000")
    with pytest.raises(StoreError, match=r"00001.pieces: No such file or directory; .*remove the folder"):
        local.read_scratch("bands", "00001")


def test_a_file_that_is_no_table_is_written_and_known(artifact):
    entry = write_file(artifact, "languages/00000.json", b"{}")
    assert entry == FileEntry("languages/00000.json", 2, bytes_digest(b"{}"))
    assert file_entry(artifact, "languages/00000.json") == entry
    assert file_entry(artifact, "languages/00000.json", volatile=True).volatile


def test_a_part_that_is_not_there_is_told(local):
    for read in (local.read_table, lambda *part: local.read_rows(*part, ids(1))):
        with pytest.raises(StoreError) as refused:
            read("verdicts", "00000")
        assert "steps/select-12ab/verdicts/00000.parquet: No such file or directory" in str(refused.value)
        assert str(refused.value).endswith("; remove the folder steps/select-12ab and run again")


def damage(local, table, change):
    """Changes the bytes of a part as a disk would."""
    path = local.store.local_path(f"{local.path}/{table}/00000.parquet")
    path.write_bytes(bytes(change(bytearray(path.read_bytes()))))


def test_a_flipped_bit_never_gives_other_values(local):
    table = verdicts(*range(5))
    write_table(local, "verdicts", "00000", table)
    path = local.store.local_path("steps/select-12ab/verdicts/00000.parquet")
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    noticed = 0
    for at in range(footer):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert local.read_table("verdicts", "00000").equals(table)  # a bit that says nothing of the values
        except CorruptDataError as error:
            noticed += 1
            assert str(error).startswith("steps/select-12ab/verdicts/00000.parquet: ")
            assert str(error).endswith("; remove the folder steps/select-12ab and run again")
    assert noticed > footer / 2


def test_a_part_that_was_cut_short_is_noticed(local):
    write_table(local, "verdicts", "00000", verdicts(*range(5)))
    damage(local, "verdicts", lambda raw: raw[: len(raw) // 2])
    for read in (local.read_table, lambda *part: local.read_rows(*part, ids(1))):
        with pytest.raises(CorruptDataError):
            read("verdicts", "00000")


def test_rows_in_turn_are_those_of_each_row_group_that_has_some(artifact):
    table = corpus(3 * ROW_GROUP_ROWS, 8)
    write_table(artifact, "corpus", "00000", table)
    at = [5, ROW_GROUP_ROWS - 1, 2 * ROW_GROUP_ROWS]
    found = list(artifact.read_rows_in_turn("corpus", "00000", ids(*at, 10**6), ["id", "text"]))
    expected = table.select(["id", "text"]).take(at)
    assert found == [expected.slice(0, 2), expected.slice(2)]
    assert list(artifact.read_rows_in_turn("corpus", "00000", ids(10**6))) == []


def test_rows_are_found_by_their_ids(artifact):
    table = corpus(3 * ROW_GROUP_ROWS, 8)
    write_table(artifact, "corpus", "00000", table)
    wanted = [3000, 5, 4, 99_999]  # the last one is nowhere
    found = artifact.read_rows("corpus", "00000", ids(*wanted), ["id", "text"])
    assert found.equals(table.take([4, 5, 3000]).select(["id", "text"]))
    assert artifact.read_rows("corpus", "00000", ids()).num_rows == 0


def test_of_a_table_only_the_row_groups_that_hold_a_wanted_row_are_read(local):
    write_table(local, "corpus", "00000", corpus(3 * ROW_GROUP_ROWS, 8))
    with local.open_parquet("corpus", "00000") as file:
        assert file.num_row_groups == 3
        texts = file.metadata.row_group(1).column(4)
    # The second group's texts are damaged: who needs none of them does not notice.
    middle = texts.data_page_offset + texts.total_compressed_size // 2

    def flip(raw):
        raw[middle] ^= 1
        return raw

    damage(local, "corpus", flip)
    ends = ids(0, ROW_GROUP_ROWS - 1, 2 * ROW_GROUP_ROWS, 3 * ROW_GROUP_ROWS - 1)
    assert local.read_rows("corpus", "00000", ends).num_rows == 4
    with pytest.raises(CorruptDataError):
        local.read_rows("corpus", "00000", ids(ROW_GROUP_ROWS))


@pytest.mark.slow
def test_of_an_object_only_what_the_wanted_rows_need_is_fetched(s3_url, monkeypatch):
    import s3fs.core

    fetched = []
    fetch = s3fs.core._fetch_range

    def counted(*arguments, **options):
        data = fetch(*arguments, **options)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(s3fs.core, "_fetch_range", counted)
    artifact = Artifact(Store(s3_url), "corpus", "1")
    entry = write_table(artifact, "corpus", "00000", corpus(8 * ROW_GROUP_ROWS, 2000))
    assert entry.num_bytes > 8 << 20
    assert artifact.read_rows("corpus", "00000", ids(5 * ROW_GROUP_ROWS)).num_rows == 1
    assert sum(fetched) < entry.num_bytes / 2


IN, OUT = Tally(10, 100, 1000), Tally(7, 60, 600)


def test_a_report_whose_sums_hold_passes():
    dropped = {"too_few_words": Tally(2, 30, 200), "empty": Tally(1, 10, 100)}
    Report(IN, OUT, dropped, bytes_cut=120, bytes_added=20).check_conservation("clean")
    Report().check_conservation("clean")


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (
            Report(IN, OUT, {"empty": Tally(2, 40, 400)}),
            "select map 00000: 10 records in, but 7 out and 2 dropped",
        ),
        (
            Report(IN, OUT, {"empty": Tally(3, 41, 400)}),
            "select map 00000: the ids that went in are not the ids that came out or were dropped",
        ),
        (
            Report(IN, OUT, {"empty": Tally(3, 40, 200)}, bytes_cut=150, bytes_added=1_000_000),
            "select map 00000: 1,000 bytes of text in and 1,000,000 added, but 600 kept, 150 cut and 200 dropped",
        ),
    ],
)
def test_a_report_whose_sums_do_not_hold_says_which(report, says):
    with pytest.raises(ConservationError) as refused:
        report.check_conservation("select map 00000")
    assert str(refused.value) == says


def test_reports_add_up():
    one = Report(IN, OUT, {"empty": Tally(3, 40, 300)}, 50, 1, {"pairs": 1}, [FileEntry("a", 1, "d")], 1.5)
    other = Report(IN, IN, {"empty": Tally(1, 2, 3), "copy": Tally(4, 5, 6)}, 5, 2, {"groups": 2}, [], 0.25)
    assert one + other == Report(
        Tally(20, 200, 2000),
        Tally(17, 160, 1600),
        {"copy": Tally(4, 5, 6), "empty": Tally(4, 42, 303)},
        55,
        3,
        {"groups": 2, "pairs": 1},
        [FileEntry("a", 1, "d")],
        1.75,
    )


def test_a_report_survives_being_written_down(artifact):
    report = Report(
        Tally(10, 2**64 - 1, 2**60), OUT, {"empty": IN}, 1, 2, {"pairs": 3}, [FileEntry("a", 1, "d", 2, True)], 0.125
    )
    assert artifact.report("map", "00000") is None
    artifact.store.write("steps/select-12ab/units/map-00000.json", json.dumps(report.to_json()).encode())
    assert artifact.report("map", "00000") == report
    assert artifact.report("map", "00001") is None
    assert artifact.report("bands", "00000") is None


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[1]", b'{"tally_in": 5}'])
def test_a_damaged_report_is_told(local, damaged):
    local.store.write("steps/select-12ab/units/map-00000.json", damaged)
    with pytest.raises(CorruptDataError) as refused:
        local.report("map", "00000")
    assert str(refused.value).startswith("steps/select-12ab/units/map-00000.json is damaged (")
    assert str(refused.value).endswith("): remove the folder steps/select-12ab and run again")


def test_the_digest_of_an_artifact_is_over_paths_and_contents_in_any_order():
    one, other = FileEntry("a/0", 10, "d0", 1), FileEntry("a/1", 20, "d1", 2)
    digest = content_digest([one, other])
    assert len(digest) == 32
    assert content_digest([other, one]) == digest
    # The same content in other Parquet has another size.
    assert content_digest([FileEntry("a/0", 11, "d0", 1), other]) == digest
    assert content_digest([one, other, FileEntry("metrics.jsonl", 5, "d2", volatile=True)]) == digest
    assert content_digest([FileEntry("a/1", 10, "d0"), FileEntry("a/0", 20, "d1")]) != digest
    assert content_digest([one]) != digest
