"""What servers and pages say against their use: robots directives, reservation of text and data mining, licences.

Nothing of it is asked for by default: what binds whom differs by country, use and contract, and is the user's to say.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule
from dataprep.kernels.text_buffers import column

# The names under which operators document that their collecting for models is refused: Allen Institute for AI, Amazon,
# Anthropic (two), Apple, Common Crawl, Google, OpenAI. As of 2026.
AI_CRAWLERS = (
    "ai2bot",
    "amazonbot",
    "anthropic-ai",
    "applebot-extended",
    "ccbot",
    "claudebot",
    "google-extended",
    "gptbot",
)

DIRECTIVES = {
    "noai": ("noai",),
    "noindex": ("noindex",),
    "noarchive": ("noarchive", "nocache"),  # one directive under two names
    "nosnippet": ("nosnippet",),
}
"""The robots directives of each key of the same name."""

TDM_RESERVED = "tdm_reserved"
ASKED_FOR = (*(f"robots_{name}" for name in DIRECTIVES), TDM_RESERVED)
"""The reasons by which a site asks to be left out; a licence only says on what terms."""

Crawler = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=64)]
Part = Annotated[str, Field(min_length=2, max_length=300)]


class OptOutConfig(BaseModel):
    """Documents that their site does not want used; each signal is off until it is set. They come before all other
    filters, so that this is their reason whatever else is wrong with them. Pages and servers that say nothing pass, but
    for `keep_licences`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    BESIDE: ClassVar = {"documents": ("robots", "tdm_reservation", "licence")}

    noai: bool = Field(default=False, description="drop pages with the robots directive `noai`: no use for AI models")
    tdm_reservation: bool = Field(
        default=False, description="drop pages that reserve text and data mining (W3C's TDM Reservation Protocol)"
    )
    noindex: bool = Field(default=False, description="drop pages with the robots directive `noindex` (or `none`)")
    noarchive: bool = Field(
        default=False, description="drop pages with `noarchive` or `nocache`: no copies, and with Bing no training"
    )
    nosnippet: bool = Field(default=False, description="drop pages with `nosnippet`: nothing of the text is shown")
    crawlers: Annotated[tuple[Crawler, ...], Field(strict=False)] = Field(
        default=AI_CRAWLERS,
        description="a directive for one crawler (`ccbot: noindex`) counts where it is one of these, in small letters",
    )
    blocked_licences: Annotated[tuple[Part, ...], Field(strict=False)] = Field(
        default=(),
        description="drop pages whose licence holds one of these, in any case: `by-nc`, `-nd`, `all rights reserved`",
    )
    keep_licences: Annotated[tuple[Part, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None,
        description="drop pages whose licence holds none of these, and those that name none: "
        "`creativecommons.org/licenses/by/`; null: all are kept",
    )

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        """On columns of `documents` (`schemas.DOCUMENTS`) that stand beside the attributes. A rule measures 1 where its
        signal is given and 0 elsewhere."""
        robots = column(attributes, "robots")
        for name, directives in DIRECTIVES.items():
            if getattr(self, name):
                yield _none(f"robots_{name}", pc.match_substring_regex(robots, self._pattern(directives)))
        if self.tdm_reservation:
            yield _none(TDM_RESERVED, column(attributes, "tdm_reservation"))
        licence = column(attributes, "licence")
        if self.blocked_licences:
            yield _none("blocked_licence", _holds_any(licence, self.blocked_licences))
        if self.keep_licences is not None:
            is_kept = pc.fill_null(_holds_any(licence, self.keep_licences), False)
            yield _none("licence_not_kept", pc.invert(is_kept))

    def _pattern(self, directives: tuple[str, ...]) -> str:
        """A regular expression (RE2) for one of the directives in the column `robots`."""
        names = "|".join(directives)
        agents = f"(?:(?:{'|'.join(self.crawlers)}):)?" if self.crawlers else ""
        return f"(?:^| ){agents}(?:{names})(?: |$)"


def _holds_any(licence: pa.Array, parts: tuple[str, ...]) -> pa.Array:
    """Whether the licence holds one of the parts; null where there is none."""
    found = [pc.match_substring(licence, part, ignore_case=True) for part in parts]
    held = found[0]
    for other in found[1:]:
        held = pc.or_(held, other)
    return held


def _none(reason: str, is_given: pa.Array) -> Rule:
    given = pc.fill_null(is_given, False).to_numpy(zero_copy_only=False)
    return Rule.at_most(reason, given.astype(np.float64), 0)
