import sys

from seedbed.programs import typed


def test_a_program_on_the_path_is_called_by_its_name(tmp_path, monkeypatch):
    own = tmp_path / "venv" / "bin"
    own.mkdir(parents=True)
    (own / "seedbed").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    monkeypatch.setenv("PATH", str(own))
    assert typed("seedbed show mine") == "seedbed show mine"


def test_a_program_that_the_path_does_not_lead_to_is_called_by_where_it_lies(tmp_path, monkeypatch):
    own, other = tmp_path / "my venv", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "seedbed").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    monkeypatch.setenv("PATH", str(other))  # another version's
    assert typed("seedbed") == f"'{own}/seedbed'"
    monkeypatch.chdir(tmp_path)
    assert typed("seedbed show mine") == "'my venv/seedbed' show mine"
    assert typed("mlflow") == "mlflow"  # not in this environment: what it is called anywhere
