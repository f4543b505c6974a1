import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seedbed.errors import SourceError
from seedbed.runfile.load import load_run
from seedbed.source_stream import open_source
from seedbed.sources import list_sources

PATHS = "crawl-data/b.warc.gz\n\n# a remark\ncrawl-data/deep/a.warc.gz\ncrawl-data/c.warc.gz\n"


@pytest.fixture
def published(tmp_path):
    for name in ("b.warc.gz", "deep/a.warc.gz", "c.warc.gz"):
        file = tmp_path / "root" / "crawl-data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    (tmp_path / "warc.paths.gz").write_bytes(gzip.compress(PATHS.encode()))
    return tmp_path


def listing(run_file, path, below, more=""):
    return list_sources(
        load_run(run_file, [f"data.sources={{cc: {{path: {path}, paths_below: '{below}'{more}}}}}"]).data
    )


def test_a_list_gives_the_files_below_its_root_and_nothing_of_where_that_is_into_their_identity(run_file, published):
    found = listing(run_file, published / "warc.paths.gz", published / "root")
    assert [(f.path, f.root) for f in found.files] == [
        ("crawl-data/b.warc.gz", str(published / "root")),
        ("crawl-data/c.warc.gz", str(published / "root")),
        ("crawl-data/deep/a.warc.gz", str(published / "root")),
    ]
    assert found.ignored == ()


def test_the_first_files_of_a_list_are_those_in_its_order(run_file, published):
    found = listing(run_file, published / "warc.paths.gz", published / "root", ", max_files: 2")
    assert [f.path for f in found.files] == ["crawl-data/b.warc.gz", "crawl-data/deep/a.warc.gz"]


def test_the_files_may_be_on_a_web_server(run_file, published):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=published / "root"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        first = listing(run_file, published / "warc.paths.gz", url).files[0]
        assert (first.url, first.num_bytes) == (f"{url}crawl-data/b.warc.gz", 9)
        assert first.version != "unknown"
        with open_source(first.url, first.version) as stream:
            assert stream.read() == b"b.warc.gz"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("crawl-data/gone.warc.gz\n", "the list names crawl-data/gone.warc.gz, and nothing is at "),
        ("crawl-data/b.warc.gz\ncrawl-data/b.warc.gz\n", "names crawl-data/b.warc.gz twice"),
        ("../b.warc.gz\n", "line 1: expected one path a line, below "),
        ("\n", "names no path: expected one a line, below "),
        ("crawl-data\n", "is no file"),
    ],
)
def test_a_list_that_is_wrong_is_refused(run_file, published, lines, says):
    (published / "wrong.paths").write_text(lines)
    with pytest.raises(SourceError, match=r"^data.sources.cc.path: ") as refused:
        listing(run_file, published / "wrong.paths", published / "root")
    assert says in str(refused.value)


def test_a_damaged_list_is_refused(run_file, published):
    (published / "cut.paths.gz").write_bytes(gzip.compress(PATHS.encode())[:-20])
    with pytest.raises(SourceError, match="is damaged behind"):
        listing(run_file, published / "cut.paths.gz", published / "root")
