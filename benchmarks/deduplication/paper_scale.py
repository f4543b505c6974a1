"""What the step `deduplicate` takes for 1, 10 and 100 TB of text, from what it takes here.

python -m benchmarks.deduplication.paper_scale FOLDER    of `seedbed_step --prepare`

Units have the size that they have in a run. What grows with the documents is measured by document and multiplied; what
depends on how units meet (partitions, files, the size of a piece that is read) is computed as the step computes it.
Copies are as frequent as in FOLDER: that is the assumption to look at first.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.deduplication.seedbed_step import planned
from dataprep.deduplicate.blocks import BLOCK_PAIRS
from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.edges import VERIFIED_EDGES
from dataprep.deduplicate.keeper import MEMBERS
from dataprep.schemas import VERDICTS
from jobs import shuffled
from jobs.executor import InlineExecutor, OnDone
from jobs.run import do_step
from jobs.shuffled import row_bytes
from jobs.steps import compare, components, deduplicate, groups
from jobs.unit import UnitTask
from seedbed.artifact import Artifact, Report
from seedbed.progress import Progress
from seedbed.state import StateDirectory

TERABYTES = (1, 10, 100)
PER_UNIT = {  # phase -> what it has a unit for
    "bands": "shards",
    "candidates": "partitions",
    "gather": "shards",
    "texts": "shards",
    "verify": "blocks",
    "members": "shards",
    "far": "groups",
    "far_gather": "shards",
    "far_texts": "shards",
    "compare": "far_blocks",
    "groups": "groups",
    "map": "shards",
}
NO_PLANTS = "data.deduplicate.plants.number=0"
"""They are 300 documents and some seconds, whatever the corpus: not to be multiplied."""


@dataclass
class Phase:
    """One phase of the step: all its units, one after another on one core."""

    units: int
    seconds: float
    num_bytes: int  # that it has written
    files: int
    text_bytes: int  # of pairs, for which it has asked


class Watched(InlineExecutor):
    """Does the units in this process and writes down what each phase took and wrote."""

    def __init__(self, folder: Path) -> None:
        self.phases: dict[str, Phase] = {}
        self._folder = folder

    def start(self) -> None: ...

    def executor(self) -> "Watched":
        return self

    def run(self, tasks: Iterable[UnitTask], on_done: OnDone, *rest: Any) -> None:
        tasks, before, started = list(tasks), _sizes(self._folder), time.process_time()
        asked_for = []

        def done(task: UnitTask, report: Report) -> None:
            asked_for.append(report.counts.get("text_bytes", 0))
            on_done(task, report)

        super().run(tasks, done, *rest)
        seconds, after = time.process_time() - started, _sizes(self._folder)
        written = sum(after) - sum(before), len(after) - len(before)
        self.phases[tasks[0].phase] = Phase(len(tasks), seconds, *written, sum(asked_for))


def _sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]


def measured(folder: Path) -> dict[str, Any]:
    """The step once, whole."""
    store, plan = planned(folder, NO_PLANTS)
    artifact = Artifact(store, "deduplicate", plan.step("deduplicate").fingerprint)
    store.delete(artifact.path)
    cluster = Watched(Path(store.url) / artifact.path)
    started = time.process_time()
    with Path("/dev/null").open("w") as nowhere:
        step = plan.step("deduplicate")
        do_step(step, plan, store, StateDirectory(folder / "state"), Progress(nowhere), cluster)
    seconds = time.process_time() - started
    selected = Artifact(store, "select", plan.step("select").fingerprint).committed()
    done = artifact.committed()
    return {
        "documents": done["records_in"],
        "text_bytes": selected["bytes_out"],
        "removed": done["records_in"] - done["records_out"],
        "counts": done["counts"],
        "phases": {name: asdict(phase) for name, phase in cluster.phases.items()},
        "seconds": seconds,
        "driver_seconds": seconds - sum(phase.seconds for phase in cluster.phases.values()),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def at_scale(found: dict[str, Any], terabytes: float, shard_bytes: float, pairs_per_second: float) -> dict[str, float]:
    """The step over so much text, in shards of `shard_bytes` of it; `pairs_per_second` are joined out of core."""
    times = terabytes * 1e12 / found["text_bytes"]
    phases, counts = found["phases"], found["counts"]
    documents = found["documents"] * times
    shards = terabytes * 1e12 / shard_bytes
    pairs, edges = counts["candidate_pairs"] * times, counts["verified_pairs"] * times
    by_pairs = pairs // compare.PARTITION_PAIRS
    by_text, by_far_text = (
        phases[name]["text_bytes"] * times // compare.PARTITION_TEXT_BYTES for name in ("gather", "far_gather")
    )
    units = {
        "shards": shards,
        "partitions": documents // deduplicate.SURVIVORS_PER_PARTITION + 1,
        "blocks": max(by_pairs, by_text) + 1,
        "far_blocks": by_far_text + 1,
        "groups": edges // groups.PAIRS_PER_PARTITION + 1,
    }
    seconds = sum(phase["seconds"] for phase in phases.values()) * times
    files = sum(phases[name]["files"] / phases[name]["units"] * units[unit] for name, unit in PER_UNIT.items())
    return {
        "documents": documents,
        "core_hours": seconds / 3600,
        "scratch_bytes": sum(phase["num_bytes"] for phase in phases.values()) * times,
        "files": files,
        "candidate_pairs": pairs,
        "verified_pairs": edges,
        "edges_bytes": edges * components.BYTES_PER_EDGE,
        "component_hours": edges / pairs_per_second / 3600,
        **{f"{name}_units": number for name, number in units.items()},
        **_reads(units, _shuffled_bytes(counts, phases["gather"]["text_bytes"], times)),
    }


SHUFFLES = {  # table -> what it has a file for, and a piece for
    "bands": ("shards", "partitions"),
    "candidates": ("partitions", "shards"),
    "texts": ("shards", "blocks"),
    "texts_pairs": ("shards", "blocks"),
    "verified": ("blocks", "shards"),
    "members": ("shards", "groups"),
    "edges": ("shards", "groups"),
    "losers": ("groups", "shards"),
}
"""But for those of `far`, of which there are fewer: a 40th of the blocks."""

INDEX_BYTES = 24
"""Of a piece in its file (`seedbed.pieces`)."""

MERGED_BYTES_PER_SECOND, SECONDS_PER_MERGED_PIECE = 140e6, 14e-6
"""Of rows of text, and of a piece that has next to nothing, where it is written and merged; measured by hand."""


def _shuffled_bytes(counts: dict[str, int], text_bytes: float, times: float) -> dict[str, float]:
    """Of each table, before compression; `counts` and `text_bytes` are of what was measured."""
    edges = counts["verified_pairs"] * row_bytes(VERIFIED_EDGES)
    measured = {
        "bands": counts["band_rows"] * row_bytes(BAND_ROWS),
        "candidates": 2 * counts["proposed_pairs"] * row_bytes(BLOCK_PAIRS),  # for the shards of both
        "texts": text_bytes,
        "texts_pairs": counts["candidate_pairs"] * row_bytes(BLOCK_PAIRS),
        "verified": edges,
        "members": counts["members"] * row_bytes(MEMBERS),
        "edges": edges,
        "losers": counts["losers"] * row_bytes(VERDICTS),
    }
    return {table: num_bytes * times for table, num_bytes in measured.items()}


def _reads(units: dict[str, float], num_bytes: dict[str, float]) -> dict[str, float]:
    """Pieces of all tables; how often files are read and how much is merged first, as the step does it."""
    pieces = reads = merged_pieces = merged_bytes = 0.0
    for table, (of_files, of_pieces) in SHUFFLES.items():
        num_files, num_pieces = round(units[of_files]), round(units[of_pieces])
        pieces += num_files * num_pieces
        merging = shuffled.merging_of(num_files, num_pieces, round(num_bytes[table]))
        if merging is None:
            reads += num_files * num_pieces
            continue
        reads += merging.num_reads
        merged_pieces += num_files * num_pieces
        merged_bytes += num_bytes[table]
    seconds = merged_bytes / MERGED_BYTES_PER_SECOND + merged_pieces * SECONDS_PER_MERGED_PIECE
    return {
        "pieces": pieces,
        "index_bytes": pieces * INDEX_BYTES,
        "reads": reads,
        "merged_bytes": merged_bytes,
        "merging_hours": seconds / 3600,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deduplication.paper_scale", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shard-bytes", type=float, default=500e6, help="of text in a shard (%(default)s)")
    joined = "joined by `components` out of core, on one core (%(default)s)"
    parser.add_argument("--pairs-per-second", type=float, default=13_446.0, help=joined)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "paper_scale.json")
    arguments = parser.parse_args()
    found = measured(arguments.folder)
    told = {f"{n} TB": at_scale(found, n, arguments.shard_bytes, arguments.pairs_per_second) for n in TERABYTES}
    arguments.out.write_text(json.dumps({"measured": found, "computed": told}, indent=1) + "\n")
    megabytes = found["text_bytes"] / 1e6
    print(f"{found['documents']:,} documents, {megabytes:,.1f} MB of text, peak {found['peak_bytes'] / 2**20:,.0f} MiB")
    print("| phase | units | seconds | MB/s of text | bytes written for a byte of text |\n|---|---|---|---|---|")
    for name, phase in found["phases"].items():
        rate = megabytes / phase["seconds"] if phase["seconds"] else float("inf")
        share = phase["num_bytes"] / found["text_bytes"]
        print(f"| {name} | {phase['units']} | {phase['seconds']:.2f} | {rate:,.0f} | {share:.3f} |")
    print(f"outside the units: {found['driver_seconds']:.1f} s")
    print(f"| | {' | '.join(told)} |\n|---{'|---' * len(told)}|")
    for name in next(iter(told.values())):
        print(f"| {name} | {' | '.join(f'{row[name]:,.3g}' for row in told.values())} |")


if __name__ == "__main__":
    main()
