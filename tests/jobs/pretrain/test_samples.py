import numpy as np

from dataprep.order import SampleOrder
from jobs.pretrain.samples import TrainingSamples

FIRST, SECOND = 0, 1  # streams, by the names of the sources


def test_without_a_mixture_the_order_is_that_of_one_stream(make_task):
    task = make_task()
    samples, stream = TrainingSamples(task), task.shards.train_stream()
    order = SampleOrder(stream.num_samples(16), seed=5).indices(30, 20)
    assert np.array_equal(samples.read(samples.places(30, 20)), stream.samples(order, 16))


def test_of_a_mixture_each_source_gives_its_quota_and_is_read_whole_before_it_repeats(make_task):
    task = make_task(quotas={"first": 31, "second": 93})
    samples = TrainingSamples(task)
    places = samples.places(0, 124)
    # 1,000 tokens of each are 62 samples: half of one, and the other once and a half.
    seen = [np.bincount(places[places[:, 0] == number, 1], minlength=62) for number in (FIRST, SECOND)]
    assert [np.bincount(times, minlength=3).tolist() for times in seen] == [[31, 31, 0], [0, 31, 31]]
    rows = samples.read(places)
    for number, source in ((FIRST, "first"), (SECOND, "second")):
        chosen = places[:, 0] == number
        assert np.array_equal(rows[chosen], task.shards.stream_of(source).samples(places[chosen, 1], 16))


def test_a_source_that_gives_nothing_is_not_opened(make_task):
    task = make_task(quotas={"first": 0, "second": 10})
    task.shards.train_of["first"] = ("shards/there-is-none",)
    assert TrainingSamples(task).read(np.array([[0, 3]])).shape == (1, 17)
