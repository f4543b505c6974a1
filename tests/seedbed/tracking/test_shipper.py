from seedbed.errors import StoreError
from seedbed.tracking.shipment import Shipment
from seedbed.tracking.shipper import _try_to_send


def test_a_state_directory_that_takes_no_files_is_a_failed_try_and_not_the_end_of_the_shipper(track_run):
    tracked = track_run()
    shipment = Shipment(tracked.store, tracked.state, tracked.plan)
    tracked.state.root.mkdir(exist_ok=True)
    for folder in ("locks", "tracking"):  # neither a lease nor a note of the failure can be written
        assert not (tracked.state.root / folder).exists()
        (tracked.state.root / folder).write_text("in the way")
    assert isinstance(_try_to_send(shipment, numbers_only=False), StoreError)
