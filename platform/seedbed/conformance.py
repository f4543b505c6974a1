"""`seedbed conform`: the hand-over to the job that compares, and what its certificate says to people."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seedbed.launch import record_run
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store


@dataclass(frozen=True)
class ConformLaunch:
    """What `python -m jobs.conform FILE` is given."""

    store_url: str
    run_id: str
    full: bool  # on the run's own model and batch, however large


def start_conformance(
    store: Store, state: StateDirectory, run_file: str, overrides: Sequence[str], full: bool
) -> list[str]:
    """Plan the run, record it, and return the command that compares its layout. Raises RunFileError and SourceError."""
    run = load_run(run_file, overrides)
    plan = make_plan(run, store)
    record_run(store, state, plan, run, over_budget=None)
    launch = ConformLaunch(store.url, plan.run_id, full)
    path = state.write(f"launches/{plan.run_id}.conform.json", json.dumps(asdict(launch), indent=1))
    return [sys.executable, "-P", "-m", "jobs.conform", str(path)]  # -P: a folder `jobs` where one stands is not ours


def print_certificate(certificate: dict[str, Any]) -> None:
    """Of each case the check that came nearest to its limit."""
    from seedbed.cli.printing import console, plain_table

    out = console()
    layout, model = certificate["layout"], certificate["model"]
    shape = f"{model['num_layers']} layers of width {model['width']}"
    size = (
        f"on a smaller model of the same kind of block: {shape} (--full takes the run's own)"
        if certificate["is_reduced"]
        else shape
    )
    out.print(f"run {certificate['run']}: {layout['ranks']} ranks on {certificate['device']}, {size}\n")
    table = plain_table(
        "layout", "nearest to its limit", "step", "error", "limit", "", right=("step", "error", "limit")
    )
    for case in certificate["cases"]:
        worst = max(case["checks"], key=lambda check: check["error"] / check["limit"])
        verdict = "passed" if case["passed"] else "FAILED"
        values = (str(worst["step"]), f"{worst['error']:.1e}", f"{worst['limit']:.1e}")
        table.add_row(case["case"], worst["what"], *values, verdict)
    out.print(table)
    verdict = "computes what one plain process computes" if certificate["passed"] else "does NOT compute what it should"
    out.print(f"\nthis layout {verdict}; the certificate is runs/{certificate['run']}/conformance.json in the store")
