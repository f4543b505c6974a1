"""Seedbed's steps from WARC to selected text with MinHash bands in Parquet, with their digests, sums and manifests.

python -m benchmarks.dataprep.seedbed_pipeline [--engine NAME] FILE...

Every filter and measure that is on in `RUN` works on every page. Units are done in this process, one after another.
"""

import argparse
import io
import tempfile
from pathlib import Path

from benchmarks.contest.meter import Meter, report
from benchmarks.dataprep.inputs import head_of
from dataprep.extraction.isolation import end_idle_children
from jobs.executor import InlineExecutor
from jobs.run import do_step
from jobs.step_run import Cluster
from seedbed.artifact import Artifact
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store

STEPS = ("extract", "clean", "annotate", "select")
RUN = Path(__file__).with_name("pipeline.yaml")
WARM_BYTES = 1 << 18


class ThisProcess:
    """A cluster that is this process."""

    def start(self) -> None:
        pass

    def executor(self) -> InlineExecutor:
        return InlineExecutor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", help="data.extract.engine; by default the run file's")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder, "warm"), options.files[0], options.engine)
        store, plan = planned(Path(folder, "timed"), options.files, options.engine)
        with Meter() as meter:
            seconds = run_steps(Path(folder, "timed"), store, plan, ThisProcess())
            end_idle_children()  # their time counts once they have ended
        documents = Artifact(store, "extract", plan.step("extract").fingerprint).committed()
        selected = Artifact(store, "select", plan.step("select").fingerprint).committed()
    report(
        meter,
        pages=documents["records_out"],
        num_bytes=sum(file.stat().st_size for file in options.files),
        text_bytes=documents["bytes_out"],
        kept=selected["records_out"],
        step_seconds=seconds,
        dropped=selected["dropped"],
    )


def warm(folder: Path, file: Path, engine: str | None, cluster: Cluster | None = None, copies: int = 1) -> None:
    """The steps over the first records of `file`, so that kernels and models are loaded: those are not timed."""
    folder.mkdir(parents=True)
    heads = [folder / f"head-{n}.warc.gz" for n in range(copies)]
    for head in heads:
        head.write_bytes(head_of(file, WARM_BYTES))
    store, plan = planned(folder / "run", heads, engine)
    run_steps(folder / "run", store, plan, cluster or ThisProcess())


def planned(folder: Path, files: list[Path], engine: str | None) -> tuple[Store, Plan]:
    """The plan of the steps over `files`, in a store of its own."""
    crawl = folder / "crawl"
    crawl.mkdir(parents=True)
    for file in files:
        (crawl / file.name).symlink_to(file.resolve())
    overrides = [f"data.sources.crawl.path={crawl}"] + ([f"data.extract.engine={engine}"] if engine else [])
    store = Store(str(folder / "store"))
    return store, make_plan(load_run(RUN, overrides), store)


def run_steps(folder: Path, store: Store, plan: Plan, cluster: Cluster) -> dict[str, float]:
    """Seconds of each step."""
    state = StateDirectory(folder / "state")
    seconds = {}
    for kind in STEPS:
        with Meter() as meter:
            do_step(plan.step(kind), plan, store, state, Progress(io.StringIO()), cluster)
        seconds[kind] = round(meter.seconds, 3)
    return seconds


if __name__ == "__main__":
    main()
