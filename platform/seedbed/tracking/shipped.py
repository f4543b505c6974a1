"""What of a run has arrived in MLflow, kept in the state directory: where to go on, and what is left.

One file for a run and an MLflow. It is written after what it tells of has arrived, so it may tell too little, and what
it does not tell of is sent again; `seedbed.tracking.destination` says why nothing stands twice then. Lost, it is made
anew from what MLflow has.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seedbed.state import StateDirectory


@dataclass
class Shipped:
    """Offsets are in bytes."""

    run: str | None = None  # the run's id in MLflow
    experiment_id: str | None = None
    attempts: dict[str, dict[str, Any]] = field(default_factory=dict)  # key -> run, number, what was said of its end
    settled_step: int = 0  # steps up to here stand in the run
    journal_offset: int = 0  # lines up to here stand in the attempts
    system_offset: int = 0
    described: str | None = None  # digest of params, tags and files on the run itself
    steps: dict[str, str] = field(default_factory=dict)  # kind -> fingerprint, of what was told of committed steps
    model_version: str | None = None
    status: str | None = None
    complete: bool = False  # the last pass got to its end
    error: str | None = None  # why the last try failed; None after one that did not


def folder_name(run_id: str) -> str:
    """Folder in the state directory of what tracking keeps of a run."""
    return f"tracking/{run_id}"


def system_spool(state: StateDirectory, run_id: str) -> Path:
    """Where samples of the driver's machine wait."""
    return state.root / folder_name(run_id) / "system.jsonl"


class Memory:
    """Reads one `Shipped` and keeps it; one that is not there or damaged knows nothing."""

    def __init__(self, state: StateDirectory, run_id: str, uri: str) -> None:
        self._state = state
        self._name = f"{folder_name(run_id)}/shipped-{hashlib.sha256(uri.encode()).hexdigest()[:12]}.json"
        try:
            self.shipped = Shipped(**json.loads((state.root / self._name).read_text()))
        except (OSError, ValueError, TypeError):
            self.shipped = Shipped()

    def forget(self) -> None:
        """Nothing has arrived."""
        self.remember(**asdict(Shipped()))

    def remember(self, **changes: Any) -> None:
        """Change these fields, in the file too, whole or not at all."""
        for name, value in changes.items():
            setattr(self.shipped, name, value)
        temporary = self._state.write(f"{self._name}.incomplete", json.dumps(asdict(self.shipped), indent=1))
        temporary.replace(self._state.root / self._name)
