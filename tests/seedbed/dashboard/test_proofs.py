"""What the data page says of evaluation sets and of plants."""

import json

from seedbed.artifact import Artifact
from seedbed.dashboard.pages.data import _proofs
from seedbed.show import step_summary
from seedbed.state import StateDirectory

COPIES = {
    "planted": 60,
    "min_jaccard": 0.8,
    "at_or_above": 48,
    "found": 48,
    "recall": 1.0,
    "expected_recall": 0.9996,
    "checked_pairs": 50,
    "right_pairs": 50,
    "bins": [{"least": 0.8, "most": 0.85, "plants": 48, "compared": 47, "expected": 47.93, "spread": 0.26}],
}


def test_what_was_planted_and_found_stands_on_the_data_page(site):
    artifact = Artifact(site.store, "deduplicate", site.plan.step("deduplicate").fingerprint)
    manifest = artifact.committed()
    site.record()
    site.look()
    assert "What was planted" not in site.get("/data")
    site.store.write(f"{artifact.path}/manifest.json", json.dumps(manifest | {"planted_copies": COPIES}).encode())
    part = site.client.app.state.page.part("live/data.html", **_shown(site))
    assert "Planted copies: 48 of 48 found at 0.8 and above (recall 1.0000, expected of the bands 0.9996)" in part
    assert '<td>0.80 to 0.85</td><td class="num">48</td><td class="num">47</td><td class="num">47.9 ± 0.3</td>' in part
    assert "Evaluation sets" not in part


def _shown(site):
    step = step_summary(site.store, StateDirectory("unused"), site.plan.step("deduplicate"))
    return {"funnel": None, "is_annotated": False, **_proofs([step])}


def test_each_evaluation_set_has_a_row(site):
    found = {"items": 9, "items_not_checkable": 2, "items_found": 1, "documents": 3}
    step = {"kind": "decontaminate", "state": "done", "benchmarks": {"exam": found}}
    part = site.client.app.state.page.part("proofs.html", **_proofs([step]))
    numbers = "".join(f'<td class="num">{number}</td>' for number in (9, 2, 1, 3))
    assert f'<td class="break">exam</td>{numbers}' in part
    assert "What was planted" not in part


def test_of_steps_that_are_to_do_nothing_is_said(site):
    step = {"kind": "decontaminate", "state": "to do"}
    assert site.client.app.state.page.part("proofs.html", **_proofs([step])).strip() == ""
