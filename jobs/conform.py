"""The driver of `seedbed conform`: `python -m jobs.conform LAUNCH_FILE` compares a run's layout with one process.

It starts the run's ranks where the run would start them, and keeps the certificate beside the run.
"""

import json
import sys
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.placement_group import remove_placement_group

from dataprep.errors import SeedbedError
from jobs.cluster import RayCluster
from jobs.ending import EndingSignals
from jobs.pretrain.conform.certificate import certificate, trial_of
from jobs.pretrain.conform.member import Member
from jobs.pretrain.placement import on_bundle, place, refuse_too_small_a_cluster
from seedbed import runs
from seedbed.conformance import ConformLaunch, print_certificate
from seedbed.errors import InfrastructureError
from seedbed.runfile.run import RunConfig
from seedbed.store import Store

NOT_CONFORMING = 1  # the exit code where a case is beyond its limit


def main(argv: list[str], signals: EndingSignals | None = None) -> int:
    """Compare, keep the certificate and print it; the exit code."""
    signals = signals or EndingSignals()
    launch = ConformLaunch(**json.loads(Path(argv[0]).read_text()))
    store = Store(launch.store_url)
    try:
        run = runs.load_plan(store, launch.run_id).run
        made = _compare(launch, run, store)
        store.write(f"runs/{launch.run_id}/{runs.CONFORMANCE}", json.dumps(made, indent=1).encode())
    except SeedbedError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except (KeyboardInterrupt, SystemExit):
        print("interrupted: no certificate was written", file=sys.stderr, flush=True)
        return signals.exit_code
    print_certificate(made)
    return 0 if made["passed"] else NOT_CONFORMING


def _compare(launch: ConformLaunch, run: RunConfig, store: Store) -> dict[str, Any]:
    trial = trial_of(run, launch.full)
    cluster = RayCluster(run.cluster, store, [])
    try:
        cluster.start()
        refuse_too_small_a_cluster(run.cluster)
        whole = run.cluster.model_copy(update={"min_training_ranks": None})  # another number is another layout
        group, num_ranks = place(whole, run.training.pipeline_stages, lambda _: None, lambda: None)
        try:
            actor = ray.remote(Member)
            timeout = run.training.hang_timeout_s
            members = [on_bundle(actor, group, whole, n).remote(whole, n, timeout) for n in range(num_ranks)]
            address = ray.get(members[0].address.remote())
            (device, results), *_ = ray.get([member.compare.remote(address, trial.cases) for member in members])
        except RayActorError as error:
            raise InfrastructureError(f"a rank of the comparison was lost: {error}; try again") from error
        except RayTaskError as error:
            raise SeedbedError(f"a rank of the comparison failed: {error.cause or error}") from error
        finally:
            remove_placement_group(group)
    finally:
        cluster.stop()
    return certificate(launch.run_id, run, trial, results, device)


if __name__ == "__main__":
    listening = EndingSignals()
    listening.install()
    sys.exit(main(sys.argv[1:], listening))
