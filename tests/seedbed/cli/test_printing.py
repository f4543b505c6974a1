"""A page or a log commands no terminal."""

import json
import sys

import pytest

from seedbed.cli.entry import main
from seedbed.cli.job_printing import Writer
from seedbed.cli.printing import console, plain_table, print_json
from seedbed.cli.shown import shown
from seedbed.errors import UsageError

TITLE = "\x1b]0;owned\x07"  # sets the title of an xterm
SHOWN = "\ufffd]0;owned\ufffd"


def test_controls_are_shown_and_lines_and_tabs_stay():
    assert shown("a\tb\r\nc\rd\x7f\x9b2Jé 漢") == "a\tb\nc\ufffdd\ufffd\ufffd2Jé 漢"


def test_no_text_on_the_console_and_in_its_tables_commands_the_terminal(capsys):
    table = plain_table("url")
    table.add_row(f"http://page/{TITLE}")
    console().print(f"page {TITLE}", table, style="bold")
    out = capsys.readouterr().out
    assert f"page {SHOWN}" in out and f"http://page/{SHOWN}" in out and "\x1b" not in out


def test_no_log_commands_the_terminal(capsys):
    Writer(with_names=True)("driver", f"one\r\ntwo {TITLE}\n")
    assert capsys.readouterr().out == f"driver: one\ndriver: two {SHOWN}\n"


def test_json_holds_all_of_it_as_escapes(capsys):
    print_json({"url": f"{TITLE}\x9b é"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"url": f"{TITLE}\x9b é"}
    assert "\\u009b é" in out and not {"\x1b", "\x9b"} & set(out)


def test_no_error_commands_the_terminal(capsys, monkeypatch):
    def fail(**_):
        raise UsageError(f"no page {TITLE}")

    monkeypatch.setattr("seedbed.cli.entry.app", fail)
    monkeypatch.setattr(sys, "argv", ["seedbed"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == f"error: no page {SHOWN}\n"
