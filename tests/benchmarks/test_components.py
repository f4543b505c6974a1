import sys

from benchmarks.deduplication import components


def test_made_up_components_are_those_that_scipy_finds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["components", str(tmp_path), "--documents", "1e5", "--pairs", "3e3"])
    components.main()
    assert "SciPy" in capsys.readouterr().out
