import io

from jobs.tee import Tee


def test_what_is_written_is_told_by_lines_and_goes_on_as_it_was():
    out, lines = io.StringIO(), []
    tee = Tee(out, lines.append)
    print("a warning\nof two lines", file=tee)
    tee.write("no end yet")
    assert lines == ["a warning", "of two lines"]
    assert out.getvalue() == "a warning\nof two lines\nno end yet"
