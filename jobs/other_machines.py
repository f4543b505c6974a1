"""CPU, memory, disk, network and GPUs of a cluster's other machines, for as long as a run is there.

An actor on each of them takes a look when it is asked. What it says goes into the spool of the driver's machine, and
from there to MLflow, like what the driver sees of its own.
"""

import contextlib
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil

from seedbed.tracking import journal
from seedbed.tracking.system_metrics import Machine, sample

STOP_WITHIN_S = 5.0


class OtherMachines:
    """Asks them from `start` to `stop`, in a thread. Ray is up for as long. A look that fails is left out."""

    def __init__(self, spool: Path, every_s: float) -> None:
        self._spool, self._every_s = spool, every_s
        self._actors: dict[str, Any] = {}  # by address
        self._questions: dict[str, Any] = {}  # that are on their way
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="other machines", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Its actors go with the last reference to them. Nothing, where it was never started."""
        self._done.set()
        if self._thread.ident is None:
            return
        self._thread.join(timeout=STOP_WITHIN_S)
        if not self._thread.is_alive():  # else Ray does not answer, and it ends with the process
            self._questions.clear()
            self._actors.clear()

    def _watch(self) -> None:
        from ray.exceptions import RayError

        while not self._done.wait(self._every_s):
            with contextlib.suppress(OSError, RayError):
                self.look()

    def look(self) -> None:
        """Write what they have said since, and ask again those that have answered. Waits for none of them."""
        import ray
        from ray.exceptions import RayError

        self._meet()
        asked = {question: address for address, question in self._questions.items()}
        answered = ray.wait(list(asked), num_returns=len(asked), timeout=0)[0] if asked else []
        for question in answered:
            address = asked[question]
            del self._questions[address]
            try:
                journal.append(self._spool, sample(ray.get(question), address))
            except RayError:  # its node is gone, or its look failed: met anew where it is there
                self._actors.pop(address, None)
        for address, actor in self._actors.items():
            if address not in self._questions and not self._done.is_set():  # Ray may be down by then
                self._questions[address] = actor.look.remote()

    def _meet(self) -> None:
        """An actor for each machine that is there now; none for one that is gone."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = {node["NodeManagerAddress"]: node["NodeID"] for node in ray.nodes() if node["Alive"]}
        there.pop(ray.util.get_node_ip_address(), None)
        for gone in self._actors.keys() - there.keys():
            del self._actors[gone]
            self._questions.pop(gone, None)
        remote: Any = ray.remote  # its types leave out options
        for address in there.keys() - self._actors.keys():
            if self._done.is_set():
                return
            where = NodeAffinitySchedulingStrategy(there[address], soft=False)
            self._actors[address] = remote(num_cpus=0, scheduling_strategy=where)(_Visitor).remote()


class _Visitor:
    """The actor. Of its machine's file systems it looks at that of temporary files, where scratch lies by default."""

    def __init__(self) -> None:
        self._machine = Machine(Path(tempfile.gettempdir()))

    def look(self) -> dict[str, float]:
        try:
            return self._machine.look()
        except psutil.Error as error:
            raise OSError(str(error)) from error
