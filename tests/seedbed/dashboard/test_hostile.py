"""Whatever a crawl, a worker or a person writes is shown as text."""

import html
import time

import pyarrow as pa
import pytest

from dataprep.schemas import DOCUMENTS
from seedbed import runs
from seedbed.artifact import Artifact, write_table
from seedbed.registry.states import Level

PAYLOADS = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'\"onmouseover=\"alert(1)",
    "</textarea></title></style><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7919 * 7907 }}{% include '/etc/passwd' %}",
)


def is_text(page, payload):
    """The payload stands there, and not as it was written where that has a meaning."""
    assert (
        html.escape(payload) in page
        or html.escape(payload).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
    )
    if any(letter in payload for letter in '<>"'):
        assert payload not in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_driver_says_is_text(site, payload):
    site.record(runs.FAILED, payload)
    site.report(host=payload, phase=payload, step=payload, unit=payload, rate_unit=payload, at=time.time())
    site.log(f"{payload}\n")
    site.registry.raise_alarm(payload, "job", payload, level=Level.CRITICAL, message=payload, actor=payload)
    site.registry.event("run", site.run_id, reason=payload, actor=payload)
    site.look()
    for path in ("/", "/runs", f"/runs/{site.run_id}", f"/runs/{site.run_id}/logs", f"/runs/{site.run_id}/events"):
        is_text(site.get(path), payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_page_of_the_crawl_says_is_text(site, payload):
    url = f"https://x.example/{payload}"
    extract = Artifact(site.store, "extract", site.plan.step("extract").fingerprint)
    rows = extract.read_table("documents", "00000").to_pylist()
    rows[0] |= {"url": url, "text": f"{payload} and more", "content_type": payload, "charset": payload}
    write_table(extract, "documents", "00000", pa.Table.from_pylist(rows, DOCUMENTS))
    site.record()
    site.look()
    for path in (
        f"/data/document?run={site.run_id}&target=docs/a.warc.gz%231",
        f"/data/samples?run={site.run_id}&step=extract",
    ):
        page = site.get(path)
        is_text(page, payload)
        assert f'href="{payload}' not in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_asked_for_is_text(site, payload):
    site.record()
    site.look()
    answers = [
        site.client.get("/data/document", params={"run": site.run_id, "target": payload}),
        site.client.get("/data/samples", params={"run": site.run_id, "step": payload, "reason": payload}),
        site.client.get("/runs", params={"text": payload, "state": payload}),
        site.client.get("/login", params={"next": payload}),
        site.client.get(f"/runs/{payload.replace('/', '')}", headers={"accept": "text/html"}),
    ]
    for answer in answers:
        if any(letter in payload for letter in '<>"'):
            assert payload not in answer.text
            assert "<script>document" not in answer.text
            assert "<img src=x" not in answer.text
        assert answer.status_code < 500
        assert "62615533" not in answer.text  # 7919 x 7907: nobody has worked it out
