"""The entry point: errors become one message and an exit code, never a traceback."""

import io
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from dataprep.errors import SeedbedError
from seedbed.cli.app import app
from seedbed.cli.options import Places
from seedbed.cli.shown import shown

UNEXPECTED_EXIT_CODE = 1


def main() -> None:
    """Run the command line. Leaves with 0, with an error's `exit_code`, or with 2 where it was typed wrongly."""
    places = Places()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not an error
    try:
        app(obj=places, prog_name="seedbed")
    except SeedbedError as error:
        print(shown(f"error: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: say where the traceback is
        where = _write_traceback(places)
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        said = f"error: unexpected {text}; this is a defect of Seedbed, its traceback is in {where}"
        print(shown(said), file=sys.stderr)
        sys.exit(UNEXPECTED_EXIT_CODE)


def _write_traceback(places: Places) -> Path:
    """The file that the current traceback was written to: in the state directory, or where that takes no file."""
    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.traceback"
    try:
        path = places.state_directory().folder("logs") / name
        path.write_text(traceback.format_exc())
    except (SeedbedError, OSError):
        path = Path(tempfile.gettempdir()) / f"seedbed-{name}"
        path.write_text(traceback.format_exc())
    return path
