"""The driver: `python -m jobs.run LAUNCH_FILE` carries a plan out, step by step, on Ray.

Killed anywhere, the same command goes on: what is committed in the store is not done again.
"""

import importlib
import logging
import sys
import traceback

from dataprep.errors import SeedbedError
from jobs.cluster import LocalCluster
from jobs.step_run import StepRun
from seedbed import faults, runs
from seedbed.artifact import Artifact
from seedbed.errors import BudgetRefused
from seedbed.launch import Launch, refusal
from seedbed.plan import Plan, PlannedStep, check_with_measured_tokens
from seedbed.progress import Progress
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.summary import print_end, print_step

logger = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Carry out the run that the launch file names; the exit code."""
    launch = Launch.read(argv[0])
    store, state, progress = Store(launch.store_url), StateDirectory(launch.state_root), Progress()
    try:
        return _run(launch, store, state, progress)
    except SeedbedError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr, flush=True)
        return 130


def _run(launch: Launch, store: Store, state: StateDirectory, progress: Progress) -> int:
    def waiting(holder: str) -> None:
        progress.say(f"run {launch.run_id} is already carried out by {holder}; waiting for it")

    with state.lease(runs.lease_name(launch.run_id), waiting):
        plan = runs.load_plan(store, launch.run_id)
        record = runs.load(store, launch.run_id)
        assert record is not None, "the launcher records a run before it starts it"
        record.begin_attempt()
        runs.save(store, record)
        try:
            stopped = _carry_out(plan, launch, store, state, progress)
        except SeedbedError as error:
            record.end_attempt(runs.FAILED, str(error))
            raise
        except KeyboardInterrupt:
            record.end_attempt(runs.INTERRUPTED, "interrupted by its user")
            raise
        except Exception as error:
            log = state.folder("logs") / f"{launch.run_id}.traceback"
            log.write_text(traceback.format_exc())
            record.end_attempt(runs.FAILED, f"{type(error).__name__}: {error}")
            raise SeedbedError(
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}; this is a defect of "
                f"Seedbed, its traceback is in {log}"
            ) from error
        else:
            record.end_attempt(runs.STOPPED if stopped else runs.FINISHED)
        finally:
            runs.save(store, record)
    print_end(store, state, plan, progress)
    return 0


def _carry_out(plan: Plan, launch: Launch, store: Store, state: StateDirectory, progress: Progress) -> bool:
    """Do every step that is not done; whether `--until` ended it before the last."""
    cluster = LocalCluster(plan.run.cluster)
    try:
        for planned in plan.steps:
            do_step(planned, plan, store, state, progress, cluster)
            if planned.kind == "shards":
                _check_budget_again(plan, store, launch.over_budget, progress)
            if planned.kind == launch.until:
                return planned is not plan.steps[-1]
    finally:
        cluster.stop()
    return False


def do_step(
    planned: PlannedStep, plan: Plan, store: Store, state: StateDirectory, progress: Progress, cluster: LocalCluster
) -> None:
    """Make the step's artifact, unless it is there; another run that is making it is waited for."""
    artifact = Artifact(store, planned.kind, planned.fingerprint)

    def waiting(holder: str) -> None:
        progress.say(f"{planned.kind}: another run is at it ({holder}); waiting for its result")

    manifest = artifact.manifest()
    if manifest is None:
        with state.lease(f"{planned.kind}-{planned.fingerprint}", waiting):
            manifest = artifact.manifest()
            if manifest is None:
                faults.point(f"{planned.kind}.begin")
                step = _step_run(planned, artifact, plan, state, progress, cluster)
                importlib.import_module(f"jobs.steps.{planned.kind}").run(step)
                print_step(progress, artifact, cached=False)
                return
    print_step(progress, artifact, cached=True)


def _step_run(
    planned: PlannedStep,
    artifact: Artifact,
    plan: Plan,
    state: StateDirectory,
    progress: Progress,
    cluster: LocalCluster,
) -> StepRun:
    return StepRun(
        artifact=artifact,
        version=planned.version,
        parents={kind: Artifact(artifact.store, kind, name) for kind, name in planned.parents.items()},
        config=planned.config,
        software=planned.software,
        state=state,
        cluster=cluster,
        progress=progress,
        plan=plan,
    )


def _check_budget_again(plan: Plan, store: Store, over_budget: str | None, progress: Progress) -> None:
    """Now that the tokens are counted: raises BudgetRefused where the real number is over a limit."""
    verdict, findings = check_with_measured_tokens(plan, store)
    for finding in findings:
        if finding.level != "pass":
            progress.say(f"budget: {finding.level}: {finding.message}")
    if verdict == "refuse" and not over_budget:
        raise BudgetRefused(refusal(plan.run_id, findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
