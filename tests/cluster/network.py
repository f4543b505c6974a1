"""Machines on one machine: network namespaces with addresses of their own, joined by a bridge (Linux, root, `ip`).

    namespace sb<pid>n0 --veth--+
    namespace sb<pid>n1 --veth--+-- bridge sb<pid>      10.213.<pid mod 250>.<number + 1>

They share the disk, as machines do that have a folder in common, and nothing of the network: who is cut off gets no
answer, and no error either, as when a switch dies.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

PREFIX = f"sb{os.getpid()}"  # of every name that is made here; an interface's name has room for 15 letters
SUBNET = f"10.213.{os.getpid() % 250}"


@functools.cache
def why_not() -> str | None:
    """What keeps this machine from making networks, None where nothing does."""
    if shutil.which("ip") is None:
        return "there is no `ip` (iproute2)"
    if os.getuid() != 0:
        return "only root may make network namespaces"
    try:
        with Network(1):
            return None
    except subprocess.CalledProcessError as error:
        return f"`{' '.join(error.cmd)}` failed: {error.stderr.strip()}"


class Machine:
    """A namespace with one interface, `eth0`."""

    def __init__(self, number: int) -> None:
        self.name = f"{PREFIX}n{number}"
        self.address = f"{SUBNET}.{number + 1}"
        self._cable = f"{PREFIX}v{number}"  # its other end, at the bridge

    def _up(self, bridge: str) -> None:
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.mend()
        _ip("link", "set", self._cable, "up")
        _ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        for interface in ("eth0", "lo"):
            _ip("-n", self.name, "link", "set", interface, "up")

    def _down(self) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "link", "delete", self._cable], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)

    def cut(self) -> None:
        """From now on nothing reaches it, and it reaches nobody but itself."""
        _ip("link", "set", self._cable, "nomaster")

    def mend(self) -> None:
        _ip("link", "set", self._cable, "master", PREFIX)

    def command(self, *arguments: object) -> list[str]:
        """The command that runs `arguments` there; the process that is started becomes that command."""
        return ["ip", "netns", "exec", self.name, *map(str, arguments)]

    def pids(self) -> list[int]:
        """Every process on the machine."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]


class Network:
    """Machines that reach one another. Used with `with`: at the end they and all their processes are gone."""

    def __init__(self, num_machines: int) -> None:
        self.machines = [Machine(number) for number in range(num_machines)]

    def __enter__(self) -> "Network":
        try:
            _ip("link", "add", PREFIX, "type", "bridge")
            _ip("link", "set", PREFIX, "up")
            for machine in self.machines:
                machine._up(PREFIX)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            machine._down()
        subprocess.run(["ip", "link", "delete", PREFIX], capture_output=True, check=False)


class Service:
    """A command on a machine that is started again when it ends, as systemd or Kubernetes do it."""

    def __init__(self, machine: Machine, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._command = machine.command(*command)
        self._environment = environment
        self._log = log
        log.touch()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._ended.is_set():
            self.starts += 1
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
                )
            while self._process.poll() is None:
                self._ended.wait(0.1)
                if self._ended.is_set():
                    self._process.kill()
                    self._process.wait()
            self._ended.wait(0.5)

    def end(self) -> None:
        """End it for good; what it has started is left to the machine's end."""
        self._ended.set()
        self._thread.join()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)


def processes(machine: Machine, title: str) -> Iterator[int]:
    """The processes on `machine` whose command line begins with `title`; Ray names its workers after what they do."""
    for pid in machine.pids():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(title.encode()):
                yield pid
