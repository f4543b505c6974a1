import os
import shutil

import pytest

from seedbed import sources
from seedbed.errors import SourceError
from seedbed.runfile.load import load_run
from seedbed.sources import list_sources

MTIME = "mtime:1700000000.000000"


def data_of(run_file, sources):
    return load_run(run_file, [f"data.sources={sources}"]).data


def listing(run_file, sources, monkeypatch):
    monkeypatch.chdir(run_file.parent)
    return list_sources(data_of(run_file, sources))


def refusal(run_file, sources, monkeypatch):
    with pytest.raises(SourceError) as refused:
        listing(run_file, sources, monkeypatch)
    return str(refused.value).replace(f"{run_file.parent}/", "")


def add(run_file, *paths):
    for path in paths:
        file = run_file.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def test_a_folder_gives_the_files_that_a_reader_knows(run_file, monkeypatch):
    add(run_file, "crawl/deep/er/c.jsonl.zst", "crawl/README.md", "crawl/.hidden.warc")
    found = listing(run_file, "{docs: {path: crawl}}", monkeypatch)
    root = str(run_file.parent / "crawl")
    assert [(f.source, f.path, f.root, f.num_bytes) for f in found.files] == [
        ("docs", "a.warc.gz", root, 1000),
        ("docs", "b.jsonl", root, 500),
        ("docs", "deep/er/c.jsonl.zst", root, 1),
    ]
    assert found.ignored == (f"{root}/.hidden.warc", f"{root}/README.md")
    assert found.files[0].identity == ["docs", "a.warc.gz", 1000, MTIME]
    assert found.files[0].url == f"{root}/a.warc.gz"


def test_a_file_is_relative_to_its_folder(run_file, monkeypatch):
    (file,) = listing(run_file, "{docs: {path: crawl/a.warc.gz}}", monkeypatch).files
    assert (file.path, file.root) == ("a.warc.gz", str(run_file.parent / "crawl"))


def test_a_glob_is_relative_to_the_last_folder_without_wildcards(run_file, monkeypatch):
    add(run_file, "crawl/2024/x.warc", "crawl/2025/y.warc", "crawl/2025/z.txt")
    found = listing(run_file, "{docs: {path: 'crawl/20*/*'}}", monkeypatch)
    assert [file.path for file in found.files] == ["2024/x.warc", "2025/y.warc"]
    assert found.ignored == (str(run_file.parent / "crawl/2025/z.txt"),)
    assert listing(run_file, "{docs: {path: 'crawl/20*'}}", monkeypatch) == found


def test_a_file_whose_name_looks_like_a_glob_is_found(run_file, monkeypatch):
    add(run_file, "crawl/x[1].warc")
    (file,) = listing(run_file, "{docs: {path: 'crawl/x[1].warc'}}", monkeypatch).files
    assert file.path == "x[1].warc"


def test_a_link_to_a_file_is_taken_and_a_link_to_anything_else_is_told(run_file, monkeypatch):
    crawl = run_file.parent / "crawl"
    add(run_file, "far/c.warc")
    (crawl / "c.warc").symlink_to(run_file.parent / "far" / "c.warc")
    (crawl / "gone.warc").symlink_to(run_file.parent / "far" / "gone.warc")
    (crawl / "loop").symlink_to(crawl)
    for path in ("crawl", "crawl/*"):
        found = listing(run_file, f"{{docs: {{path: '{path}'}}}}", monkeypatch)
        assert [file.path for file in found.files] == ["a.warc.gz", "b.jsonl", "c.warc"]
        assert f"{crawl}/gone.warc" in found.ignored


def test_a_file_without_content_is_a_file(run_file, monkeypatch):
    (run_file.parent / "crawl" / "a.warc.gz").write_bytes(b"")
    assert listing(run_file, "{docs: {path: crawl}}", monkeypatch).files[0].num_bytes == 0


def test_the_order_of_the_sources_does_not_matter(run_file, monkeypatch):
    add(run_file, "more/b.warc", "more/a.warc")
    one = listing(run_file, "{docs: {path: crawl}, also: {path: more}}", monkeypatch)
    other = listing(run_file, "{also: {path: more}, docs: {path: crawl}}", monkeypatch)
    assert one == other
    assert [(f.source, f.path) for f in one.files] == [
        ("also", "a.warc"),
        ("also", "b.warc"),
        ("docs", "a.warc.gz"),
        ("docs", "b.jsonl"),
    ]


def test_a_moved_source_keeps_its_identity(run_file, monkeypatch):
    before = listing(run_file, "{docs: {path: crawl}}", monkeypatch)
    shutil.move(run_file.parent / "crawl", run_file.parent / "moved")
    after = listing(run_file, "{docs: {path: moved}}", monkeypatch)
    assert [file.identity for file in after.files] == [file.identity for file in before.files]
    assert after != before


def test_a_changed_file_has_another_identity(run_file, monkeypatch):
    before = listing(run_file, "{docs: {path: crawl}}", monkeypatch)
    os.utime(run_file.parent / "crawl" / "a.warc.gz", (1_700_000_001, 1_700_000_001))
    after = listing(run_file, "{docs: {path: crawl}}", monkeypatch)
    assert [a.identity == b.identity for a, b in zip(after.files, before.files, strict=True)] == [False, True]


def test_a_format_that_is_named_takes_its_own_files_only(run_file, monkeypatch):
    found = listing(run_file, "{docs: {path: crawl, reader: {format: warc}}}", monkeypatch)
    assert [file.path for file in found.files] == ["a.warc.gz"]
    assert found.ignored == (str(run_file.parent / "crawl/b.jsonl"),)


def test_a_format_that_is_named_takes_a_file_of_any_name_that_is_pointed_at(run_file, monkeypatch):
    add(run_file, "crawl/dump.txt")
    (file,) = listing(run_file, "{docs: {path: crawl/dump.txt, reader: {format: jsonl}}}", monkeypatch).files
    assert file.path == "dump.txt"


PACKED = "(and each with .gz, .zst, .bz2, .xz)"
ENDINGS = (
    f".warc, .wet, .arc, .jsonl, .ndjson, .csv, .tsv, .txt, .html, .htm, .xhtml, .parquet {PACKED}; set reader.format"
    " where the names do not tell"
)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{path: nowhere}", "nothing is at nowhere: expected a file, a folder or a glob that matches some"),
        ("{path: 'crawl/*.arc'}", "no file matches crawl/*.arc: check the pattern, or name a folder"),
        ("{path: empty}", "the folder empty is empty"),
        ("{path: README.md}", f"no reader for README.md in README.md: known endings are {ENDINGS}"),
        ("{path: texts}", "one.txt and 1 more in texts: say reader.format: text to have such files read"),
        (
            "{path: crawl/b.jsonl, reader: {format: warc}}",
            "no reader for b.jsonl in crawl/b.jsonl: known endings are .warc, .wet " + PACKED,
        ),
    ],
)
def test_a_source_that_gives_nothing_is_refused(run_file, source, says, monkeypatch):
    add(run_file, "README.md", "texts/one.txt", "texts/two.txt")
    (run_file.parent / "empty").mkdir()
    assert refusal(run_file, f"{{docs: {source}}}", monkeypatch) == f"data.sources.docs.path: {says}"


def test_every_source_that_gives_nothing_is_told(run_file, monkeypatch):
    lines = refusal(run_file, "{b: {path: no}, docs: {path: crawl}, a: {path: nor}}", monkeypatch).splitlines()
    assert [line.split(":")[0] for line in lines] == ["data.sources.a.path", "data.sources.b.path"]


def test_an_unknown_kind_of_store_is_refused(run_file, monkeypatch):
    assert refusal(run_file, "{docs: {path: 'nosuch://bucket/x'}}", monkeypatch) == (
        "data.sources.docs.path: cannot look at nosuch://bucket/x: Protocol not known: nosuch; "
        "check the address and your right to read it"
    )


def test_who_has_no_credentials_is_told_where_they_are_looked_for(run_file, monkeypatch):
    class NoCredentialsError(Exception):  # botocore's, which is optional, is known by its name
        pass

    def refuse(url):
        raise NoCredentialsError("Unable to locate credentials")

    monkeypatch.setattr(sources, "file_system", refuse)
    assert refusal(run_file, "{docs: {path: 's3://bucket/x'}}", monkeypatch) == (
        "data.sources.docs.path: cannot look at s3://bucket/x: Unable to locate credentials; set AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or write ~/.aws/credentials"
    )


@pytest.mark.slow
def test_an_object_store_is_a_source_like_a_folder(run_file, s3_url, monkeypatch):
    import fsspec

    store, root = fsspec.core.url_to_fs(s3_url)
    store.pipe_file(f"{root}/one/a.warc.gz", b"a" * 10)
    store.pipe_file(f"{root}/one/deep/b.jsonl", b"b" * 20)
    store.pipe_file(f"{root}/one/notes.txt", b"c")
    found = listing(run_file, f"{{docs: {{path: {s3_url}/one/}}}}", monkeypatch)
    assert [(f.path, f.root, f.num_bytes) for f in found.files] == [
        ("a.warc.gz", f"{s3_url}/one", 10),
        ("deep/b.jsonl", f"{s3_url}/one", 20),
    ]
    # An etag is the MD5 of what was put.
    assert found.files[0].version == "etag:e09c80c42fda55f9d992e59ca6b3307d"
    assert found.ignored == (f"{s3_url}/one/notes.txt",)
    by_glob = listing(run_file, f"{{docs: {{path: '{s3_url}/**/*.jsonl'}}}}", monkeypatch)
    assert [(f.path, f.root) for f in by_glob.files] == [("one/deep/b.jsonl", s3_url)]
    assert refusal(run_file, f"{{docs: {{path: {s3_url}/two}}}}", monkeypatch) == (
        f"data.sources.docs.path: nothing is at {s3_url}/two: expected a file, a folder or a glob that matches some"
    )
