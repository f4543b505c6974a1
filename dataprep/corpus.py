"""`corpus`: the documents that are left, in their final form. The text is written here for the second and last time.

What stands here comes last because it must not be seen by what is before: a mask is no word of the document, and blank
lines are what `clean` leaves of what it cuts. The normal form of the characters is made by `clean`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from dataprep import schemas
from dataprep.decontaminate.cuts import without_cuts
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column, text_buffers
from dataprep.kernels.text_view import surviving_text
from dataprep.personal_data import KINDS, MaskConfig, PersonalDataConfig, mask
from dataprep.split import SplitConfig, split_names
from dataprep.tally import text_hashes, texts_checksum

# All patterns are RE2's, which Arrow runs: their time is linear in the text, whatever the text is.
TRAILING_BLANKS = r"(?m)[\p{Zs}\t]+$"


class CorpusConfig(BaseModel):
    """The final form of a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    personal_data: MaskConfig = Field(default=MaskConfig(), description="what becomes of personal data, by kind")
    collapse_blank_lines: bool = Field(
        default=True, description="keep one blank line of several in a row, and none at either end of a document"
    )


@dataclass(frozen=True)
class FinalForm:
    """What the final form took and gave, in UTF-8 bytes: `num_bytes_in + num_bytes_added` is `num_bytes_out +
    num_bytes_cut`.

    A piece of personal data counts as cut and its token as added; `num_masked` says how many went, by number of kind.
    Where a rule rewrites characters, a document's text grows or shrinks by it, and the difference counts as added or
    cut. `texts` is the checksum of the final texts under their ids (`tally.texts_checksum`), 0 where they have none.
    """

    num_documents: int = 0
    num_bytes_in: int = 0
    num_bytes_added: int = 0
    num_bytes_cut: int = 0
    num_bytes_out: int = 0
    num_masked: tuple[int, ...] = (0,) * len(KINDS)
    texts: int = 0

    def __add__(self, other: "FinalForm") -> "FinalForm":
        sums = {name: value + vars(other)[name] for name, value in vars(self).items() if name != "num_masked"}
        masked = tuple(ours + theirs for ours, theirs in zip(self.num_masked, other.num_masked, strict=True))
        return FinalForm(**sums, num_masked=masked)


def finalise(
    text: pa.LargeStringArray, config: CorpusConfig, personal_data: PersonalDataConfig
) -> tuple[pa.LargeStringArray, FinalForm]:
    """The texts in their final form, and the account of it. Doing it twice changes nothing more.

    In this order: personal data; blanks at the end of lines, which a piece that was cut out may leave; blank lines. The
    texts are those that `clean` leaves: their lines end in line feeds.
    """
    account = _Account(text)
    account.mask(config.personal_data, personal_data)
    account.rewrite(pc.replace_substring_regex(account.text, TRAILING_BLANKS, ""))
    if config.collapse_blank_lines:
        collapsed = pc.replace_substring_regex(account.text, r"\n{3,}", "\n\n")
        account.rewrite(pc.ascii_trim(collapsed, characters="\n"))
    return account.text, account.close(text)


class _Account:
    """A text on its way, and the bytes that it won and lost."""

    def __init__(self, text: pa.LargeStringArray) -> None:
        self.text = text
        self.num_bytes_added = 0
        self.num_bytes_cut = 0
        self.num_masked = (0,) * len(KINDS)

    def rewrite(self, text: pa.LargeStringArray) -> None:
        """Takes the text after a rule, with the difference of each document."""
        growth = pc.binary_length(text).to_numpy() - pc.binary_length(self.text).to_numpy()
        self.num_bytes_added += int(growth[growth > 0].sum())
        self.num_bytes_cut -= int(growth[growth < 0].sum())
        self.text = text

    def mask(self, masking: MaskConfig, config: PersonalDataConfig) -> None:
        """Takes the text with tokens in the place of personal data."""
        self.text, self.num_masked, added, cut = mask(self.text, config, masking)
        self.num_bytes_added += added
        self.num_bytes_cut += cut

    def close(self, text: pa.LargeStringArray) -> FinalForm:
        """The account from `text` to what it became."""
        before, after = _num_bytes(text), _num_bytes(self.text)
        assert before + self.num_bytes_added == after + self.num_bytes_cut
        return FinalForm(len(text), before, self.num_bytes_added, self.num_bytes_cut, after, self.num_masked)


def _num_bytes(text: pa.LargeStringArray) -> int:
    return pc.sum(pc.binary_length(text)).as_py() or 0


def corpus(
    documents: pa.Table,
    edits: pa.Table,
    attributes: pa.Table,
    verdicts: pa.Table,
    split: SplitConfig,
    config: CorpusConfig,
    personal_data: PersonalDataConfig,
    cuts: Sequence[pa.Table] = (),
) -> tuple[pa.Table, FinalForm]:
    """`schemas.CORPUS` of one shard: the documents that `verdicts` keeps (no reason), ascending by id.

    `documents` (`schemas.DOCUMENTS`), `edits` (`schemas.EDITS`) and `attributes` hold the same rows; `verdicts`
    (`schemas.VERDICTS`) is the last word on those that reached the last step, `cuts` (`schemas.CUTS` each) what goes of
    them, one after another. Raises CorruptDataError where the tables do not fit, and where a surviving text is not the
    one whose hash `annotate` took: a byte was lost or swapped on the way.
    """
    rows = _kept_rows(documents, edits, attributes, verdicts)
    documents, edits, attributes = documents.take(rows), edits.take(rows), attributes.take(rows)
    ids = column(documents, "id")
    text = surviving_text(column(documents, "text"), edits)
    check_content(ids, text, column(attributes, "content_hash"))
    for some in cuts:
        text = without_cuts(ids, text, some)
    text, account = finalise(text, config, personal_data)
    account = replace(account, texts=texts_checksum(ids, text_hashes(text)))
    columns = [ids, column(documents, "url"), column(attributes, "language"), split_names(ids, split), text]
    return pa.Table.from_arrays(columns, schema=schemas.CORPUS), account


def _kept_rows(documents: pa.Table, edits: pa.Table, attributes: pa.Table, verdicts: pa.Table) -> np.ndarray:
    """int64: the rows of `documents` that `verdicts` keeps, ascending."""
    ids = column(documents, "id")
    for name, other in (("edits", edits), ("attributes", attributes)):
        if not ids.equals(column(other, "id")):
            raise CorruptDataError(f"{len(ids)} documents do not stand beside {other.num_rows} {name} of the same ids")
    kept = column(verdicts, "id").filter(pc.is_null(column(verdicts, "reason")))
    rows = np.flatnonzero(pc.is_in(ids, value_set=kept).to_numpy(zero_copy_only=False))
    if len(rows) != len(kept):
        raise CorruptDataError(
            f"verdicts keep {len(kept)} documents, of which {len(rows)} are in this shard: are both of the same shard?"
        )
    return rows


def check_content(ids: pa.Array, text: pa.LargeStringArray, hashes: pa.Array) -> None:
    """Raises CorruptDataError where a surviving text is not the one whose hash `annotate` took."""
    data, offsets = text_buffers(text)
    view = data.data  # a memoryview: its slices copy nothing
    for row, expected in enumerate(hashes.to_pylist()):
        found = xxhash.xxh3_128_digest(view[offsets[row] : offsets[row + 1]])
        if found != expected:
            raise CorruptDataError(
                f"document {ids[row].as_py().hex()}: its surviving text has the XXH3-128 {found.hex()}, "
                f"but `annotate` saw {expected.hex()}; delete the artifacts of this shard and run its steps again"
            )
