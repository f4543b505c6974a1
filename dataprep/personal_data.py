"""Personal data in texts: found by one set of rules, counted by `annotate`, masked by `corpus`.

text --propose_spans (kernel)--> spans --numbering plans--> PersonalData --mask--> text with tokens
"""

import functools
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import phonenumbers
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.kernels import personal_data as kernel
from dataprep.kernels.contacts import MIN_PHONE_DIGITS
from dataprep.kernels.personal_data import NATIONAL_PHONE, PHONE, propose_spans, put_tokens, size_after
from dataprep.kernels.text_buffers import text_buffers, text_from_buffers

KINDS = ("email", "ip_address", "phone", "iban", "card")
"""Names of `dataprep.kernels.personal_data`'s kinds, by number."""

PLURALS = ("emails", "ip_addresses", "phones", "ibans", "cards")
"""What columns and counts call them, by number: `num_emails`, `emails_masked`."""

TOKENS = ("|||EMAIL_ADDRESS|||", "|||IP_ADDRESS|||", "|||PHONE_NUMBER|||", "|||IBAN|||", "|||CARD_NUMBER|||")
"""What stands for each kind: the first three as in Dolma (Soldaini et al. 2024), the others after their pattern."""

_MAX_REMEMBERED_NUMBERS = 1 << 16  # spans; pages of one site repeat theirs

Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Action = Literal["mask", "keep", "cut"]


class PersonalDataConfig(BaseModel):
    """What counts as personal data. The rules of each kind stand in docs/personal-data.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ip_addresses: Literal["public", "all"] = Field(
        default="public", description="all: also those of private and special ranges (10.0.0.1, fe80::1)"
    )
    phone_regions: Annotated[tuple[Region, ...], Field(strict=False)] = Field(
        default=("US", "GB", "DE", "FR", "ES", "IT"),
        description="ISO 3166 codes of countries: after a word such as `Tel.` a number without `+` counts where it is "
        "valid in one of them",
    )


class MaskConfig(BaseModel):
    """What becomes of each kind: mask puts a token such as `|||EMAIL_ADDRESS|||` in its place, cut puts nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    email: Action = Field(default="mask", description="e-mail addresses: `|||EMAIL_ADDRESS|||`")
    ip_address: Action = Field(default="mask", description="IPv4 and IPv6 addresses: `|||IP_ADDRESS|||`")
    phone: Action = Field(default="mask", description="telephone numbers: `|||PHONE_NUMBER|||`")
    iban: Action = Field(default="mask", description="bank accounts (IBAN): `|||IBAN|||`")
    card: Action = Field(default="mask", description="numbers of payment cards: `|||CARD_NUMBER|||`")

    @property
    def actions(self) -> tuple[Action, ...]:
        """By number of kind."""
        return tuple(getattr(self, kind) for kind in KINDS)


@dataclass(frozen=True)
class PersonalData:
    """What was found: `spans` int64[4, spans] (document, first byte, end, kind), ascending and apart; bytes count into
    the buffer of the column that was looked through."""

    spans: np.ndarray
    num_documents: int

    def counts(self) -> np.ndarray:
        """int64[kinds, documents]."""
        places = self.spans[3] * self.num_documents + self.spans[0]
        return np.bincount(places, minlength=len(KINDS) * self.num_documents).reshape(len(KINDS), self.num_documents)


def find_personal_data(text: pa.LargeStringArray, config: PersonalDataConfig) -> PersonalData:
    """The personal data in each text."""
    spans = propose_spans(text, config.ip_addresses == "public")
    if np.any((spans[3] == PHONE) | (spans[3] == NATIONAL_PHONE)):
        spans = _with_valid_phones(text_buffers(text)[0], spans, config.phone_regions)
    return PersonalData(spans, len(text))


def mask(
    text: pa.LargeStringArray, config: PersonalDataConfig, masking: MaskConfig
) -> tuple[pa.LargeStringArray, tuple[int, ...], int, int]:
    """The texts masked; how many of each kind went, by number; bytes added by tokens; bytes cut.

    Masking what it gives changes nothing: where what a mask leaves reads like personal data, that is masked, too.
    """
    tokens = tokens_of(masking)
    num_gone = np.zeros(len(KINDS), np.int64)
    num_added = num_cut = 0
    while True:  # each round takes away an @ or digits, and tokens have none: it ends
        found = spans_that_go(text, config, masking)
        if found.shape[1] == 0:
            return text, tuple(num_gone.tolist()), num_added, num_cut
        here = np.bincount(found[3], minlength=len(KINDS))
        num_gone += here
        num_added += sum(int(n) * len(token) for n, token in zip(here, tokens, strict=True))
        num_cut += int((found[2] - found[1]).sum())
        text = _replaced(text, found, tokens)


def tokens_of(masking: MaskConfig) -> list[str]:
    """What stands in the place of each kind, by number; nothing where it is cut."""
    return [token if action == "mask" else "" for token, action in zip(TOKENS, masking.actions, strict=True)]


def spans_that_go(text: pa.LargeStringArray, config: PersonalDataConfig, masking: MaskConfig) -> np.ndarray:
    """The spans (`PersonalData.spans`) of the kinds that are not kept."""
    goes = np.array([action != "keep" for action in masking.actions])
    found = find_personal_data(text, config).spans
    return found[:, goes[found[3]]]


def _replaced(text: pa.LargeStringArray, spans: np.ndarray, tokens: list[str]) -> pa.LargeStringArray:
    data, offsets = text_buffers(text)
    token_sizes = np.array([len(token) for token in tokens], np.int64)
    sizes = np.empty(len(text), np.int64)
    spans = np.ascontiguousarray(spans)
    size_after(offsets, spans, token_sizes, sizes)
    out_offsets = np.zeros(len(text) + 1, np.int64)
    np.cumsum(sizes, out=out_offsets[1:])
    out = np.empty(out_offsets[-1], np.uint8)
    token_offsets = np.concatenate(([0], np.cumsum(token_sizes)))
    put_tokens(data, offsets, spans, np.frombuffer("".join(tokens).encode(), np.uint8), token_offsets, out)
    return text_from_buffers(out, out_offsets)


def _with_valid_phones(data: np.ndarray, spans: np.ndarray, regions: tuple[str, ...]) -> np.ndarray:
    """The spans with telephone numbers as far as they are valid, and without what such a number lies over."""
    taken: list[tuple[int, int, int, int]] = []
    free_from = 0  # the byte after the last span that was taken
    for document, start, stop, kind in spans.T.tolist():
        if start < free_from:
            continue
        if kind in (PHONE, NATIONAL_PHONE):
            written = bytes(data[start:stop]).decode()
            size = _valid_size(written, regions if kind == NATIONAL_PHONE else ())
            if size == 0:
                continue
            stop, kind = start + size, PHONE
        taken.append((document, start, stop, kind))
        free_from = stop
    return np.array(taken, np.int64).reshape(-1, 4).T


@functools.lru_cache(_MAX_REMEMBERED_NUMBERS)
def _valid_size(written: str, regions: tuple[str, ...]) -> int:
    """Bytes of the longest telephone number, of whole groups of digits, that `written` starts with; 0: of none."""
    digits = [i + 1 for i, c in enumerate(written) if c.isdigit()]
    for number, end in reversed(list(enumerate(digits, 1))):
        ends_group = not written[end : end + 1].isdigit()
        if number >= MIN_PHONE_DIGITS and ends_group and _is_valid(written[:end], regions):
            return len(written[:end].encode())
    return 0


def _is_valid(written: str, regions: tuple[str, ...]) -> bool:
    """By the numbering plans (libphonenumber): of the country whose code it names, or else of one of `regions`."""
    if written.count("(") != written.count(")"):
        return False
    for region in regions or (None,):
        if region and _leads_with_zero(region) and not written.lstrip("(").startswith("0"):
            continue
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


@functools.cache
def _leads_with_zero(region: str) -> bool:
    """Whether numbers of this country, written without its code, start with a 0."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return plan is not None and plan.national_prefix == "0"


assert len(KINDS) == len(TOKENS) == len(PLURALS) == kernel.NATIONAL_PHONE
