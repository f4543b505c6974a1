"""`seedbed scaling`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli.options import JsonOption

if TYPE_CHECKING:
    from seedbed.scaling.laws import Optimum


def scaling(
    flops: Annotated[float, typer.Argument(metavar="FLOPS", help="Training FLOPs to spend, such as 1e21.", min=1e9)],
    as_json: JsonOption = False,
) -> None:
    """Say what size of model these FLOPs train best, and on how many tokens, by each published law."""
    from seedbed.cli.printing import console, plain_table, print_json
    from seedbed.scaling.laws import optima

    found = optima(flops)
    if as_json:
        print_json({"optima": [asdict(best) for best in found]})
        return
    table = plain_table("law", "trains best")
    for best in found:
        table.add_row(best.law, in_words(best))
    console().print(table)


def in_words(best: "Optimum") -> str:
    """Size, tokens and loss of the best model, or why the law says none."""
    from seedbed.units import si

    predicted = best.predicted_loss
    if best.parameters is None or best.tokens is None or predicted.value is None:
        return f"unknown: {predicted.reason}"
    size = f"{si(best.parameters).strip()} parameters on {si(best.tokens).strip()} tokens"
    return f"{size}, {best.tokens / best.parameters:.1f} each: {predicted.value:.3f} nats per token"
