"""The entry on a cluster: `python -m jobs.submitted launch.json --bundle DIGEST --job N --attempt M --submitted-at T`.

Ray has unpacked the bundle where this starts. From here on it is a driver like any other, of the Ray that it runs in;
what it has to say goes into the store.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from dataprep.errors import SeedbedError
from jobs import run
from jobs.ending import EndingSignals
from jobs.scratch import scratch_folder
from seedbed.bundle import check_unpacked
from seedbed.errors import UsageError
from seedbed.launch import Launch, keep_launch
from seedbed.state import StateDirectory
from seedbed.submission import placed_tracking

THIS_RAY = "auto"
"""`cluster.address` of a driver that Ray itself has started: RAY_ADDRESS says where."""


def main(argv: list[str], signals: EndingSignals | None = None) -> int:
    """Carry the submitted run out; the driver's exit code."""
    arguments, _ = _parser().parse_known_args(argv)  # a newer controller may say more than this bundle takes
    try:
        path = _placed(arguments)
    except (SeedbedError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code if isinstance(error, SeedbedError) else UsageError.exit_code
    return run.main([str(path)], signals)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs.submitted", description=__doc__)
    parser.add_argument("launch", help="launch.json of the bundle")
    parser.add_argument("--bundle", help="the digest that was submitted")
    parser.add_argument("--job", type=int, help="its number in the registry")
    parser.add_argument("--attempt", type=int, help="which start of the job this is, from 1")
    parser.add_argument("--submitted-at", type=float, default=0.0, help="seconds since 1970")
    parser.add_argument("--owner", help="who submitted the job")
    parser.add_argument("--mlflow-uri", help="the cluster's MLflow, for a run file that names none")
    parser.add_argument("--dashboard-url", help="the dashboard, for a run file that names none")
    return parser


def _placed(arguments: argparse.Namespace) -> Path:
    """The launch of this attempt, written into a state directory of this node. Raises UsageError, OSError."""
    given = Path(arguments.launch).absolute()
    if arguments.bundle is not None:
        root = Path(run.__file__).resolve().parent.parent
        if root != given.parent.resolve():
            raise UsageError(
                f"the code that runs is in {root}, but the bundle is in {given.parent}: something on PYTHONPATH of"
                " the cluster's nodes goes before Ray's working directory; take it away"
            )
        check_unpacked(given.parent, arguments.bundle)
    launch = Launch.read(given)
    if launch.cluster is None:
        raise UsageError(f"{given} says nothing of the cluster: submit the run again")
    cluster = launch.cluster | {"address": THIS_RAY}
    # One for all attempts of the run on this node: what an earlier one had no time to send is sent by the next.
    root = scratch_folder(cluster.get("scratch_dir"), f"state/{launch.run_id}")
    placed = replace(
        launch,
        state_root=str(root),
        at=arguments.submitted_at,
        job=arguments.job,
        attempt=arguments.attempt,
        cluster=cluster,
        owner=arguments.owner,
        tracking=placed_tracking(launch.tracking or {}, arguments.mlflow_uri, arguments.dashboard_url),
    )
    return keep_launch(StateDirectory(root), placed)


if __name__ == "__main__":
    listening = EndingSignals()
    listening.install()
    sys.exit(main(sys.argv[1:], listening))
