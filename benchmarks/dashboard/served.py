"""`seedbed dashboard`, as a process of its own."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
END_S = 30


class Served:
    """Listens when this returns. `link` logs in; `url` is without a slash at its end."""

    def __init__(self, state: Path, store: str) -> None:
        places = ["--state", str(state), "--store", store]
        command = [sys.executable, "-m", "seedbed.cli", "dashboard", "--port", "0", *places]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None, "it was asked for"
        lines = [self.process.stdout.readline() for _ in range(3)]
        self.link = lines[2].strip()
        self.url = self.link.partition("/login")[0]

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.process.terminate()
        self.process.wait(END_S)
