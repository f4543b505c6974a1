"""`seedbed sweep`."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli.options import JsonOption, RunFileArgument, SetOption, StateOption, StoreOption, places

if TYPE_CHECKING:
    from seedbed.sweep import Setting, Sweep

_MOVES = 3  # reasons in a line


def sweep(
    context: typer.Context,
    run_file: RunFileArgument,
    key: Annotated[
        str, typer.Argument(metavar="FILTER.KEY", help="A key below data.select: gopher_quality.min_words.")
    ],
    values: Annotated[str, typer.Argument(metavar="VALUES", help="20..100, 20..100:10, 20,50,100 or true,false.")],
    every_shard: Annotated[bool, typer.Option("--all", help="Read every input shard, however many there are.")] = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Say how many documents a filter would keep at other thresholds, from what `annotate` measured. Starts nothing."""
    import sys

    from seedbed.cli.printing import print_json
    from seedbed.plan import make_plan
    from seedbed.runfile.load import load_run
    from seedbed.sweep import MAX_SHARDS, parse_values
    from seedbed.sweep import sweep as count

    wanted = parse_values(values)
    opened = places(context, store, state).open_store()
    plan = make_plan(load_run(run_file, overrides or ()), opened)
    found = count(opened, plan, key, wanted, sys.maxsize if every_shard else MAX_SHARDS)
    if as_json:
        shards = {"num_shards": found.num_shards, "of_shards": found.of_shards, "num_documents": found.num_documents}
        print_json({"key": key, **shards, "settings": [setting.to_json() for setting in found.settings]})
        return
    _print(found, run_file)


def _print(found: "Sweep", run_file: str) -> None:
    from seedbed.cli.printing import console, plain_table
    from seedbed.programs import typed
    from seedbed.units import num_bytes

    out = console()
    part = "" if found.num_shards == found.of_shards else f" (of {found.of_shards:,}; --all reads every one)"
    out.print(f"{found.key} over {found.num_documents:,} documents in {found.num_shards:,} input shards{part}\n")
    table = plain_table(found.key, "kept", "change", "text kept", "what moves")
    by_value = sorted(found.settings, key=lambda setting: (setting.value is not None, setting.value or 0))
    for setting in by_value:
        change = setting.records_kept - found.current.records_kept
        table.add_row(
            f"{_written(setting)}{'  now' if setting.is_current else ''}",
            f"{setting.records_kept:,}",
            "" if setting.is_current else f"{change:+,}",
            num_bytes(setting.bytes_kept),
            _moves(setting, found.current),
        )
    out.print(table)
    example = next((setting for setting in by_value if not setting.is_current), None)
    if example is not None:
        override = f"data.select.{found.key}={_written(example)}"
        out.print(f"\nnext: {typed(f'seedbed run {shlex.quote(run_file)} --set {override}')}", soft_wrap=True)


def _written(setting: "Setting") -> str:
    if setting.value is None:
        return "off"
    return str(setting.value).lower() if isinstance(setting.value, bool) else f"{setting.value:g}"


def _moves(setting: "Setting", current: "Setting") -> str:
    """The reasons that more or fewer documents go for than now."""
    reasons = setting.dropped.keys() | current.dropped.keys()
    moved = {reason: setting.dropped[reason] - current.dropped[reason] for reason in reasons}
    most = sorted((r for r in moved if moved[r]), key=lambda reason: (-abs(moved[reason]), reason))[:_MOVES]
    return ", ".join(f"{reason} {moved[reason]:+,}" for reason in most)
