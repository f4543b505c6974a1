"""`python -m seedbed.controller`: the registry and the state directory that SEEDBED_REGISTRY and SEEDBED_STATE name."""

import os
import signal
import sys
import threading
import time

from dataprep.errors import SeedbedError
from seedbed.controller.loop import Controller
from seedbed.defaults import DEFAULT_STATE
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory


def main() -> int:
    """Work until SIGTERM or SIGINT."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    state = StateDirectory(os.environ.get("SEEDBED_STATE", DEFAULT_STATE))
    try:
        registry = open_registry(os.environ.get("SEEDBED_REGISTRY"), state)
        _say(f"controller of {registry.name}, process {os.getpid()}")
        Controller(registry, state, _say).run(ending)
        registry.close()
    except SeedbedError as error:
        _say(f"error: {error}")
        return error.exit_code
    return 0


def _say(line: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
