"""How commands print: numbers as JSON, lines for people."""

import json
import re
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seedbed.cli.shown import shown

_PLAIN_WIDTH = 160  # columns where nobody's terminal says how wide it is: no line of a table is broken


def print_json(value: Any) -> None:
    """One JSON document on standard output. What `shown` would replace in it stands there as an escape."""
    text = json.dumps(value, indent=1, ensure_ascii=False)  # which escapes C0 itself
    print(re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text))


class _Terminal(Console):
    """Rich's own colours get through; what is in the texts does not."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(shown(text), **options)


def console() -> Console:
    """Standard output for people; without colours and bars where it is no terminal."""
    return _Terminal(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines around its cells; the columns named in `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
