import json
import sys

import pytest

from seedbed.cli.entry import main


@pytest.fixture
def command(monkeypatch, capsys, pipeline):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["seedbed", *map(str, arguments), "--store", pipeline.store.url])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


def test_a_sweep_prints_what_would_be_kept_and_what_to_type(command, run_file):
    code, out, _ = command("sweep", run_file, "gopher_quality.min_words", "1,3,5")
    assert code == 0
    assert "gopher_quality.min_words over 4 documents in 2 input shards" in out
    assert "off  now" in out
    assert "too_few_words +4" in out
    assert f"run {run_file} --set data.select.gopher_quality.min_words=1" in out


def test_a_sweep_as_json(command, run_file):
    code, out, _ = command("sweep", run_file, "gopher_quality.min_words", "5", "--json")
    now, five = json.loads(out)["settings"]
    assert (code, now["records_kept"], now["is_current"]) == (0, 4, True)
    assert five == {
        "value": 5,
        "is_current": False,
        "records_kept": 0,
        "bytes_kept": 0,
        "dropped": {"too_few_words": 4},
    }


def test_a_misspelt_key_is_a_user_error(command, run_file):
    code, _, err = command("sweep", run_file, "gopher.min_words", "5")
    assert code == 2
    assert "no filter is called 'gopher'" in err
