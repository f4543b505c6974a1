"""How commands print: numbers as JSON, lines for people."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

_PLAIN_WIDTH = 160  # columns where nobody's terminal says how wide it is: no line of a table is broken


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=1, ensure_ascii=False))


def console() -> Console:
    """Standard output for people; without colours and bars where it is no terminal."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines around its cells; the columns named in `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def si(number: float) -> str:
    """A large number to three digits: 1.23 M."""
    for factor, unit in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number:.3g} "


def num_bytes(number: float) -> str:
    """Bytes in binary units: 12.3 MiB."""
    for factor, unit in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(number) >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number:.0f} B"
