"""The files of a report."""

import json
from pathlib import Path

from seedbed.corpus_report.page import make
from seedbed.datasheet import datasheet_markdown
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.store import Store

PAGE = "report.html"


def write_report(store: Store, plan: Plan, folder: Path) -> list[Path]:
    """Write page and datasheet (Markdown and JSON) into `folder`, over those of an earlier report, and return them.

    Raises UsageError before there is a corpus, and where the folder cannot be written.
    """
    facts, page = make(store, plan)
    contents = {
        PAGE: page,
        "DATASHEET.md": datasheet_markdown(facts),
        "datasheet.json": json.dumps(facts, indent=1, ensure_ascii=False) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}; name another folder") from error
    return [folder / name for name in contents]
