"""`extract`: one unit a crawl file; writes `documents` and `unread`."""

from collections.abc import Iterator
from typing import BinaryIO, cast

import fsspec
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.extract import extract
from dataprep.extraction.isolation import QUARANTINE_REASONS
from dataprep.extraction.page import ExtractConfig
from dataprep.reading.digesting import DigestingStream
from dataprep.reading.formats import ReaderConfig, read_records
from dataprep.reading.record import Record
from dataprep.tally import tally, tally_by_reason
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import QuarantineError, SourceError
from seedbed.fingerprint import canonical_json


def run(step: StepRun) -> None:
    """Every file of every source, in the order of source name and path; one file is one input shard."""
    files = step.config["files"]
    prefixes = document_id.file_prefixes((f["source"], f["path"]) for f in files)  # refuses files that share ids
    shards = [
        {"unit": f"{number:05d}", "source": source, "path": path, "prefix": prefix.hex()}
        for number, (prefix, (source, path)) in enumerate(prefixes.items())
    ]
    locations = {(f.source, f.path): f.url for f in step.plan.sources}
    arguments = {
        shard["unit"]: {
            "source": f["source"],
            "path": f["path"],
            "num_bytes": f["size"],
            "url": locations[f["source"], f["path"]],
        }
        for shard, f in zip(shards, files, strict=True)
    }
    summed = total(step.map("jobs.steps.extract:unit", list(arguments), arguments=arguments))
    _check_quarantine(summed, step.plan.run.data.max_quarantined_fraction)
    step.commit(summed, input_shards=shards)


def _check_quarantine(report: Report, allowed: float) -> None:
    failed = {reason: report.dropped[reason].records for reason in QUARANTINE_REASONS if reason in report.dropped}
    share = sum(failed.values()) / max(report.tally_in.records, 1)
    if share > allowed:
        counts = ", ".join(f"{n} {reason}" for reason, n in failed.items())
        raise QuarantineError(
            f"extract: {counts} of {report.tally_in.records} records: {share:.2%} failed in the extractor, allowed are "
            f"{allowed:.2%} (data.max_quarantined_fraction). What was read is kept; look at the failures with "
            "`seedbed sample extract --reason REASON`, then raise the limit or take the file out"
        )


class _Witness:
    """Counts what a reader gives on its own account, so that what `extract` says can be held against it."""

    def __init__(self, records: Iterator[Record], prefix: bytes) -> None:
        self._records = records
        self._prefix = prefix
        self._ids: list[bytes] = []

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self._ids.append(document_id.pack(self._prefix, record.number))
            yield record

    def ids(self) -> pa.Table:
        return pa.table({"id": pa.array(self._ids, document_id.ID)})


def unit(unit: Unit, source: str, path: str, num_bytes: int, url: str) -> Report:
    """Read one crawl file. Raises SourceError when it is not the file that was planned with."""
    config = ExtractConfig.model_validate(unit.config["limits"])
    reader = ReaderConfig.model_validate(unit.config["readers"][source])
    prefix = document_id.file_prefix(source, path)
    try:
        with fsspec.open(url, "rb") as stream:
            digesting = DigestingStream(stream)
            seekable = cast(BinaryIO, digesting)
            witness = _Witness(read_records(seekable, path, reader, config.max_record_bytes), prefix)
            documents, unread = extract(iter(witness), prefix, config)
            read_bytes, digest = digesting.finish()
    except FileNotFoundError:
        raise SourceError(f"{url} was there when the run was planned and is gone: put it back, or plan again") from None
    if read_bytes != num_bytes:
        raise SourceError(f"{url} had {num_bytes:,} bytes when the run was planned and has {read_bytes:,}: plan again")
    unit.write("documents", documents)
    unit.write("unread", unread)
    num_text_bytes = pc.sum(pc.binary_length(documents["text"])).as_py() or 0
    documents = documents.append_column("num_bytes", pc.cast(pc.binary_length(documents["text"]), pa.int64()))
    payload_bytes = sum(pc.sum(t["num_payload_bytes"]).as_py() or 0 for t in (documents, unread))
    unit.write_file(f"sources/{unit.name}.json", source_record(source, path, num_bytes, digest))
    return Report(
        tally_in=tally(witness.ids(), None),
        tally_out=tally(documents, "num_bytes"),
        dropped=tally_by_reason(unread, None),
        bytes_added=num_text_bytes,
        counts={"payload_bytes": payload_bytes},
    )


def source_record(source: str, path: str, num_bytes: int, digest: str) -> bytes:
    """What was read, for whoever asks later whether the crawl is still the same."""
    return canonical_json({"source": source, "path": path, "num_bytes": num_bytes, "blake3": digest})
