"""`seedbed doctor`."""

import typer

from seedbed.cli.options import JsonOption, StateOption, StoreOption, places


def doctor(
    context: typer.Context, as_json: JsonOption = False, store: StoreOption = None, state: StateOption = None
) -> None:
    """Say what is missing or wrong on this machine, and how to mend it.

    Leaves with 1 where something needed is missing.
    """
    from seedbed.cli.printing import console, print_json
    from seedbed.doctor import MISSING, examine

    chosen = places(context, store, state)
    checks = examine(chosen.store, chosen.state)
    if as_json:
        print_json({"checks": [check.to_json() for check in checks]})
    else:
        out = console()
        for check in checks:
            out.print(f"{check.state:<8} {check.name}: {check.found}", soft_wrap=True)
            if check.mend:
                out.print(f"         {check.mend}", soft_wrap=True)
    if any(check.state == MISSING for check in checks):
        raise typer.Exit(1)
