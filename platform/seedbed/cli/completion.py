"""What a shell offers after a tab: steps, runs, jobs. A shell waits for it at each tab, and shows what it prints: it is
quick, makes and changes nothing, and of what cannot be read it offers nothing."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import typer

from seedbed.defaults import DEFAULT_STATE, DEFAULT_STORE

STEPS = (
    "extract",
    "clean",
    "annotate",
    "select",
    "deduplicate",
    "decontaminate",
    "repeats",
    "corpus",
    "tokenizer",
    "shards",
    "ledger",
    "pretrain",
    "evaluate",
    "export",
)
"""As `seedbed.steps` has them, which takes a second to load; a test holds one against the other."""
SAMPLED = ("extract", "clean", "select", "deduplicate", "decontaminate", "repeats", "corpus")
"""As `seedbed.sample.STEPS`."""
MAX_OFFERED = 50
"""Of runs and jobs, the newest."""
PATIENCE_S = 1.0
"""For a registry on another machine."""

_JOBS = "select id, run_id, name, state from jobs order by id desc limit :most"

Offer = list[tuple[str, str]]
"""Value and what it is, which some shells show beside it."""


def steps(incomplete: str) -> list[str]:
    return [step for step in STEPS if step.startswith(incomplete)]


def sampled_steps(incomplete: str) -> list[str]:
    return [step for step in SAMPLED if step.startswith(incomplete)]


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Ids and names of the store's runs, the newest first; of a store on another machine those that were submitted."""
    store = _place(context, "store", DEFAULT_STORE)
    return _beginning(incomplete, _runs_of_folder(Path(store)) if "://" not in store else _runs_of_jobs(context))


def jobs(context: typer.Context, incomplete: str) -> Offer:
    """Numbers of the registry's jobs, then ids and names of their runs, the newest first."""
    found = [(str(number), f"{run_id}, {state}") for number, run_id, _, state in _jobs(context)]
    return [(value, said) for value, said in found if value.startswith(incomplete)] + [
        (run, "") for run in _beginning(incomplete, _runs_of_jobs(context))
    ]


def _beginning(incomplete: str, values: list[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value.startswith(incomplete)]


def _place(context: typer.Context, name: str, default: str) -> str:
    """Where the command line so far, or the environment, says that store or state are."""
    given = [one.params.get(name) for one in (context, context.find_root())]
    # `--store` of `dashboard` may stand several times.
    return next((value for value in given if isinstance(value, str)), default)


def _runs_of_folder(store: Path) -> list[str]:
    with contextlib.suppress(OSError):  # no store yet, or none that may be read
        entries = sorted(os.scandir(store / "runs"), key=lambda entry: entry.stat().st_mtime, reverse=True)
        return [name for entry in entries[:MAX_OFFERED] for name in _ways_to_say(entry.name)]
    return []


def _runs_of_jobs(context: typer.Context) -> list[str]:
    return [name for _, run_id, _, _ in _jobs(context) for name in _ways_to_say(run_id)]


def _ways_to_say(run_id: str) -> tuple[str, str]:
    """The id, and the name that is before its digits."""
    return run_id, run_id.rpartition("-")[0]


def _jobs(context: typer.Context) -> list[tuple[int, str, str, str]]:
    """id, run, name and state of the newest jobs. A registry is read as it is, neither made nor brought up to date."""
    registry = _place(context, "registry", "")
    if registry and not registry.startswith("sqlite:///"):
        return _within(PATIENCE_S, lambda: _jobs_elsewhere(registry))
    from seedbed.registry.database import FILE

    file = registry.removeprefix("sqlite:///") or str(Path(_place(context, "state", DEFAULT_STATE)) / FILE)
    with contextlib.suppress(sqlite3.Error):  # it is not there, or not of this version
        connection = sqlite3.connect(f"{Path(file).absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            return list(connection.execute(_JOBS, {"most": MAX_OFFERED}))
    return []


def _jobs_elsewhere(url: str) -> list[tuple[int, str, str, str]]:
    from sqlalchemy import text

    from seedbed.registry.database import Database

    with contextlib.closing(Database(url)) as database, database.read() as connection:
        found = connection.execute(text(_JOBS), {"most": MAX_OFFERED})
        return [(number, run_id, name, state) for number, run_id, name, state in found]


def _within(seconds: float, ask: Callable[[], list[tuple[int, str, str, str]]]) -> list[tuple[int, str, str, str]]:
    """The answer, or nothing where there is none by then."""
    answers: list[list[tuple[int, str, str, str]]] = []

    def work() -> None:
        with contextlib.suppress(Exception):  # a tab is no place to say what is wrong with the registry
            answers.append(ask())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else []
