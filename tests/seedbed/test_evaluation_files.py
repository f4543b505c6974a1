import fsspec
import pytest

from dataprep.decontaminate.config import EvaluationSetConfig
from dataprep.errors import DataError
from seedbed.errors import SourceError
from seedbed.evaluation_files import checked_digest, evaluation_digest, evaluation_files, evaluation_texts


@pytest.fixture
def folder(tmp_path):
    for name in ("b.txt", "a.txt", "deep/a.txt", "note.md"):
        (tmp_path / "eval" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "eval" / name).write_text(f"text of {name}\n")
    return tmp_path / "eval"


def test_a_file_is_named_by_the_end_of_its_path_and_files_so_that_they_differ(folder):
    assert evaluation_files(f"{folder}/deep/a.txt") == {"a.txt": b"text of deep/a.txt\n"}
    assert list(evaluation_files(f"{folder}/*.txt")) == ["a.txt", "b.txt"]
    assert list(evaluation_files(f"{folder}/**/*.txt")) == ["a.txt", "b.txt", "deep/a.txt"]


def test_a_set_may_lie_in_any_store(folder):
    memory = fsspec.filesystem("memory")
    for path in folder.glob("*.txt"):
        memory.pipe_file(f"/evaluation-files/{path.name}", path.read_bytes())
    there, here = evaluation_files("memory://evaluation-files/*.txt"), evaluation_files(f"{folder}/*.txt")
    assert there == here
    assert evaluation_digest(there) == evaluation_digest(here)
    memory.rm("/evaluation-files", recursive=True)


def test_names_and_bytes_are_what_a_set_is_known_by():
    known = evaluation_digest({"a": b"1", "b": b"2"})
    assert known == evaluation_digest({"b": b"2", "a": b"1"})
    others = [{"a": b"1"}, {"a": b"1", "c": b"2"}, {"a": b"2", "b": b"1"}, {"a": b"12", "b": b""}]
    assert known not in {evaluation_digest(files) for files in others}


def test_where_nothing_is_it_is_said(folder):
    for path in (f"{folder}/c.txt", f"{folder}/*.jsonl", f"{folder}/deep"):
        with pytest.raises(SourceError, match=r"^nothing is at .*: expected evaluation files, or a glob"):
            evaluation_files(path)


def test_the_lines_of_all_files_are_looked_at_before_a_run(folder):
    assert checked_digest(f"{folder}/*.txt", {"path": "-"}) == evaluation_digest(evaluation_files(f"{folder}/*.txt"))
    with pytest.raises(DataError, match=r"^note.md: expected a file of JSON Lines"):
        checked_digest(f"{folder}/*", {"path": "-"})


def test_texts_are_read_as_they_were_planned_with_or_not_at_all(folder):
    path, config = f"{folder}/*.txt", EvaluationSetConfig(path="-")
    digest = evaluation_digest(evaluation_files(path))
    assert [one.item for one in evaluation_texts(path, digest, config)] == ["a.txt#0", "b.txt#0"]
    (folder / "b.txt").write_text("another")
    with pytest.raises(SourceError, match="was changed after the run was planned: plan again"):
        list(evaluation_texts(path, digest, config))
