"""The samples of a run in their order: of one stream, or of one for each source of a mixture.

Sample k of the run is arithmetic on k, whoever reads it and whenever: the loader's whole state is one integer.
Shape suffixes: N samples, S sequence length; `_N2` is [N, 2], `_NS1` is [N, S + 1].
"""

import numpy as np
import numpy.typing as npt

from dataprep.mixture import MixedOrder
from dataprep.order import SampleOrder
from jobs.pretrain.task import TrainTask


class TrainingSamples:
    """The training tokens of a task, which must have been fetched on this node."""

    def __init__(self, task: TrainTask) -> None:
        """Raises CorruptDataError for a shard that is damaged."""
        self._length, seed = task.model.sequence_length, task.training.seed
        self._order: SampleOrder | MixedOrder
        if not task.quotas:
            self._streams = [task.shards.train_stream()]
            self._order = SampleOrder(self._streams[0].num_samples(self._length), seed)
        else:
            quotas = {name: quota for name, quota in sorted(task.quotas.items()) if quota}
            self._streams = [task.shards.stream_of(name) for name in quotas]
            sizes = tuple(stream.num_samples(self._length) for stream in self._streams)
            self._order = MixedOrder(sizes, tuple(quotas.values()), seed)

    def places(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """int64[N, 2]: stream and sample in it, of samples `start` to `start + count` of the run."""
        if isinstance(self._order, MixedOrder):
            return np.stack(self._order.indices(start, count), axis=1)
        samples = self._order.indices(start, count)
        return np.stack([np.zeros_like(samples), samples], axis=1)

    def read(self, places_N2: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """int64[N, S + 1]: the tokens at these places."""
        rows_NS1 = np.empty((len(places_N2), self._length + 1), np.int64)
        for number, stream in enumerate(self._streams):
            chosen = np.flatnonzero(places_N2[:, 0] == number)
            rows_NS1[chosen] = stream.samples(places_N2[chosen, 1], self._length)
        return rows_NS1
