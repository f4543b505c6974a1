"""Sending what is left of runs, long after they ended: what `seedbed track` does."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dataprep.errors import CorruptDataError
from seedbed import runs
from seedbed.lease import Leases
from seedbed.runs import RunRecord
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.shipment import Shipment
from seedbed.tracking.shipper import TrackingError, send_all


@dataclass(frozen=True)
class CaughtUp:
    """What became of one run."""

    run: str
    said: str
    failed: bool = False
    mlflow_run: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def catch_up(store: Store, state: StateDirectory, names: Sequence[str | None] | None) -> list[CaughtUp]:
    """Send what is left of these runs (ids or names; None is the newest), or of every run of the store.

    One that cannot be read fails alone. Raises UsageError for a name that is none.
    """
    if names is None:
        records = runs.all_runs(store, state)
    else:
        records = [runs.find(store, state, name) for name in names]
    return [_one_or_fault(store, state, record) for record in records]


def _one_or_fault(store: Store, state: StateDirectory, record: RunRecord) -> CaughtUp:
    if record.state == runs.DAMAGED:
        return CaughtUp(record.run, record.error or "", failed=True)
    try:
        return _one(store, state, record)
    except CorruptDataError as error:  # its plan, or what of it another version of Seedbed wrote
        return CaughtUp(record.run, str(error), failed=True)


def _one(store: Store, state: StateDirectory, record: RunRecord) -> CaughtUp:
    if not record.attempts:  # only compared; what its steps share with another run is told with that one
        return CaughtUp(record.run, "was planned and never started; nothing is sent")
    shipment = Shipment.of_run(store, state, record.run)
    if not shipment.is_wanted:
        return CaughtUp(record.run, "its run file says tracking.enabled: false; nothing is sent")
    leases = Leases(store, state)
    if leases.is_held(Shipment.lease_name(record.run)):
        return CaughtUp(record.run, "another process is sending it")
    with leases.hold(Shipment.lease_name(record.run)):
        shipment = Shipment.of_run(store, state, record.run)
        backlog = shipment.backlog()
        left = backlog.in_words()
        if shipment.is_up_to_date():
            said = "everything had been sent"
        else:
            if backlog.is_empty:
                left = "what is said of the run itself"  # its status, a certificate that came later
            try:
                send_all(shipment)
            except TrackingError as error:
                return CaughtUp(record.run, str(error), failed=True)
            said = f"sent {left}"
        shipped = shipment.shipped
        where = shipment.place.where_to_look(shipped.experiment_id, shipped.run)
        return CaughtUp(record.run, f"{said}; see {where}", mlflow_run=shipped.run)
