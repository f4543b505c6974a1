"""What `run --each` and `plan --each` print: one report on many runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seedbed.batch import Member, Row
    from seedbed.store import Store

EachOption = Annotated[
    str | None,
    typer.Option(
        "--each",
        metavar="KEY=VALUES",
        help="A run for each value, one after another, and one report: --each crawl=a.warc.gz,b.warc.gz. KEY is a "
        "source (its path) or a dotted key; @FILE holds a value a line; a glob stands for the paths that match.",
    ),
]


def print_batch(rows: "Sequence[Row]", as_json: bool) -> None:
    """The report on a batch that was carried out."""
    from seedbed.batch import totals
    from seedbed.cli.printing import console, plain_table, print_json

    total = totals(rows)
    if as_json:
        print_json({"runs": [row.to_json() for row in rows], "total": total})
        return
    numbers = ("records", "kept", "tokens", "seconds")
    table = plain_table("run", "state", *numbers, "dropped most", right=numbers)
    for row in rows:
        dropped = ", ".join(f"{number:,} {reason}" for reason, number in row.top_reasons)
        counts = [f"{number:,}" if number is not None else "" for number in (row.records_in, row.kept, row.tokens)]
        table.add_row(row.run or row.name, row.state, *counts, f"{row.seconds:.1f}", dropped)
    sums = (total["records_in"], total["kept"], total["tokens"])
    table.add_row(
        "all", f"{total['failed']} failed", *(f"{number:,}" for number in sums), f"{total['seconds']:.1f}", ""
    )
    out = console()
    out.print()
    out.print(table)
    for row in rows:
        if row.is_failure and row.error:
            out.print(f"{row.name} ({row.value}): {row.error}", soft_wrap=True)


def print_planned_batch(run_file: str, members: "Sequence[Member]", store: "Store", as_json: bool) -> int:
    """Plan every run of a batch and print the plans and their sum; the exit code: the worst that one run would have."""
    from seedbed.cli.printing import print_json

    plans, code = [], 0
    for member in members:
        planned, left = _planned(run_file, member, store)
        plans.append(planned)
        code = max(code, left)
    total = _sum(plans)
    if as_json:
        print_json({"runs": plans, "total": total})
    else:
        _print_plans(plans, total)
    return code


def _planned(run_file: str, member: "Member", store: "Store") -> tuple[dict[str, Any], int]:
    from dataprep.errors import SeedbedError
    from seedbed.errors import BudgetRefused
    from seedbed.plan import CACHED, make_plan
    from seedbed.runfile.load import load_run

    said: dict[str, Any] = {"value": member.value, "name": member.name}
    try:
        made = make_plan(load_run(run_file, member.overrides), store)
    except SeedbedError as error:
        return said | {"run": None, "verdict": "cannot be planned", "error": str(error)}, error.exit_code
    said |= {
        "run": made.run_id,
        "verdict": made.verdict,
        "error": None,
        "findings": [finding.message for finding in made.findings if finding.level != "pass"],
        "files": len(made.sources),
        "source_bytes": sum(file.num_bytes for file in made.sources),
        "steps_cached": sum(step.state == CACHED for step in made.steps),
        "steps": len(made.steps),
        "tokens": made.tokens,
        "flops": made.flops,
        "hours": _range(made.hours),
        "device_hours": _range(made.device_hours),
        "cost": _range(made.cost),
    }
    return said, BudgetRefused.exit_code if made.verdict == "refuse" else 0


def _range(estimate: Any) -> list[float] | None:
    return None if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]


def _sum(plans: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the runs that can be planned; an estimate that one of them lacks is unknown for all."""
    known = [plan for plan in plans if plan["run"] is not None]
    total: dict[str, Any] = {"runs": len(plans), "cannot_be_planned": len(plans) - len(known)}
    total |= {key: sum(plan[key] for plan in known) for key in ("files", "source_bytes", "tokens", "flops")}
    for key in ("hours", "device_hours", "cost"):
        ranges = [plan[key] for plan in known]
        whole = bool(ranges) and None not in ranges
        total[key] = [sum(low for low, _ in ranges), sum(high for _, high in ranges)] if whole else None
    return total


def _print_plans(plans: list[dict[str, Any]], total: dict[str, Any]) -> None:
    from seedbed.cli.printing import console, plain_table

    numbers = ("files", "stored", "cached", "tokens", "FLOPs", "hours", "cost")
    table = plain_table("run", *numbers, "verdict", right=numbers)
    for plan in plans:
        cells = _cells(plan) if plan["run"] is not None else [""] * len(numbers)
        table.add_row(plan["run"] or plan["name"], *cells, plan["verdict"])
    table.add_row("all", *_cells(total | {"steps": None}), "")
    out = console()
    out.print(table)
    for plan in plans:
        for line in [plan["error"]] if plan["error"] else plan["findings"]:
            out.print(f"{plan['name']} ({plan['value']}): {line}", soft_wrap=True)


def _cells(plan: dict[str, Any]) -> list[str]:
    from seedbed.units import num_bytes, si

    cached = f"{plan['steps_cached']} of {plan['steps']}" if plan["steps"] is not None else ""
    ranges = ["unknown" if plan[key] is None else " to ".join(_ends(*plan[key])) for key in ("hours", "cost")]
    return [
        f"{plan['files']:,}",
        num_bytes(plan["source_bytes"]),
        cached,
        f"{plan['tokens']:,}",
        si(plan["flops"]),
        *ranges,
    ]


def _ends(low: float, high: float) -> list[str]:
    return list(dict.fromkeys((f"{low:.3g}", f"{high:.3g}")))
