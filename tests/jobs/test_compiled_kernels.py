import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dataprep

CODE = """
from jobs import compiled_kernels
adopted = compiled_kernels.adopt()
from dataprep.kernels.words import find_words
from dataprep.kernels.warm import kernels
import dataprep, pyarrow as pa
find_words(pa.array(["two words"], pa.large_string()))
hits = sum(sum(kernel.dispatcher.stats.cache_hits.values()) for kernel in kernels())
misses = sum(sum(kernel.dispatcher.stats.cache_misses.values()) for kernel in kernels())
print(dataprep.__file__, adopted > 0, hits > 0, misses)
"""


@pytest.fixture
def unpacked(tmp_path):
    """The packages in another folder, freshly unpacked: nothing is compiled there."""
    installed = Path(dataprep.__file__).parents[1]
    (tmp_path / "launch.json").write_text("{}")
    for name in ("dataprep", "jobs"):
        shutil.copytree(installed / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in tmp_path.rglob("*.py"):
        os.utime(path)
    return tmp_path


def run(code, root):
    path = os.pathsep.join([str(root), *filter(None, sys.path)])
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


def test_what_the_installed_package_has_compiled_holds_for_the_same_code_elsewhere(unpacked):
    run(CODE, Path(dataprep.__file__).parents[1])  # compiled by now, if it was not before
    file, adopted, hits, misses = run(CODE, unpacked)
    assert Path(file).parents[1] == unpacked
    assert (adopted, hits, misses) == ("True", "True", "0")


PROBE = "from jobs import compiled_kernels as c; print(c.__file__, c.adopt())"


def test_of_changed_kernels_nothing_is_taken_over(unpacked):
    with (unpacked / "dataprep" / "kernels" / "lines.py").open("a") as f:
        f.write("# changed\n")
    assert run(PROBE, unpacked) == [str(unpacked / "jobs" / "compiled_kernels.py"), "0"]


def test_a_checkout_takes_nothing_from_another(unpacked):
    (unpacked / "launch.json").unlink()
    assert run(PROBE, unpacked) == [str(unpacked / "jobs" / "compiled_kernels.py"), "0"]
