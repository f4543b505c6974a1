"""The driver: `python -m jobs.run LAUNCH_FILE` carries a plan out, step by step, on Ray.

Killed anywhere, the same command goes on: what is committed in the store is not done again.
"""

import contextlib
import importlib
import io
import signal
import sys
import traceback
from pathlib import Path

from dataprep.errors import SeedbedError
from jobs.cluster import RayCluster
from jobs.ending import EndingSignals
from jobs.machine import refused
from jobs.pretrain.task import Stopped
from jobs.step_run import Cluster, StepRun
from seedbed import faults, runs
from seedbed.artifact import Artifact
from seedbed.errors import BudgetPassed, BudgetRefused, StoreError
from seedbed.launch import ENDING_SIGNALS, Launch, refusal
from seedbed.lease import Leases
from seedbed.plan import Plan, PlannedStep, check_again
from seedbed.progress import Progress
from seedbed.quarantine import check_quarantine
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.summary import print_end, print_step
from seedbed.tracking.tracker import Tracker


def main(argv: list[str], signals: EndingSignals | None = None) -> int:
    """Carry out the run that the launch file names; the exit code."""
    signals = signals or EndingSignals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not an error
    launch = Launch.read(argv[0])
    state = StateDirectory(launch.state_root)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
        return _run(launch, Store(launch.store_url), state, Progress(), signals)
    except Stopped as error:
        print(f"stopped: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except SeedbedError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except (KeyboardInterrupt, SystemExit):
        print("interrupted: the same command goes on from here", file=sys.stderr, flush=True)
        return signals.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort: say where the traceback is
        print(f"error: {refused(error) or _defect(launch, state, error)}", file=sys.stderr, flush=True)
        return SeedbedError.exit_code


def _defect(launch: Launch, state: StateDirectory, error: Exception) -> str:
    """Write the traceback of what nobody foresaw into the state directory; what to tell of it."""
    first = (str(error).splitlines() or [""])[0]
    try:
        log = state.folder("logs") / f"{launch.run_id}.traceback"
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        where = f"its traceback is in {log}"
    except (SeedbedError, OSError) as unwritten:
        where = f"its traceback could not be written ({unwritten})"
    return f"{type(error).__name__}: {first}; this is a defect of Seedbed, {where}"


def _run(launch: Launch, store: Store, state: StateDirectory, progress: Progress, signals: EndingSignals) -> int:
    def waiting(holder: str) -> None:
        progress.say(f"run {launch.run_id} is already carried out by {holder}; waiting for it")

    with Leases(store, state).hold(runs.lease_name(launch.run_id), waiting):
        plan = runs.load_plan(store, launch.run_id)
        record = runs.load(store, launch.run_id)
        if record is None:
            raise StoreError(f"run {launch.run_id} is gone from {store.url}: start it again with `seedbed run`")
        record.begin_attempt()
        runs.save(store, record)
        tracker = Tracker(plan, store, state)
        _say(progress, tracker.start())
        try:
            stopped = _carry_out(plan, launch, store, state, progress, signals, tracker)
        except (KeyboardInterrupt, SystemExit):
            _remember_end(store, record, runs.INTERRUPTED, "interrupted by its user")
            tracker.leave()
            raise
        except BudgetPassed as error:
            _remember_end(store, record, runs.STOPPED, str(error))
            _say(progress, tracker.end())
            raise
        except Stopped as error:
            _remember_end(store, record, runs.INTERRUPTED, str(error))
            _say(progress, tracker.end())
            raise
        except Exception as error:
            kind = "" if isinstance(error, SeedbedError) else f"{type(error).__name__}: "
            _remember_end(store, record, runs.FAILED, f"{kind}{error}")
            _say(progress, tracker.end())
            raise
        record.end_attempt(runs.STOPPED if stopped else runs.FINISHED)
        runs.save(store, record)
    print_end(store, state, plan, progress)
    _say(progress, tracker.end())
    return 0


def _say(progress: Progress, lines: list[str]) -> None:
    for line in lines:
        progress.say(line)


def _remember_end(store: Store, record: runs.RunRecord, state: str, error: str) -> None:
    """A store that does not take even this must not hide why the run ended."""
    record.end_attempt(state, error)
    with contextlib.suppress(StoreError):
        runs.save(store, record)


def _carry_out(
    plan: Plan,
    launch: Launch,
    store: Store,
    state: StateDirectory,
    progress: Progress,
    signals: EndingSignals,
    tracker: Tracker,
) -> bool:
    """Do every step that is not done; whether `--until` ended it before the last."""
    cluster = RayCluster(plan.run.cluster, store, _one_file_a_source(plan))
    try:
        for planned in plan.steps:
            do_step(planned, plan, store, state, progress, cluster, signals, launch.over_budget)
            tracker.look()
            if planned.kind == "extract":
                extract = Artifact(store, planned.kind, planned.fingerprint).committed()
                check_quarantine(extract, plan.run.data.max_quarantined_fraction, plan.run_id)
            if planned.kind in ("deduplicate", "shards"):
                _check_budget_again(plan, store, launch.over_budget, progress)
            if planned.kind == launch.until:
                return planned is not plan.steps[-1]
    finally:
        cluster.stop()
    return False


def _one_file_a_source(plan: Plan) -> list[Path]:
    """Of each source that lies in a folder, a file: who sees it sees the source."""
    files = {file.source: Path(file.url) for file in plan.sources if Path(file.url).is_absolute()}
    return list(files.values())


def do_step(
    planned: PlannedStep,
    plan: Plan,
    store: Store,
    state: StateDirectory,
    progress: Progress,
    cluster: Cluster,
    signals: EndingSignals | None = None,
    over_budget: str | None = None,
) -> None:
    """Make the step's artifact, unless it is there; another run that is making it is waited for."""
    artifact = Artifact(store, planned.kind, planned.fingerprint)

    def waiting(holder: str) -> None:
        progress.say(f"{planned.kind}: another run is at it ({holder}); waiting for its result")

    manifest = artifact.manifest()
    if manifest is None:
        with Leases(store, state).hold(f"{planned.kind}-{planned.fingerprint}", waiting):
            manifest = artifact.manifest()
            if manifest is None:
                faults.point(f"{planned.kind}.begin")
                step = _step_run(planned, artifact, plan, state, progress, cluster, signals or EndingSignals())
                step.over_budget = over_budget
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
    cluster: Cluster,
    signals: EndingSignals,
) -> StepRun:
    config = plan.run.cluster
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
        # On a Ray of the run's own all is on this machine, and the state directory has the room for scratch.
        scratch_dir=config.scratch_dir or (None if config.address else str(state.folder("scratch"))),
        signals=signals,
    )


def _check_budget_again(plan: Plan, store: Store, over_budget: str | None, progress: Progress) -> None:
    """Now that more is known of the tokens: raises BudgetRefused where there are surely too few for a limit."""
    verdict, findings = check_again(plan, store)
    for finding in findings:
        if finding.level != "pass":
            progress.say(f"budget: {finding.level}: {finding.message}")
    if verdict == "refuse" and not over_budget:
        raise BudgetRefused(refusal(plan.run_id, findings))


if __name__ == "__main__":
    listening = EndingSignals()
    listening.install()
    sys.exit(main(sys.argv[1:], listening))
