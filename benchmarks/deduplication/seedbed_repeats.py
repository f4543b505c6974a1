"""The step `repeats` as a run does it, through its files, every unit in this process, one after another.

python -m benchmarks.deduplication.seedbed_repeats FOLDER KIND...    of `substrings`, `lines`, `paragraphs`

The steps before it are done with --prepare TEXTS, in another process: memory is the step's alone.
"""

import sys
from pathlib import Path

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.seedbed_step import do, planned, prepared
from seedbed.artifact import Artifact


def prepare(texts: Path, folder: Path) -> None:
    """Everything before the step, in `folder`, unless it is there."""
    prepared(texts, folder)
    store, plan = planned(folder)
    if not Artifact(store, "deduplicate", plan.step("deduplicate").fingerprint).is_committed():
        do(folder, store, plan, "deduplicate")


def main(folder: Path, kinds: list[str]) -> None:
    store, plan = planned(folder, f"data.repeats={{{', '.join(f'{kind}: {{}}' for kind in kinds)}}}")
    artifact = Artifact(store, "repeats", plan.step("repeats").fingerprint)
    store.delete(artifact.path)
    with Meter() as meter:
        do(folder, store, plan, "repeats")
    done = artifact.committed()
    report(meter, pages=done["records_in"], num_bytes=done["bytes_in"], counts=done["counts"])


if __name__ == "__main__":
    if sys.argv[1] == "--prepare":
        prepare(*map(Path, sys.argv[2:]))
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
