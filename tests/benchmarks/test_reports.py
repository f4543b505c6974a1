"""The benchmark of the way of metrics, as a smoke test: that all of them arrive and that its numbers are there."""

import json

from benchmarks.reports import __main__ as benchmark


def test_each_part_of_the_way_is_measured(tmp_path, monkeypatch, capsys):
    out = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["reports", "--steps", "700", "--times", "2", "--out", str(out)])
    benchmark.main()
    found = json.loads(out.read_text())["metrics_per_second"]
    assert set(found) == {"append", "send", "look", "whole"}
    assert all(len(rates) == 2 and min(rates) > 0 for rates in found.values())
    assert capsys.readouterr().out.count("metrics/s") == 4
