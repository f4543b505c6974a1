from pathlib import Path

from jobs.pretrain import spool
from jobs.pretrain.channel import BEGIN, EVENT, RECORD, Message
from jobs.pretrain.listener import Recorder


def say(recorder, *said):
    for number, (kind, content) in enumerate(said):
        recorder.hear(Message(number + 1, kind, content))


def start(step, metrics=b""):
    return (BEGIN, metrics), (EVENT, {"event": "taken_up", "step": step, "time": 0.0})


def steps(*numbers):
    return [(RECORD, {"step": number, "seconds": 0.5}) for number in numbers]


def test_steps_that_are_taken_again_are_told_once_and_stand_once_in_the_spool(make_task):
    task, told = make_task(), []
    recorder = Recorder(task, told.append)
    say(recorder, *start(0), *steps(1, 2, 3, 4, 5))
    kept = b"".join(spool.line({"step": number}) for number in (1, 2, 3))
    say(recorder, *start(3, kept), *steps(4, 5, 6))
    assert [record["step"] for record in told if "event" not in record] == [1, 2, 3, 4, 5, 6]
    metrics = spool.read(spool.metrics_path(task.state_dir, task.fingerprint))
    assert [line["step"] for line in metrics] == [1, 2, 3, 4, 5, 6]
    events = spool.read(spool.events_path(task.state_dir, task.fingerprint))
    assert [event["step"] for event in events] == [0, 3]
    assert [(event["step"], event["seconds"]) for event in told if event.get("event") == "taken_again"] == [
        (4, 0.5),
        (5, 0.5),
    ]


def test_another_call_tells_only_the_steps_after_the_checkpoint_that_it_takes_up(make_task):
    task, told = make_task(), []
    say(Recorder(task, told.append), *start(3, spool.line({"step": 3})), *steps(4))
    assert [record["step"] for record in told if "event" not in record] == [4]


def test_what_a_lost_rank_had_no_time_to_tell_comes_from_the_store(make_task):
    task = make_task()
    whole = b"".join(spool.line({"step": number}) for number in (1, 2, 3))
    artifact = Path(task.store_url) / task.artifact_path
    artifact.mkdir(parents=True)
    (artifact / "metrics.jsonl").write_bytes(whole)
    recorder = Recorder(task, lambda _: None)
    say(recorder, *start(0), *steps(1, 2))
    assert [record["step"] for record in recorder.records()] == [1, 2, 3]
    assert spool.metrics_path(task.state_dir, task.fingerprint).read_bytes() == whole
