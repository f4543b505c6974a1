"""What happens while a run goes on: sources that change, two runs at once, somebody who stops it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def between_plan_and_read(monkeypatch, change):
    """Makes `change` happen when the run is planned and recorded, and nothing is read yet."""
    import seedbed.launch

    start = seedbed.launch.start

    def start_and_change(*arguments):
        command = start(*arguments)
        change()
        return command

    monkeypatch.setattr(seedbed.launch, "start", start_and_change)


@pytest.fixture
def crawled(bench):
    for number, name in enumerate(("a", "b")):
        bench.put(f"{name}.warc.gz", bench.warc(*bench.pages(20 * number, 15)))
    return bench


def test_a_source_that_is_gone_when_it_is_read_is_told_and_put_back_the_run_goes_on(crawled, monkeypatch):
    file, away = crawled.crawl / "b.warc.gz", crawled.folder / "away"
    with monkeypatch.context() as patch:
        between_plan_and_read(patch, lambda: file.rename(away))
        assert crawled.run_error(code=2) == (
            "crawl/b.warc.gz was there when the run was planned and is gone: put it back, or plan again"
        )
    assert crawled.json("show")["runs"][0]["state"] == "failed"
    assert crawled.steps()["extract"]["units_done"] == 1  # what was read is kept
    away.rename(file)
    crawled.run()
    assert crawled.steps()["ledger"]["records_out"] == 30


def test_a_source_that_changes_before_it_is_read_is_told_and_planned_anew(crawled, monkeypatch):
    def change():
        file.write_bytes(crawled.warc(*reversed(crawled.pages(20, 15))))  # as many bytes as before
        os.utime(file, (1_800_000_000, 1_800_000_000))

    file = crawled.crawl / "b.warc.gz"
    with monkeypatch.context() as patch:
        between_plan_and_read(patch, change)
        error = crawled.run_error(code=2)
    assert error.startswith("crawl/b.warc.gz was changed after the run was planned (mtime:")
    assert error.endswith(", now mtime:1800000000.000000): plan again")
    crawled.run()
    assert crawled.why("docs/b.warc.gz#0")["url"] == "https://good.example/34"
    assert len(crawled.json("show")["runs"]) == 2


def test_a_source_that_becomes_a_folder_is_told(crawled, monkeypatch):
    def change():
        file.unlink()
        file.mkdir()

    file = crawled.crawl / "b.warc.gz"
    between_plan_and_read(monkeypatch, change)
    assert crawled.run_error(code=2) == (
        "crawl/b.warc.gz was a file when the run was planned: put it back, or plan again"
    )


def started(bench, *arguments):
    """The command, as a process of its own, with its own Ray, as from a shell."""
    command = [str(Path(sys.executable).with_name("seedbed")), "--store", str(bench.store), "--state", str(bench.state)]
    command += ["run", str(bench.run_file), "--until", "ledger", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, start_new_session=True)


def made_or_cached(out):
    """Which steps a command says that it made, and which that it found."""
    lines = [line.split() for line in out.splitlines()[: out.splitlines().index("")]]
    lines = [line for line in lines if line and line[0] in KINDS and "another" not in line and "of" not in line[:3]]
    cached = {line[0] for line in lines if "cached" in line}
    return {line[0] for line in lines} - cached, cached


KINDS = ("extract", "clean", "annotate", "select", "deduplicate", "corpus", "tokenizer", "shards", "ledger")


@pytest.mark.slow
def test_runs_that_are_started_at_once_share_what_they_have_in_common(crawled, new_bench):
    """The same command twice, and one with another filter: three drivers, and no step is done twice."""
    other = ("--set", "data.select.gopher_quality.min_words=20")
    processes = [started(crawled), started(crawled), started(crawled, *other)]
    answers = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    told = [made_or_cached(out) for out, _ in answers]
    for kind in KINDS:
        shared = kind in ("extract", "clean", "annotate")
        assert sum(kind in made for made, _ in told) == (1 if shared else 2), (kind, told)
        assert sum(kind in cached for _, cached in told) == (2 if shared else 1), (kind, told)
    alone = new_bench("alone")
    alone.crawl.rmdir()
    alone.crawl.symlink_to(crawled.crawl)
    runs = [run["run"] for run in crawled.json("show")["runs"]]
    assert len(runs) == 2
    for overrides in ((), other):
        alone.run(*overrides)
        run = alone.json("show")["runs"][-1]["run"]
        assert digests(alone, run) == digests(crawled, run)


def digests(bench, run):
    return {step["kind"]: step["digest"] for step in bench.json("show", run)["steps"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [
        (signal.SIGINT, True, 130),  # Ctrl-C: the terminal sends it to everybody in the foreground
        (signal.SIGTERM, False, 75),  # what a scheduler sends; it may start the same command again
    ],
)
def test_a_run_that_somebody_stops_is_interrupted_and_the_same_command_goes_on(bench, number, to_all, code):
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 20)))
    hanging = b"<p " + b" ".join(b"a%d=b" % n for n in range(400_000)) + b">x</p>"
    bench.put("b.warc.gz", bench.warc(bench.response("https://kill.example/", hanging), *bench.pages(30, 20)))
    process = started(bench, "--set", "data.extract.timeout_s=600")
    try:
        wait_for(lambda: list(bench.store.glob("steps/extract-*/units/map-00000.json")) or process.poll() is not None)
        (os.killpg if to_all else os.kill)(process.pid, number)
        (os.killpg if to_all else os.kill)(process.pid, number)  # somebody impatient
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (code, "interrupted: the same command goes on from here\n"), out
    [run] = bench.json("show")["runs"]
    assert run["state"] == "interrupted"
    shown = bench.json("show", "rude")
    assert shown["error"] == "interrupted by its user"
    assert shown["steps"][0]["units_done"] == 1
    wait_for(lambda: not those_of(process.pid))
    bench.put("b.warc.gz", bench.warc(*bench.pages(30, 20)))
    bench.run()
    assert bench.steps()["ledger"]["records_out"] == 40


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def those_of(session):
    """What is still alive of a session: Ray's processes and the extractors."""
    listing = subprocess.run(["ps", "-eo", "sess=,stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if line.split()[0] == str(session) and line.split()[1][0] != "Z"]


def test_a_run_that_is_stopped_while_it_starts_says_so_and_nothing_else(bench):
    """From the moment that the command line hands over to the driver, signals wait until the driver listens."""
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 5)))
    process = started(bench)
    wait_for(lambda: list(bench.store.glob("runs/*/run.json")) or process.poll() is not None)
    time.sleep(0.2)  # it takes longer to load what it needs
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted: the same command goes on from here\n")
    record = json.loads(next(bench.store.glob("runs/*/run.json")).read_text())
    assert record["state"] in ("planned", "interrupted")
