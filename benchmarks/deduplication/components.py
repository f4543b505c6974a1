"""Components of a made-up graph as large as the machine holds, out of core, with the step's own phases.

python -m benchmarks.deduplication.components FOLDER [--documents 1e9] [--pairs 2e7] [--at-a-time 2e6]

Groups of documents, two of a size for most and a thousand times that for some (Zipf), are drawn from all documents; the
members of a group hang on its smallest, as `candidates` links them, and every tenth on the one before it, as chains do.
Every unit is done in this process, one after another; what comes out is held against SciPy's components of all pairs in
memory.
"""

import argparse
import resource
import shutil
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.contest.meter import Meter
from dataprep import document_id
from dataprep.deduplicate.edges import VERIFIED_EDGES
from jobs.shuffled import Shuffled
from jobs.step_run import total
from jobs.steps.components import find_components
from jobs.unit import UnitTask, execute
from seedbed.artifact import Artifact, Report, write_scratch
from seedbed.store import Store

NUM_SHARDS = 64
LARGEST_GROUP = 100_000
ZIPF = 2.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the store; what is in it is removed")
    parser.add_argument("--documents", type=float, default=1e9)
    parser.add_argument("--pairs", type=float, default=2e7)
    parser.add_argument("--at-a-time", type=float, default=2e6, help="pairs that a unit may hold")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    low, high = pairs_of(round(options.documents), round(options.pairs))
    print(f"{len(low):,} pairs of {options.documents:,.0f} documents", flush=True)
    store = Store(str(options.folder / "store"))
    artifact = Artifact(store, "deduplicate", "0" * 16)
    prefixes = write_pairs(artifact, low, high, round(options.documents))
    with Meter() as meter:
        found = find_components(
            artifact,
            Phases(artifact),
            Shuffled("verified", list(prefixes)),
            prefixes,
            len(low),
            round(options.at_a_time),
        )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{found.num_rounds} rounds over {len(found.components.parts)} partitions: {meter.seconds:,.0f} s,"
        f" {len(low) / meter.seconds:,.0f} pairs/s, {found.num_members:,} members; peak {peak_mib:,.0f} MiB,"
        " the graph's making included"
    )
    check(artifact, found.components, low, high)


def pairs_of(num_documents: int, num_pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """int64[pairs]: the smaller and the greater document of each."""
    rng = np.random.default_rng(0)
    sizes = np.minimum(rng.zipf(ZIPF, num_pairs) + 1, LARGEST_GROUP)
    sizes = sizes[: np.searchsorted(np.cumsum(sizes - 1), num_pairs) + 1]
    members = rng.integers(0, num_documents, sizes.sum())
    group = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((members, group))
    members = members[order]
    starts = np.cumsum(sizes) - sizes
    first = np.repeat(members[starts], sizes)
    other = np.where(np.arange(len(members)) % 10 == 0, np.roll(members, 1), first)
    other[starts] = members[starts]  # the smallest hangs on itself: no pair
    is_pair = other != members
    low, high = np.minimum(other, members)[is_pair], np.maximum(other, members)[is_pair]
    distinct = np.unique(np.stack([low, high], axis=1), axis=0)
    return distinct[:, 0], distinct[:, 1]


def write_pairs(artifact: Artifact, low: np.ndarray, high: np.ndarray, num_documents: int) -> dict[str, str]:
    """As `verify` leaves them, in files: here one a shard, which is a run of documents. What leads each's ids (hex)."""
    prefixes = {f"{n:05d}": document_id.file_prefix("made-up", str(n)).hex() for n in range(NUM_SHARDS)}
    for shard in range(NUM_SHARDS):
        start, stop = (np.searchsorted(low, num_documents * n // NUM_SHARDS) for n in (shard, shard + 1))
        ends = [ids_of(part[start:stop], num_documents, list(prefixes.values())) for part in (low, high)]
        columns = [*ends, pa.array(np.ones(stop - start))]
        pairs = pa.Table.from_arrays(columns, schema=VERIFIED_EDGES)
        write_scratch(artifact, "verified", f"{shard:05d}", VERIFIED_EDGES, [pairs])
    return prefixes


def ids_of(documents: np.ndarray, num_documents: int, prefixes: list[str]) -> pa.Array:
    firsts = pa.array([document_id.pack(bytes.fromhex(prefix), 0) for prefix in prefixes], document_id.ID)
    high, low = document_id.words(firsts)
    shard = documents * NUM_SHARDS // num_documents
    return document_id.from_words(high[shard], low[shard] + documents.astype(np.uint64))


class Phases:
    """Does the units of each phase here, and says how long that took."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact

    def __call__(self, function: str, units: list[str], name: str | None = None, **arguments: object) -> Report:
        begun, artifact = time.monotonic(), self._artifact
        path = f"jobs.steps.components:{function}_unit"
        place = (artifact.store.url, None, artifact.kind, artifact.fingerprint, {}, {}, name or function)
        reports = {unit: execute(UnitTask(*place, unit, path, arguments)) for unit in units}
        print(f"  {name or function}: {time.monotonic() - begun:.0f} s", flush=True)
        return total(reports)


def check(artifact: Artifact, found: Shuffled, low: np.ndarray, high: np.ndarray) -> None:
    """Raises SystemExit unless the members of each component are those that SciPy finds."""
    documents, ends = np.unique(np.concatenate([low, high]), return_inverse=True)
    graph = coo_array((np.ones(len(low), np.bool_), (ends[: len(low)], ends[len(low) :])), shape=2 * (len(documents),))
    num_components, label = connected_components(graph, directed=False)
    smallest = np.full(num_components, len(documents), np.int64)
    np.minimum.at(smallest, label, np.arange(len(documents)))
    members, components = 0, []
    for shard in range(NUM_SHARDS):
        of_shard = found.piece(artifact, shard)
        members += of_shard.num_rows
        components.append(pc.unique(of_shard["component"].combine_chunks()))
    num_found = len(pc.unique(pa.concat_arrays(components)))
    if (members, num_found) != (len(documents), num_components):
        raise SystemExit(
            f"{members:,} members of {num_found:,} components; SciPy: {len(documents):,} of {num_components:,}"
        )
    print(f"{num_components:,} components of {members:,} members, as SciPy finds them")


if __name__ == "__main__":
    main()
