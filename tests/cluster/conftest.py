"""A Ray on two machines, and the command line on the first of them."""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import network

GCS_PORT = 6379
HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 3,
}
"""A machine that gives no answer is taken for dead after some 10 s; by itself Ray takes three times that."""


@dataclass
class TwoMachines:
    """Ray on `head` and `other`, with one CPU each, so that two ranks are on two machines."""

    head: network.Machine
    other: network.Machine
    service: network.Service  # Ray on `other`
    environment: dict[str, str]
    folder: Path

    def start(self, workspace, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """`seedbed run` on the head, with a state directory that no other process on this disk can see."""
        workspace.state.mkdir(parents=True, exist_ok=True)
        hide = 'mount -t tmpfs tmpfs "$SEEDBED_STATE" && exec "$@"'  # `ip netns exec` mounts apart from all others
        seedbed = str(Path(sys.executable).with_name("seedbed"))
        places = {"SEEDBED_STORE": str(workspace.store), "SEEDBED_STATE": str(workspace.state)}
        return subprocess.Popen(
            self.head.command("sh", "-c", hide, "sh", seedbed, "run", workspace.run_file, *self.settings(), *arguments),
            env=self.environment | places | {"TMPDIR": str(self.folder / "n0")} | environment,
            cwd=workspace.run_file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def settings(self) -> list[str]:
        settings = {"cluster.address": f"{self.head.address}:{GCS_PORT}", "cluster.max_retries": 10}
        return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]

    def num_machines(self) -> int:
        """How many machines the head takes for alive."""
        # Not `auto`: that would find whatever Ray was started last by anybody who shares this disk.
        address = f"{self.head.address}:{GCS_PORT}"
        question = f"import ray; ray.init({address!r}); print('alive:', sum(n['Alive'] for n in ray.nodes()))"
        asked = subprocess.run(
            self.head.command(sys.executable, "-c", question), env=self.environment, capture_output=True, text=True
        )
        found = re.search(r"alive: (\d+)", asked.stdout)  # Ray says things of its own before and after it
        return int(found[1]) if found else 0

    def raylet(self) -> int:
        """The process of Ray that runs the other machine."""
        return next(pid for pid in self.other.pids() if comm(pid) == "raylet")

    def working(self, title: str) -> list[int]:
        """Ray's processes on the other machine that do what `title` says: `ray::execute`, `ray::Rank`."""
        return list(network.processes(self.other, title))


def comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_for(
    condition: Callable[[], object], driver: subprocess.Popen[str] | None = None, seconds: float = 180
) -> None:
    """Until the condition holds; the driver must be alive meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert driver is None or driver.poll() is None, driver.communicate()
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def two_machines() -> Iterator[TwoMachines]:
    reason = network.why_not()
    if reason is not None:
        pytest.skip(f"no network of two machines can be made here: {reason}")
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # short: Ray's sockets lie below
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        head, other = stack.enter_context(network.Network(2)).machines
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "RAY_"))}
        environment = clean | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        ray = [
            str(Path(sys.executable).with_name("ray")),
            *("start", "--block", "--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats"),
        ]
        first = [*ray, "--head", f"--node-ip-address={head.address}", f"--port={GCS_PORT}"]
        first += ["--include-dashboard=false", f"--system-config={json.dumps(HEALTH_CHECKS)}"]
        second = [*ray, f"--address={head.address}:{GCS_PORT}", f"--node-ip-address={other.address}"]
        services = []
        for machine, command in ((head, first), (other, second)):
            own = folder / f"n{len(services)}"
            own.mkdir()
            command = [*command, f"--temp-dir={own}/ray"]
            service = network.Service(machine, command, environment | {"TMPDIR": str(own)}, folder / f"{own.name}.log")
            stack.callback(service.end)
            services.append(service)
            if machine is head:
                wait_for(lambda: (folder / "n0.log").read_bytes().count(b"Ray runtime started"))
        machines = TwoMachines(head, other, services[1], environment, folder)
        wait_for(lambda: machines.num_machines() == 2)
        yield machines
