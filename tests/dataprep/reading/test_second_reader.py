"""Other people's files, held against warcio: every record that it finds is found, with the same body."""

import io
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from dataprep.reading.formats import ReaderConfig, read_records

CORPORA = next(
    (p / "shared/corpora" for p in Path(__file__).parents if (p / "shared/corpora").is_dir()), Path("shared")
)
SAMPLES = CORPORA / "warc_samples"
REFUSED_BY_WARCIO = "warcio-example-bad-non-chunked.warc.gz"  # several records a member
WRONG_LENGTHS = "warcio-bad.arc"  # -1 and `abc`, which warcio takes for 0
CUT_BODY = "warcio-example-trunc.warc"  # the gzip data within ends early: told here, given as far as it goes there


def warcio_bodies(data: bytes) -> list[tuple[str, str | None, bytes]]:
    found = []
    for record in ArchiveIterator(io.BytesIO(data), arc2warc=True):
        kind = record.rec_type
        body = record.content_stream().read() if kind in ("response", "resource", "conversion") else b""
        found.append((kind, record.rec_headers.get_header("WARC-Target-URI"), body))
    return found


@pytest.mark.parametrize("name", [path.name for path in sorted(SAMPLES.glob("*"))] or ["none"])
def test_a_file_gives_what_warcio_finds_in_it(name):
    if name == "none":
        pytest.skip(f"{SAMPLES} is not here")
    data = (SAMPLES / name).read_bytes()
    records = list(read_records(io.BytesIO(data), name, ReaderConfig(), 16 << 20))
    if name == REFUSED_BY_WARCIO:
        with pytest.raises(ArchiveLoadFailed):
            warcio_bodies(data)
        return
    others = warcio_bodies(data)
    whole = [r for r in records if r.problem is None or r.problem.reason != "unreadable_bytes"]
    ours = [None if (record.url or "").startswith("filedesc:") else record.url for record in whole]
    assert ours == [url for _, url, _ in others]
    for record, (kind, _, body) in zip(whole, others, strict=True):
        if record.problem is None:
            assert body == (record.payload if record.text is None else record.text.encode()) or name == WRONG_LENGTHS
        elif kind == "response":
            assert (name, record.problem.reason) in (
                (CUT_BODY, "undecodable_body"),
                (WRONG_LENGTHS, "truncated_record"),
            )


def test_the_file_that_warcio_refuses_has_six_records():
    path = SAMPLES / "warcio-example-bad-non-chunked.warc.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open("rb") as stream:
        records = list(read_records(stream, path.name, ReaderConfig(), 16 << 20))
    reasons = [record.problem.reason if record.problem else record.http_status for record in records]
    assert reasons == ["not_a_response", "not_a_response", 200, "not_a_response", "revisit", "not_a_response"]


def test_the_arc_file_with_wrong_lengths_costs_those_records_alone():
    path = SAMPLES / "warcio-bad.arc"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open("rb") as stream:
        records = list(read_records(stream, path.name, ReaderConfig(), 16 << 20))
    assert [r.problem.reason if r.problem else r.text for r in records] == [
        "truncated_record",
        "truncated_record",
        "\n",
        "truncated_record",
    ]
