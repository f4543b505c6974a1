"""`seedbed takedown`."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, StateOption, StoreOption, places
from seedbed.programs import typed

NOTHING_FOUND_EXIT_CODE = 4
"""Of its own: a script that answers requests must tell "nothing is there" from what went wrong."""
NOT_LOOKED_AT_EXIT_CODE = 1
"""For the same script: what a run that could not be looked at holds, or one that still reads, nobody has said."""


MAX_DOCUMENTS = 20
"""That are listed without --all, of those that match, of their copies and of their tokens: a domain has thousands."""


def takedown(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="URL-or-id-or-domain", help="A URL, source/path#number, a domain.")],
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="Look at this run (id or name) alone.", autocompletion=completion.runs
        ),
    ] = None,
    add: Annotated[
        Path | None, typer.Option("--add", metavar="FILE", help="Also put it into this removal list.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=f"List more than {MAX_DOCUMENTS} documents, too.")] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Where a page lies: texts, token shards, trained models, copies; and what the next run would do without it.

    Leaves with 0 where documents match, 4 where none does, 2 where it is no URL, id or domain, 1 where a run could not
    be looked at, or none matches and a run has not read its files to the end. Removes nothing.
    """
    from seedbed import runs
    from seedbed.cli.printing import print_json
    from seedbed.takedown import add_entry, read_plans
    from seedbed.takedown import takedown as look

    here = places(context, store, state)
    opened, directory = here.open_store(), here.state_directory()
    records = runs.all_runs(opened, directory) if run is None else [runs.find(opened, directory, run)]
    plans, unread = read_plans(opened, [record.run for record in records])
    told = look(opened, plans, target, unread)
    if add is not None:
        told["added"] = {"file": str(add.absolute()), "is_new": add_entry(add, target)}
    if as_json:
        print_json(told)
    else:
        _print_told(told, None if every else MAX_DOCUMENTS)
    if told["not_looked_at"] or (told["unfinished"] and not told["documents"]):
        raise typer.Exit(NOT_LOOKED_AT_EXIT_CODE)
    if not told["documents"]:
        raise typer.Exit(NOTHING_FOUND_EXIT_CODE)


def _print_told(told: dict[str, Any], at_most: int | None) -> None:
    from seedbed.cli.printing import console, plain_table

    out = console()

    def listed(lines: list[str]) -> None:
        for line in lines[:at_most]:
            out.print(f"  {line}", soft_wrap=True)
        if at_most is not None and len(lines) > at_most:
            out.print(f"  and {len(lines) - at_most:,} more: --all lists them")

    number = len(told["documents"])
    out.print(f"{told['kind']} {told['target']}: {number:,} document{'s' * (number != 1)}", soft_wrap=True)
    listed([f"{document['document_id']}  {document['url'] or ''}" for document in told["documents"]])
    if told["copies"]:
        out.print("\ncopies elsewhere, exact or near, which this entry does not name:")
        listed([f"{copy['document_id']}  {copy['url'] or ''}" for copy in told["copies"]])
    if told["artifacts"]:
        table = plain_table("artifact", "holds", "documents", "runs", right=("documents",))
        for artifact in told["artifacts"]:
            table.add_row(artifact["path"], artifact["holds"], f"{artifact['documents']:,}", " ".join(artifact["runs"]))
        out.print()
        out.print(table)
    for artifact in told["artifacts"]:
        listed(
            [
                f"tokens of {place['document_id']}: {place['shard']} from {place['first_token']:,},"
                f" {place['num_tokens']:,} of them"
                for place in artifact.get("tokens", ())
            ]
        )
        if artifact.get("checkpoints"):
            out.print(f"  checkpoints of {artifact['path']}: {', '.join(artifact['checkpoints'])}", soft_wrap=True)
    for path in told["unfinished"]:
        out.print(f"  {path} is not finished and was not looked through", soft_wrap=True)
    for one in told["not_looked_at"]:
        out.print(f"\nrun {one['run']} could not be looked at: {one['why']}", soft_wrap=True)
    out.print("\n" + "\n".join(_next_lines(told)), soft_wrap=True)


def _next_lines(told: dict[str, Any]) -> list[str]:
    """What the next run does, for people."""
    coming, added = told["next_run"], told.get("added")
    lines = []
    if added is not None:
        lines.append(f"{'added to' if added['is_new'] else 'stands already in'} {added['file']}")
    if coming is None:
        return [*lines, "no plan can be read" if told["not_looked_at"] else "no runs in this store"]
    if not told["documents"]:
        return [
            *lines,
            "no run of this store has read it, as far as they could be looked at: nothing is to be done anew",
        ]
    if coming["was_made_with_it"]:
        lines.append(
            f"run {coming['run']} was made with it in its removal lists: it holds nothing of it after `select`"
        )
    else:
        if not coming["is_listed"] and (added is None or added["file"] not in coming["removal_lists"]):
            lines.append(_how_to_list(told["target"], coming["removal_lists"], is_added=added is not None))
        took = sum(coming["seconds_last_time"].values())
        lines.append(
            f"then `seedbed run` keeps {', '.join(coming['kept'])} and does {', '.join(coming['redone'])} anew:"
            f" {took:.0f} s the last time"
        )
    return [*lines, told["note"]]


def _how_to_list(target: str, lists: list[str], is_added: bool) -> str:
    """How the entry comes into a list that the run file names."""
    if is_added:
        return "that list is none of the run file's: name it under data.removals.path"
    add = typed(f"seedbed takedown {shlex.quote(target)} --add {shlex.quote(lists[0]) if lists else 'removals.txt'}")
    name = "" if lists else "; then name that list under data.removals.path of the run file"
    return f"not in the removal lists of the run file: `{add}` puts it into one{name}"
