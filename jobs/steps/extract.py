"""`extract`: one unit a crawl file; writes `documents` and `unread`."""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dataprep import document_id
from dataprep.extract import extract
from dataprep.extraction.page import ExtractConfig
from dataprep.reading.digesting import DigestingStream
from dataprep.reading.formats import ReaderConfig, read_records
from dataprep.reading.record import DAMAGE, Record
from dataprep.tally import tally, tally_by_reason, texts_checksum
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError, SourceError
from seedbed.fingerprint import canonical_json
from seedbed.source_stream import open_source


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
            "version": f["version"],
            "url": locations[f["source"], f["path"]],
        }
        for shard, f in zip(shards, files, strict=True)
    }
    reports = step.map("jobs.steps.extract:unit", list(arguments), arguments=arguments)
    damaged = [_damage(shard, reports[shard["unit"]]) for shard in shards]
    found = [one for one in damaged if one["places"]]
    step.commit(total(reports), input_shards=shards, **({"damaged": found} if found else {}))


def _damage(shard: dict[str, str], report: Report) -> dict[str, Any]:
    """Of a file of the crawl, at how many places it is not what it should be. What can be read behind them is."""
    places = sum(report.dropped[reason].records for reason in DAMAGE if reason in report.dropped)
    return {"source": shard["source"], "path": shard["path"], "places": places}


class _Witness:
    """Counts on its own account what a reader and the extractor give, so that what `extract` says can be held
    against it."""

    def __init__(self, records: Iterator[Record], prefix: bytes) -> None:
        self._records = records
        self._prefix = prefix
        self._ids: list[bytes] = []
        self._hashes: dict[bytes, int] = {}  # XXH3-64 of the texts, by id
        self.num_text_bytes = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self._ids.append(document_id.pack(self._prefix, record.number))
            yield record

    def hear(self, packed_id: bytes, text: str) -> None:
        """Takes note of a text as it comes from the extractor."""
        data = text.encode()
        self._hashes[packed_id] = xxhash.xxh3_64_intdigest(data)
        self.num_text_bytes += len(data)

    def ids(self) -> pa.Table:
        return pa.table({"id": pa.array(self._ids, document_id.ID)})

    def texts(self) -> int:
        """The checksum of the texts that it heard."""
        hashes = np.fromiter(self._hashes.values(), np.uint64, len(self._hashes))
        return texts_checksum(pa.array(list(self._hashes), document_id.ID), hashes)


def unit(unit: Unit, source: str, path: str, num_bytes: int, version: str, url: str) -> Report:
    """Read one crawl file. Raises SourceError when it is not the file that was planned with."""
    config = ExtractConfig.model_validate(unit.config["limits"])
    reader = ReaderConfig.model_validate(unit.config["readers"][source])
    prefix = document_id.file_prefix(source, path)
    with open_source(url, version) as stream:
        digesting = DigestingStream(stream)
        seekable = cast(BinaryIO, digesting)
        witness = _Witness(read_records(seekable, path, reader, config.max_record_bytes), prefix)
        documents, unread = extract(iter(witness), prefix, config, witness.hear)
        read_bytes, digest = digesting.finish()
    if read_bytes != num_bytes:
        raise SourceError(f"{url} had {num_bytes:,} bytes when the run was planned and has {read_bytes:,}: plan again")
    unit.write("documents", documents)
    unit.write("unread", unread)
    documents = documents.append_column("num_bytes", pc.cast(pc.binary_length(documents["text"]), pa.int64()))
    payload_bytes = sum(pc.sum(t["num_payload_bytes"]).as_py() or 0 for t in (documents, unread))
    unit.write_file(f"sources/{unit.name}.json", source_record(source, path, num_bytes, digest))
    out = tally(documents, "num_bytes", "text")
    if out.texts != witness.texts():
        raise ConservationError(f"extract {unit.name}: the texts of the documents are not those that were extracted")
    return Report(
        tally_in=tally(witness.ids(), None),
        tally_out=out,
        dropped=tally_by_reason(unread, None),
        bytes_added=witness.num_text_bytes,
        counts={"payload_bytes": payload_bytes},
    )


def source_record(source: str, path: str, num_bytes: int, digest: str) -> bytes:
    """What was read, for whoever asks later whether the crawl is still the same."""
    return canonical_json({"source": source, "path": path, "num_bytes": num_bytes, "blake3": digest})
