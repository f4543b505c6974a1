"""A place to be rude in: small crawls made by hand, and the real command line, in this process and without Ray."""

import gzip
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RUN = """\
name: rude
data:
  sources:
    docs: {path: crawl}
  split: {validation_fraction: 0.2}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 16, num_heads: 2, sequence_length: 16, vocab_size: 300}
training: {num_steps: 4, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1e-3}
budget: {max_repeats: 1000}
tracking: {enabled: false}
"""

_WORDS = "the of and to that with have be stone river house garden morning people light water paper music"
WORDS = _WORDS.split()


def prose(seed: int, num_words: int = 120) -> str:
    """English enough for every filter; another seed, another text."""
    pick = random.Random(seed)
    sentences = [" ".join(pick.choice(WORDS) for _ in range(9)) for _ in range(num_words // 10)]
    return " ".join(f"The {sentence}." for sentence in sentences)


def page(seed: int) -> str:
    return f"<html><head><title>Page {seed}</title></head><body><main><p>{prose(seed)}</p></main></body></html>"


def response(
    url: str, body: str | bytes, headers: str = "Content-Type: text/html; charset=utf-8", num_bytes: int | None = None
) -> bytes:
    """A WARC record; `num_bytes` is what it claims to have, the truth where nothing is said."""
    content = body.encode() if isinstance(body, str) else body
    block = f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + content
    length = len(block) if num_bytes is None else num_bytes
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + block + b"\r\n\r\n"


def warc(*records: bytes) -> bytes:
    """One gzip member a record."""
    return b"".join(gzip.compress(record) for record in records)


def pages(first: int, number: int) -> list[bytes]:
    return [response(f"https://good.example/{n}", page(n)) for n in range(first, first + number)]


def line(seed: int) -> str:
    """A document in JSON."""
    return json.dumps({"text": prose(seed), "url": f"https://line.example/{seed}"})


@dataclass(frozen=True)
class Answer:
    """What a command line left."""

    code: int
    out: str
    err: str


class Bench:
    """A folder with `run.yaml`, `crawl/`, a store and a state directory."""

    prose, page, response, warc, pages, line = map(staticmethod, (prose, page, response, warc, pages, line))

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crawl = folder / "crawl"
        self.store, self.state = folder / "store", folder / "state"
        self.run_file = folder / "run.yaml"
        self.run_file.write_text(RUN)
        self.crawl.mkdir()

    def put(self, name: str, content: bytes | str) -> Path:
        """A file of the crawl."""
        path = self.crawl / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def seedbed(self, *arguments: object, code: int = 0) -> Answer:
        """A command line that must leave with `code`, and with neither a traceback nor a word of a defect."""
        from seedbed.cli.entry import main

        places = ["--store", str(self.store), "--state", str(self.state)]
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["seedbed", *places, *map(str, arguments)])
            patch.setattr("os.execv", drive)
            patch.setattr("jobs.run.RayCluster", NoCluster)
            with pytest.raises(SystemExit) as left:
                main()
        answer = Answer(int(left.value.code or 0), out.getvalue(), err.getvalue())
        assert "Traceback" not in answer.err, answer.err
        assert "defect" not in answer.err, answer.err
        assert answer.code == code, answer
        return answer

    def run(self, *arguments: object, until: str = "ledger", code: int = 0) -> Answer:
        return self.seedbed("run", self.run_file, "--until", until, *arguments, code=code)

    def error(self, *arguments: object, code: int) -> str:
        """What the command says as its one error."""
        answer = self.seedbed(*arguments, code=code)
        assert answer.err.startswith("error: "), answer
        return answer.err.removeprefix("error: ").rstrip("\n").replace(f"{self.folder}/", "")

    def run_error(self, *arguments: object, until: str = "ledger", code: int) -> str:
        return self.error("run", self.run_file, "--until", until, *arguments, code=code)

    def json(self, *arguments: object) -> Any:
        return json.loads(self.seedbed(*arguments, "--json").out)

    def why(self, target: str) -> dict[str, Any]:
        told: dict[str, Any] = self.json("why", target)
        return told

    def steps(self) -> dict[str, dict[str, Any]]:
        """What `seedbed show` says of each step of the newest run, by kind."""
        return {step["kind"]: step for step in self.json("show", "rude")["steps"]}

    def artifact(self, kind: str) -> Path:
        return self.store / str(self.steps()[kind]["path"])

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of the ledger of the newest run, by the path of the file that they were read in."""
        from seedbed.artifact import Artifact
        from seedbed.store import Store

        artifact = Artifact(Store(str(self.store)), "ledger", self.steps()["ledger"]["fingerprint"])
        shards = artifact.committed()["input_shards"]
        return {shard["path"]: artifact.read_table("ledger", shard["unit"]).to_pylist() for shard in shards}

    def outcomes(self, path: str) -> Counter[str]:
        """How often each reason, or `kept`, stands in the ledger for the records of a file."""
        return Counter(row["reason"] or row["outcome"] for row in self.ledger()[path])


class NoCluster:
    """Does units in this process."""

    node_id = None

    def __init__(self, *_: object) -> None:
        pass

    def start(self) -> None:
        pass

    def units_on(self) -> tuple[str | None, ...]:
        return ()

    def stop(self) -> None:
        pass

    def executor(self) -> Any:
        from jobs.executor import InlineExecutor

        return InlineExecutor()


def drive(_: str, command: list[str]) -> None:
    """In place of `os.execv`: the driver, in this process."""
    from jobs.run import main

    sys.exit(main(command[-1:]))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def new_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes a bench that the tests of a module share."""
    yield lambda name: Bench(tmp_path_factory.mktemp(name))
