from pathlib import Path

from seedbed.runfile.reference import reference

PAGE = Path(__file__).parents[3] / "docs/run-file.md"


def test_the_page_in_the_docs_is_what_the_models_say():
    assert PAGE.read_text() == reference() + "\n", "run: python -m seedbed.runfile.reference > docs/run-file.md"


def test_every_key_says_what_it_is():
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []
