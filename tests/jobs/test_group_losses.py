import math

import numpy as np
import pyarrow as pa
import pytest

from jobs.group_losses import losses_by_group, whole_documents
from seedbed.runfile.evaluation import EvaluationConfig


def test_only_documents_that_were_scored_whole_count():
    # Token 0 is no target, and of the last document the last token was not scored.
    documents = pa.table({"first_token": [0, 3, 5, 9], "num_tokens": [3, 2, 4, 2]})
    losses = np.arange(1, 10, dtype=np.float32)  # of tokens 1 to 9: each its own number
    whole, sums = whole_documents(losses, documents)
    assert whole["first_token"].to_pylist() == [3, 5]
    assert sums.tolist() == [3 + 4, 5 + 6 + 7 + 8]


DOCUMENTS = pa.table(
    {
        "num_tokens": [10, 10, 30, 5, 4],
        "num_bytes": [40, 40, 60, 20, 10],
        "domain": ["a", "a", "b", "c", "d"],
    }
)
LOSSES = np.array([20.0, 40.0, 60.0, 5.0, 5.0])


def test_a_group_has_the_mean_over_its_tokens_and_bits_over_its_bytes():
    found = losses_by_group(DOCUMENTS, LOSSES, ["domain"], EvaluationConfig(min_documents=2, min_tokens=8))["domain"]
    assert found["groups"] == [
        {
            "name": "a",
            "documents": 2,
            "tokens": 20,
            "num_bytes": 80,
            "loss": 3.0,
            "bits_per_byte": pytest.approx(60 / math.log(2) / 80),
        }
    ]
    # one document each
    assert found["too_small"] == {"groups": 3, "documents": 3, "tokens": 39, "names": ["b", "c", "d"]}


def test_of_domains_the_largest_are_shown_and_of_a_floor_both_sides_hold():
    config = EvaluationConfig(min_documents=1, min_tokens=8, max_domains=1)
    found = losses_by_group(
        DOCUMENTS.append_column("source", DOCUMENTS["domain"]), LOSSES, ["domain", "source"], config
    )
    assert [group["name"] for group in found["domain"]["groups"]] == ["b"]
    assert found["domain"]["too_small"]["names"] == ["c", "d"]
    assert [group["name"] for group in found["source"]["groups"]] == ["b", "a"]
