"""The contract of the data library: the Arrow schema of every table that passes between two steps.

Each table is cut into the same input shards, and `documents`, `edits`, `attributes` and the verdicts of `select` hold
the same rows in the same order (ascending `id`), so that a row of one stands beside the row of another.
What `annotate` writes, `attributes`, follows from what is measured: `dataprep.annotate.AnnotateConfig.table_schema`.
Text is `large_string` (64-bit offsets) everywhere: a shard may hold more than 2 GiB. Sizes are in UTF-8 bytes.
"""

import pyarrow as pa

ID = pa.binary(16)
"""A document's id, packed big-endian: see `dataprep.document_id`."""

DOCUMENTS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("url", pa.string()),  # as recorded; JSON Lines may have none
        pa.field("date", pa.timestamp("s", tz="UTC")),  # when it was fetched
        pa.field("offset", pa.int64(), nullable=False),  # bytes into the stored file, where a reader may start again
        pa.field("http_status", pa.int16()),
        pa.field("content_type", pa.string()),
        pa.field("charset", pa.string()),
        pa.field("num_payload_bytes", pa.int64(), nullable=False),  # as stored in the record, before decoding
        pa.field("text", pa.large_string(), nullable=False),
        # What the server and the page say beside it; null where they do not say it.
        pa.field("last_modified", pa.timestamp("s", tz="UTC")),
        pa.field("truncated", pa.string()),  # WARC-Truncated: why the crawler kept a part only
        pa.field("robots", pa.string()),  # directives that hold back, in alphabetical order: "noai noindex"
        pa.field("tdm_reservation", pa.bool_()),  # of text and data mining
        pa.field("licence", pa.string()),  # the address of one, mostly
    ]
)
"""What `extract` writes: one row for each record that holds a document."""

EDITS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),  # of the text as extracted
        pa.field("num_cut_bytes", pa.int64(), nullable=False),
        pa.field("num_added_bytes", pa.int64(), nullable=False),  # what survives is num_bytes + added - cut
        # Ascending, disjoint, half-open byte ranges of `documents.text` that do not survive, and the rule behind each.
        pa.field("cut_starts", pa.list_(pa.int64()), nullable=False),
        pa.field("cut_ends", pa.list_(pa.int64()), nullable=False),
        pa.field("cut_rules", pa.list_(pa.int8()), nullable=False),  # index into `dataprep.clean.RULES`
        pa.field("added_lengths", pa.list_(pa.int32()), nullable=False),  # bytes in the place of each cut; mostly 0
        pa.field("added_text", pa.large_string(), nullable=False),  # those bytes, one place after another
        # Words that RefinedWeb's rules about lines looked at, and of those the ones they cut; 0 where none is on.
        pa.field("num_words_in_lines", pa.int64(), nullable=False),
        pa.field("num_words_in_refinedweb_lines", pa.int64(), nullable=False),
    ]
)
"""What `clean` writes: the spans that its rules cut, and what they put in their place. The text is not copied."""

VERDICTS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),  # of the text as it leaves the step, or would have come in
        pa.field("reason", pa.string()),  # null: kept
        pa.field("value", pa.float64()),  # what was measured
        pa.field("threshold", pa.float64()),  # what it was held against
        pa.field("duplicate_of", ID),  # the document that it lost to
    ]
)
"""What `select`, `deduplicate`, `decontaminate` and `repeats` write: one row for each document that reached them."""

CUTS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),  # of the text before the cuts
        # Ascending, disjoint, half-open byte ranges of that text.
        pa.field("starts", pa.list_(pa.int64()), nullable=False),
        pa.field("ends", pa.list_(pa.int64()), nullable=False),
    ]
)
"""What `decontaminate` takes out of documents that it keeps, of the texts that survive `clean`, and then `repeats` of
what is left: a row for each document that loses something."""

CORPUS = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("url", pa.string()),  # as recorded; JSON Lines may have none
        pa.field("language", pa.string()),
        pa.field("split", pa.string(), nullable=False),  # train or validation
        pa.field("text", pa.large_string(), nullable=False),
    ]
)
"""What `corpus` writes: the documents to learn from, in their final form."""

UNREAD = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("url", pa.string()),
        pa.field("num_payload_bytes", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("detail", pa.string()),
    ]
)
"""What `extract` writes beside `documents`: one row for each record that gave no document, and why."""

LEDGER = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("url", pa.string()),
        pa.field("outcome", pa.string(), nullable=False),  # kept, dropped or quarantined
        pa.field("step", pa.string(), nullable=False),  # the step that decided
        pa.field("reason", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("duplicate_of", ID),
        pa.field("split", pa.string()),  # of a kept document
        pa.field("detail", pa.string()),
    ]
)
"""One row for each record that was read, whatever became of it."""
