from jobs.pretrain import spool


def steps(follower):
    return [line["step"] for line in follower.new()]


def test_a_follower_sees_each_line_once(tmp_path):
    path = spool.metrics_path(str(tmp_path), "run")
    follower = spool.Follower(path)
    assert steps(follower) == []
    spool.append(path, {"step": 1})
    spool.append(path, {"step": 2})
    assert steps(follower) == [1, 2]
    assert steps(follower) == []
    spool.append(path, {"step": 3})
    assert steps(follower) == [3]


def test_a_line_cut_short_waits_for_its_end(tmp_path):
    path = tmp_path / "run.jsonl"
    follower = spool.Follower(path)
    path.write_bytes(b'{"step":1}\n{"st')
    assert steps(follower) == [1]
    with path.open("ab") as f:
        f.write(b'ep":2}\n')
    assert steps(follower) == [2]


def test_a_replaced_spool_is_read_from_its_start(tmp_path):
    path = tmp_path / "run.jsonl"
    follower = spool.Follower(path)
    for step in (1, 2, 3):
        spool.append(path, {"step": step})
    assert steps(follower) == [1, 2, 3]
    spool.replace(path, b'{"step":1}\n')  # what the checkpoint of step 1 carries
    spool.append(path, {"step": 2})
    assert steps(follower) == [1, 2]


def test_a_follower_may_leave_out_what_is_there(tmp_path):
    path = tmp_path / "run.jsonl"
    spool.append(path, {"step": 1})
    follower = spool.Follower(path, from_end=True)
    spool.append(path, {"step": 2})
    assert steps(follower) == [2]
