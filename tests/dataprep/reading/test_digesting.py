import gzip
import io

import pytest
from blake3 import blake3

from dataprep.errors import MachineError
from dataprep.reading.digesting import DigestingStream
from dataprep.reading.fields import FieldNames
from dataprep.reading.jsonl import read_jsonl
from dataprep.reading.warc import read_warc

DATA = bytes(range(256)) * 40


def test_the_digest_is_that_of_the_whole_however_it_was_read():
    stream = DigestingStream(io.BytesIO(DATA))
    stream.seek(0, 2)
    stream.seek(0)
    stream.read(100)
    stream.seek(50)
    stream.read(500)
    stream.seek(5000)
    stream.read(10)
    assert stream.finish() == (len(DATA), blake3(DATA).hexdigest())


class Breaking(io.BytesIO):
    """A stream whose connection is reset at the n-th read."""

    def __init__(self, data: bytes, reads: int) -> None:
        super().__init__(data)
        self.reads = reads

    def read(self, size: int | None = -1) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise ConnectionResetError("reset by peer")
        return super().read(size)


PAGE = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 30\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<p>hello</p\r\n\r\n"


@pytest.mark.parametrize("reads", range(4))
def test_a_connection_that_breaks_is_no_damaged_file(reads):
    data = b"".join(gzip.compress(PAGE + bytes(50)) for _ in range(3))
    with pytest.raises(MachineError, match="ConnectionResetError: reset by peer") as raised:
        list(read_warc(DigestingStream(Breaking(data, reads)), 1 << 20))
        pytest.skip("all was read before")
    assert raised.value.transient


def test_neither_is_it_for_compressed_lines():
    with pytest.raises(MachineError):
        list(read_jsonl(DigestingStream(Breaking(gzip.compress(b'{"text": "a"}\n'), 0)), "gzip", 1000, FieldNames()))
