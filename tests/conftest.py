"""What tests of several packages share: a Ray, a browser, and a small run that goes through the real command line."""

import contextlib
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

S3_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
IMPORTABLE = Path(__file__).parent / "importable"
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # as in an activated environment
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000.0
WINDOW = {"width": 1500, "height": 1100}  # pixels
_SHOWS = "words => words.every(word => (document.body?.innerText ?? '').includes(word))"
DEMO_CRAWL = Path(__file__).parents[1] / "configs" / "crawls" / "demo"

RUN = """\
name: small
data:
  sources:
    docs: {path: crawl/docs, licence: see configs/crawls/demo/LICENCES.md}
    more: {path: crawl/more}
  select:
    language: {min_score: 0.65}
    gopher_quality: {mean_word_length_languages: [en], stop_word_languages: [en]}
  split: {validation_fraction: 0.1}
  tokenizer: {vocab_size: 512}
model: {num_layers: 2, width: 32, num_heads: 2, sequence_length: 64, vocab_size: 512}
training:
  num_steps: 12
  global_batch_tokens: 512 # 2 ranks x 2 sequences x 2 rounds of accumulation
  micro_batch_sequences: 2
  learning_rate: 5e-3
  warmup_steps: 2
  validate_every_steps: 6
  validation_tokens: 2048
  checkpoint_every_steps: 4
cluster: {data_workers: 2, training_ranks: 2}
budget: {max_flops: 1e12}
tracking: {enabled: false} # loading MLflow takes seconds: the reference run does, for all
"""

NOTES = [
    {"url": "https://notes.example/1", "text": "Write to the list at help@notes.example with a question. " * 12},
    {"url": "https://notes.example/2", "text": "The server reads the file and then it answers to you. " * 12},
    {"url": "https://notes.example/3", "text": "The server reads the file and then it answers to you. " * 12},
    {"url": "https://notes.example/short", "text": "The server answers with too few words."},
    {"url": "https://notes.example/empty", "text": "  "},
    {"url": "https://notes.example/odd", "body": "There is no text under the key."},
]


LONGEST = (
    "end_to_end/test_run.py",
    "end_to_end/test_submission.py",
    "jobs/pretrain/test_conform.py",
    "chaos/test_kill.py",
    "end_to_end/test_cluster.py",
    "browser/test_dashboard.py",
    "jobs/steps/test_deduplicate.py",
)
"""Files that take minutes: the last of two processes would be at one of them while the other has nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others as they were."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server in a process of its own, with the bucket `seedbed`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/seedbed", method="PUT"), timeout=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def s3_url(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of its own on the S3 server, which the environment names as a user would."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    for name, value in S3_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return f"s3://seedbed/{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a store: a folder, then an S3 server."""
    return str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("s3_url")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One Ray for the whole test session, with four CPUs in name: starting it takes seconds."""
    import ray

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(IMPORTABLE), prepend=os.pathsep)  # workers import from there
        ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


class MlflowServer:
    """`mlflow server` on a SQLite file, in a process of its own; it can be killed and started again on its port."""

    def __init__(self, folder: Path, database: Path | None = None) -> None:
        self._folder = folder
        self._database = database or folder / "server.db"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self._database}"]
        command += ["--artifacts-destination", str(self._folder / "server-artifacts")]
        with (self._folder / "server.log").open("ab") as log:
            quiet = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=quiet, start_new_session=True)
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=30):
                return
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            time.sleep(0.1)
        raise AssertionError((self._folder / "server.log").read_text())

    def freeze(self) -> None:
        """SIGSTOP, with its workers: the port takes connections, and nobody answers."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL, with its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def new_mlflow_server() -> Iterator[Callable[..., MlflowServer]]:
    """Makes servers that are not started yet; what runs at the end is killed."""
    made: list[MlflowServer] = []

    def make(folder: Path, database: Path | None = None) -> MlflowServer:
        made.append(MlflowServer(folder, database))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@dataclass(frozen=True)
class Answer:
    """What a command line left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Workspace:
    """A run file, a store and a state directory, and the command line on them."""

    run_file: Path
    store: Path
    state: Path

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """`seedbed ARGUMENTS`, started: the process becomes the driver itself.

        In a session of its own: when a driver is killed, Ray ends what is left of the driver's process group.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "RAY_"))}
        places = {"SEEDBED_STORE": str(self.store), "SEEDBED_STATE": str(self.state)}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("seedbed")), *map(str, arguments)],
            env=clean | places | environment,
            cwd=self.run_file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def seedbed(self, *arguments: object, expect: int | None = 0, **environment: str) -> Answer:
        """`seedbed ARGUMENTS`, to its end."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=300)
        if expect is not None:
            assert process.returncode == expect, f"seedbed {arguments} left with {process.returncode}\n{out}\n{err}"
        return Answer(process.returncode, out, err)

    def json(self, *arguments: object, expect: int = 0) -> Any:
        return json.loads(self.seedbed(*arguments, "--json", expect=expect).out)

    def run(self, *arguments: object, expect: int | None = 0, **environment: str) -> Answer:
        return self.seedbed("run", self.run_file, *arguments, expect=expect, **environment)

    def planned(self, *arguments: object) -> dict[str, str]:
        """The steps, each `cached` or `to do`."""
        return {step["kind"]: step["state"] for step in self.json("plan", self.run_file, *arguments)["steps"]}

    def steps(self) -> dict[str, dict[str, Any]]:
        """What `seedbed show` says of each step of the newest run, by kind."""
        return {step["kind"]: step for step in self.json("show", "small")["steps"]}

    def digests(self) -> dict[str, str]:
        return {kind: step["digest"] for kind, step in self.steps().items()}

    def artifact(self, kind: str) -> Path:
        """The folder of a step of the newest run."""
        return self.store / str(self.steps()[kind]["path"])

    def metrics(self) -> list[dict[str, Any]]:
        """One line for each optimizer step of the newest run."""
        return [json.loads(line) for line in (self.artifact("pretrain") / "metrics.jsonl").read_text().splitlines()]

    def copy(self, to: Path) -> "Workspace":
        """The same store, moved: a run on it has the state directory of another machine."""
        shutil.copytree(self.store, to / "store")
        return replace(self, store=to / "store", state=to / "state")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """A function that gives the folder NAME, which one of the processes that share the tests has filled."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        with FileLock(shared / f"{name}.lock"):
            if not (shared / f"{name}.made").exists():
                shutil.rmtree(shared / name, ignore_errors=True)  # of a filling that failed
                (shared / name).mkdir()
                fill(shared / name)
                (shared / f"{name}.made").touch()
        return shared / name

    return folder


@pytest.fixture(scope="session")
def small_run_file(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """`run.yaml` beside `crawl/`: two sources, four WARC files of some forty records each and one JSONL."""
    return made_once("small", _write_small_run) / "run.yaml"


def _write_small_run(folder: Path) -> None:
    for part, (name, members) in enumerate(_chosen_members().items()):
        target = folder / "crawl" / ("docs" if part < 2 else "more") / f"part-{part}.warc.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        crawl = (DEMO_CRAWL / name).read_bytes()
        target.write_bytes(b"".join(crawl[start : start + length] for start, length in members))
    lines = [*map(json.dumps, NOTES), "{this is no JSON}"]
    (folder / "crawl" / "more" / "notes.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "run.yaml").write_text(RUN)


def _chosen_members() -> dict[str, list[tuple[int, int]]]:
    """Of each file of the demo's crawl the (offset, length) of some gzip members, one record each: pages in several
    versions, pages that stand alone, some of what is no page."""
    with gzip.open(DEMO_CRAWL / "manifest.jsonl.gz", "rt") as f:
        records = sorted(map(json.loads, f), key=lambda record: record["url"])
    pages = [r for r in records if r["kind"] == "doc" and 3_000 < r["bytes"] < 12_000]
    versions = Counter(page["family"] for page in pages)
    families = sorted(family for family, number in versions.items() if number > 1)[:24]
    chosen = [page for page in pages if page["family"] in families]
    chosen += [page for page in pages if versions[page["family"]] == 1][:72]
    for kind in ("notfound", "redirect", "asset"):
        chosen += [record for record in records if record["kind"] == kind][:4]
    members: dict[str, list[tuple[int, int]]] = {f"corpus-{n:03d}.warc.gz": [] for n in range(4)}
    for record in chosen:
        members[record["file"]].append((record["offset"], record["length"]))
    return {name: sorted(places) for name, places in members.items()}


@pytest.fixture(scope="session")
def make_workspace(small_run_file: Path) -> Callable[[Path], Workspace]:
    """A function that gives the small run an empty store in a folder."""
    return lambda folder: Workspace(small_run_file, folder / "store", folder / "state")


@pytest.fixture
def workspace(make_workspace: Callable[[Path], Workspace], tmp_path: Path) -> Workspace:
    """The small run with an empty store."""
    return make_workspace(tmp_path)


@pytest.fixture(scope="session")
def reference(
    make_workspace: Callable[[Path], Workspace], made_once: Callable[[str, Callable[[Path], None]], Path]
) -> Workspace:
    """The small run, carried out once by one command that nothing disturbed. Its store is for reading."""
    options = "--set", "tracking.enabled=true", "--set", "tracking.system_metrics_every_s=1"
    return make_workspace(made_once("reference", lambda folder: make_workspace(folder).run(*options)))


@pytest.fixture
def mine(reference: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the reference run's store, in another folder, to work on."""
    return reference.copy(tmp_path)


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """The system's, without a window, driven by Playwright.

    Playwright keeps an event loop running in this thread until it ends: no file that comes later could start its own.
    """
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root has no sandbox of its own user, and containers have a small /dev/shm.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> "Iterator[Page]":
    """A window of its own."""
    context = chromium.new_context(viewport=WINDOW)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def shows(page: "Page") -> Callable[..., str]:
    """Waits until the page shows all of the words; gives its text."""
    from playwright.sync_api import Error

    def wait(*words: str) -> str:
        try:
            page.wait_for_function(_SHOWS, arg=list(words))
        except Error as error:
            raise AssertionError(f"waited for {words}, found:\n{page.inner_text('body')}") from error
        return page.inner_text("body")

    return wait
