"""The benchmark of the dashboard, as a smoke test: that every page comes and that its numbers are there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


def test_every_page_is_measured():
    sizes = ["--runs", "3", "--shards", "2", "--points", "500", "--watched", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.dashboard", *sizes, "--json"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["pages"]) == 11
    assert all(row["median_ms"] > 0 for row in found["pages"])
    assert set(found["cpu_share_by_viewers"]) == {"0", "1", "20"}
