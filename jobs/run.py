"""The driver: `python -m jobs.run LAUNCH_FILE` carries a plan out, step by step, on Ray.

Killed anywhere, the same command goes on: what is committed in the store is not done again.
"""

import contextlib
import importlib
import io
import signal
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO, cast

from dataprep.errors import SeedbedError
from jobs.cluster import RayCluster
from jobs.ending import EndingSignals, Stopped, told_of_a_job
from jobs.executor import check_stop
from jobs.machine import refused
from jobs.other_machines import OtherMachines
from jobs.reporter import Reporter
from jobs.step_run import Cluster, Reports, StepRun
from jobs.tee import Tee
from seedbed import faults, runs
from seedbed.artifact import Artifact
from seedbed.errors import GOES_ON, BudgetPassed, BudgetRefused, StoreError
from seedbed.failures import FailureClass, classify
from seedbed.launch import ENDING_SIGNALS, Launch, refusal
from seedbed.lease import Leases
from seedbed.plan import Plan, PlannedStep, check_again
from seedbed.progress import Progress
from seedbed.quarantine import check_quarantine
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.summary import print_end, print_step
from seedbed.tracking.shipped import system_spool
from seedbed.tracking.tracker import Tracker


@dataclass(frozen=True)
class _Outcome:
    """How a driver ends."""

    exit_code: int
    state: str  # of the run
    words: str | None = None  # for its user, beginning with `error: ` or the like
    failure: FailureClass | None = None
    reason: str | None = None

    def told(self, launch: Launch, signals: EndingSignals) -> "_Outcome":
        """In the words of whoever started it: a person at a terminal, or one who submitted a job."""
        said = (
            None if text is None else told_of_a_job(text, launch.job, signals.asked is not None)
            for text in (self.words, self.reason)
        )
        words, reason = said
        return replace(self, words=words, reason=reason)


def main(argv: list[str], signals: EndingSignals | None = None) -> int:
    """Carry out the run that the launch file names; the exit code."""
    signals = signals or EndingSignals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not an error
    launch = Launch.read(argv[0])
    state = StateDirectory(launch.state_root)
    try:
        store = Store(launch.store_url)
    except SeedbedError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    reporter = Reporter(launch, store, state, signals)
    progress = Progress(sys.stdout, on_say=reporter.say)
    # What Ray and other libraries print, beside what the driver says itself.
    out, err = (cast(TextIO, Tee(stream, reporter.say)) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        outcome = _attempt(launch, store, state, progress, reporter, signals).told(launch, signals)
        if outcome.words is not None:
            print(outcome.words, file=sys.stderr, flush=True)
    with contextlib.suppress(KeyboardInterrupt, SystemExit):  # who does not want to wait for the last words
        unsaid = reporter.end(outcome.exit_code, outcome.state, outcome.failure, outcome.reason)
        if unsaid is not None and outcome.exit_code == 0:  # a run that failed has said what matters
            print(unsaid, file=sys.stderr, flush=True)
    return outcome.exit_code


def _attempt(
    launch: Launch,
    store: Store,
    state: StateDirectory,
    progress: Progress,
    reporter: Reporter,
    signals: EndingSignals,
) -> _Outcome:
    """Carry the run out; how that ended, whatever was raised."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
        is_stopped = _run(launch, store, state, progress, signals, reporter)
        return _Outcome(0, runs.STOPPED if is_stopped else runs.FINISHED)
    except Stopped as error:
        if signals.asked is not None:  # a scheduler that started it again would undo what was asked for
            return _Outcome(0, runs.STOPPED, f"stopped: {error}", None, str(error))
        return _Outcome(error.exit_code, runs.INTERRUPTED, f"stopped: {error}", classify(error), str(error))
    except SeedbedError as error:
        ended = runs.STOPPED if isinstance(error, BudgetPassed) else runs.FAILED
        return _Outcome(error.exit_code, ended, f"error: {error}", classify(error), str(error))
    except KeyboardInterrupt:
        words = f"interrupted: {GOES_ON} from here"
        return _Outcome(signals.exit_code, runs.INTERRUPTED, words, None, "interrupted by its user")
    except SystemExit:
        if signals.asked is not None:
            words = f"stopped: {signals.asked}: {GOES_ON} from here"
            return _Outcome(0, runs.STOPPED, words, None, signals.asked)
        words = f"interrupted: {GOES_ON} from here"
        return _Outcome(signals.exit_code, runs.INTERRUPTED, words, FailureClass.PREEMPTED, "SIGTERM was received")
    except Exception as error:  # noqa: BLE001 - the last resort: say where the traceback is
        words = refused(error) or _defect(launch, state, error)
        return _Outcome(SeedbedError.exit_code, runs.FAILED, f"error: {words}", classify(error), words)


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


def _run(
    launch: Launch,
    store: Store,
    state: StateDirectory,
    progress: Progress,
    signals: EndingSignals,
    reporter: Reporter,
) -> bool:
    """Carry the run out, alone; whether `--until` ended it before the last step."""

    def waiting(holder: str) -> None:
        progress.say(f"run {launch.run_id} is already carried out by {holder}; waiting for it")

    with Leases(store, state).hold(runs.lease_name(launch.run_id), waiting):
        plan = launch.placed(runs.load_plan(store, launch.run_id))
        record = runs.load(store, launch.run_id)
        if record is None:
            raise StoreError(f"run {launch.run_id} is gone from {store.url}: start it again with `seedbed run`")
        was_finished = record.state == runs.FINISHED
        attempt = record.begin_attempt()
        runs.save(store, record)
        reporter.begin(attempt, plan, progress)
        tracker = Tracker(plan, store, state)
        _say(progress, tracker.start())
        try:
            stopped = _carry_out(plan, launch, store, state, progress, signals, tracker, reporter)
        except (KeyboardInterrupt, SystemExit):
            ended = runs.INTERRUPTED if signals.asked is None else runs.STOPPED
            _remember_end(store, record, launch, ended, signals.asked or "interrupted by its user")
            tracker.leave()
            raise
        except BudgetPassed as error:
            _remember_end(store, record, launch, runs.STOPPED, str(error))
            _say(progress, tracker.end())
            raise
        except Stopped as error:
            ended = runs.INTERRUPTED if signals.asked is None else runs.STOPPED
            _remember_end(store, record, launch, ended, str(error))
            _say(progress, tracker.end())
            raise
        except Exception as error:
            kind = "" if isinstance(error, SeedbedError) else f"{type(error).__name__}: "
            _remember_end(store, record, launch, runs.FAILED, f"{kind}{error}")
            _say(progress, tracker.end())
            raise
        if stopped and was_finished:  # and is no less so, unless a step was made anew of which others are made
            stopped = any(Artifact(store, step.kind, step.fingerprint).manifest() is None for step in plan.steps)
        record.end_attempt(runs.STOPPED if stopped else runs.FINISHED)
        runs.save(store, record)
    print_end(store, state, plan, progress)
    _say(progress, tracker.end())
    return stopped


def _say(progress: Progress, lines: list[str]) -> None:
    for line in lines:
        progress.say(line)


def _remember_end(store: Store, record: runs.RunRecord, launch: Launch, state: str, error: str) -> None:
    """A store that does not take even this must not hide why the run ended."""
    record.end_attempt(state, told_of_a_job(error, launch.job, is_asked=state == runs.STOPPED))
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
    reporter: Reporter,
) -> bool:
    """Do every step that is not done; whether `--until` ended it before the last."""
    cluster = RayCluster(plan.run.cluster, store, _one_file_a_source(plan), _other_machines(plan, state))
    reporter.ray_node = lambda: cluster.node_id
    reporter.units_on = lambda: cluster.units_on()
    try:
        for planned in plan.steps:
            check_stop(signals.stop_requested)
            do_step(planned, plan, store, state, progress, cluster, signals, launch.over_budget, reporter)
            reporter.step_is_done(planned.kind)
            tracker.look()
            if planned.kind == "extract":
                extract = Artifact(store, planned.kind, planned.fingerprint).committed()
                check_quarantine(extract, plan.run.data.max_quarantined_fraction, plan.run_id)
            if planned.kind in ("deduplicate", "decontaminate", "repeats", "shards"):
                _check_budget_again(plan, store, launch.over_budget, progress)
            if planned.kind == launch.until:
                return planned is not plan.steps[-1]
    finally:
        cluster.stop()
    return False


def _other_machines(plan: Plan, state: StateDirectory) -> OtherMachines | None:
    """None where nobody wants to know of them."""
    tracking = plan.run.tracking
    if not tracking.enabled or tracking.system_metrics_every_s is None:
        return None
    return OtherMachines(system_spool(state, plan.run_id), tracking.system_metrics_every_s)


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
    reports: Reports | None = None,
) -> None:
    """Make the step's artifact, unless it is there; another run that is making it is waited for."""
    progress.begin(planned.kind)
    artifact = Artifact(store, planned.kind, planned.fingerprint)

    def waiting(holder: str) -> None:
        progress.say(f"{planned.kind}: another run is at it ({holder}); waiting for its result")

    manifest = artifact.manifest()
    if manifest is None:
        with Leases(store, state).hold(f"{planned.kind}-{planned.fingerprint}", waiting):
            manifest = artifact.manifest()
            if manifest is None:
                faults.point(f"{planned.kind}.begin")
                if artifact.begin():
                    progress.say(f"{planned.kind}: an older Seedbed had begun it; it is done anew")
                step = _step_run(planned, artifact, plan, state, progress, cluster, signals or EndingSignals())
                step.over_budget = over_budget
                step.reports = reports or step.reports
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
