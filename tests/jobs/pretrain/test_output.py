import json
import subprocess
import sys

from jobs.pretrain.output import PIECE_BYTES, read_rest

RANK = """
import os, subprocess, sys
from pathlib import Path
from jobs.pretrain.output import Output

print("before", flush=True)
output = Output(Path(sys.argv[1]), 7)
print("from Python")
print("a warning", file=sys.stderr)
sys.stdout.flush()
subprocess.run(["sh", "-c", "echo from a child; echo and its errors >&2"], check=True)
os.write(2, b"from C\\n")
first = output.piece(0)
assert first == output.piece(0)  # the answer got lost
assert output.piece(len(first)) == b""
os.write(1, b"the last words")
os.abort()
"""


def test_all_that_a_process_prints_is_in_its_file_whatever_kills_it(tmp_path):
    said = [b"from Python", b"a warning", b"from a child", b"and its errors", b"from C"]
    rank = subprocess.run([sys.executable, "-c", RANK, str(tmp_path)], capture_output=True, timeout=60, check=False)
    path = str(tmp_path / "rank-00007.log")
    whole = read_rest([(7, path, 0)])[7]
    assert whole.endswith(b"the last words")
    assert sorted(whole.splitlines()[:5]) == sorted(said)
    assert read_rest([(7, path, len(whole) - 5)]) == {7: b"words"}
    # What was handed over stands in the log that Ray has led it to as well, once.
    assert rank.stdout.splitlines()[0] == b"before"
    assert sorted(rank.stdout.splitlines()[1:]) == sorted(said)


def test_a_file_that_its_rank_has_removed_has_nothing_left_to_tell(tmp_path):
    assert read_rest([(0, str(tmp_path / "rank-00000.log"), 0)]) == {}


def test_a_piece_is_bounded(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from jobs.pretrain.output import Output\n"
        f"o = Output(Path({str(tmp_path)!r}), 0); os.write(1, b'x' * 200_000)\n"
        "sizes, at = [], 0\n"
        "while data := o.piece(at): at += len(data); sizes.append(len(data))\n"
        f"Path({str(tmp_path / 'sizes')!r}).write_text(str(sizes))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)
    sizes = json.loads((tmp_path / "sizes").read_text())
    assert sum(sizes) == 200_000
    assert max(sizes) == PIECE_BYTES
