"""The step `deduplicate` as a run does it, through its files, every unit in this process, one after another.

python -m benchmarks.deduplication.seedbed_step FOLDER    of `prepared`

The steps before it are done by `prepared`, in another process: memory is the step's alone.
"""

import io
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contest.meter import Meter, report
from benchmarks.dataprep.seedbed_pipeline import ThisProcess
from benchmarks.deduplication.texts import read_texts
from jobs.run import do_step
from jobs.steps import compare, deduplicate, groups
from seedbed.artifact import Artifact
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store

RUN = Path(__file__).with_name("step.yaml")
BEFORE = ("extract", "clean", "annotate", "select")
SMALLER = 64
"""What a unit takes at a time is so much less than in a run: ten copies of some thousand pages are cut into as many
parts as some million are."""

EDIT_EVERY = (0, 400, 100, 40, 20, 10, 7, 5, 4, 3)
"""Of a copy's words, the distance of those that are changed; 0: none."""


def write_copies(texts: Path, folder: Path, first: float, copies: int, shard_bytes: int) -> None:
    """The first share of the texts as Parquet files of about `shard_bytes` of text, and as many edited copies of them
    as `copies` says: the n-th has every `EDIT_EVERY[n]`-th word changed."""
    text = read_texts(texts)
    text = text.slice(0, round(len(text) * first))
    folder.mkdir(parents=True)
    num_shards = max(1, round(text.nbytes / shard_bytes))
    for copy in range(copies):
        for shard in range(num_shards):
            start, stop = (len(text) * n // num_shards for n in (shard, shard + 1))
            part = text.slice(start, stop - start)
            edited = [_edited(one, EDIT_EVERY[copy], copy) for one in part.to_pylist()]
            pq.write_table(pa.table({"text": edited}), folder / f"{copy}-{shard:04d}.parquet")


def _edited(text: str, every: int, copy: int) -> str:
    if not every:
        return text
    words = text.split(" ")
    for at in range(copy % every, len(words), every):
        words[at] = f"{words[at]}{copy}"
    return " ".join(words)


def prepared(texts: Path, folder: Path, first: float = 1.0, copies: int = 1, shard_bytes: int = 8 << 20) -> None:
    """Everything before the step, in `folder`, unless it is there."""
    if (folder / "ready").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    write_copies(texts, folder / "texts", first, copies, shard_bytes)
    store, plan = planned(folder)
    for kind in BEFORE:
        do(folder, store, plan, kind)
    (folder / "ready").touch()


def main(folder: Path) -> None:
    deduplicate.SURVIVORS_PER_PARTITION //= SMALLER
    groups.PAIRS_PER_PARTITION //= SMALLER
    compare.PARTITION_TEXT_BYTES //= SMALLER
    compare.PARTITION_PAIRS //= SMALLER
    compare.MAX_TEXT_BYTES //= SMALLER
    store, plan = planned(folder)
    artifact = Artifact(store, "deduplicate", plan.step("deduplicate").fingerprint)
    store.delete(artifact.path)
    with Meter() as meter:
        do(folder, store, plan, "deduplicate")
    selected = Artifact(store, "select", plan.step("select").fingerprint).committed()
    done = artifact.committed()
    report(
        meter,
        pages=done["records_in"],
        num_bytes=selected["bytes_out"],
        removed=done["records_in"] - done["records_out"],
        shards=len(done["input_shards"]),
        counts=done["counts"],
    )


def planned(folder: Path, *changes: str) -> tuple[Store, Plan]:
    store = Store(str(folder / "store"))
    return store, make_plan(load_run(RUN, [f"data.sources.texts.path={folder / 'texts'}", *changes]), store)


def do(folder: Path, store: Store, plan: Plan, kind: str) -> None:
    do_step(plan.step(kind), plan, store, StateDirectory(folder / "state"), Progress(io.StringIO()), ThisProcess())


if __name__ == "__main__":
    if sys.argv[1] == "--prepare":
        texts, folder, first, copies = sys.argv[2:]
        prepared(Path(texts), Path(folder), float(first), int(copies))
    else:
        main(Path(sys.argv[1]))
