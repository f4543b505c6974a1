"""One page: what its bytes claim, what they are, and the text in them."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dataprep.extraction.charset import decode
from dataprep.extraction.engines.registry import EngineName, load_engine
from dataprep.kernels.markup_limits import nesting_and_tags
from dataprep.reading.fields import whole_unicode
from dataprep.reading.record import Problem

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_TEXT_TYPES = (*_HTML_TYPES, "text/plain")
# First bytes of what servers most often send under the wrong name.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "a RIFF container"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"\x7fELF", "an ELF program"),
)
_SNIFFED_BYTES = 2048


class ExtractConfig(BaseModel):
    """What is taken out of a crawl, and how large and deep a record may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    engine: EngineName = Field(default="resiliparse", description="what finds the text in the markup")
    main_content: bool = Field(
        default=True, description="leave out navigation, headers, footers, by the engine's rules"
    )
    max_record_bytes: int = Field(default=16 << 20, ge=1024, description="bytes of a record, as stored and as decoded")
    max_nesting: int = Field(default=1000, ge=10, description="elements within each other; parsing time grows squared")
    max_tags: int = Field(default=500_000, ge=100, description="tags of a page")
    timeout_s: float = Field(
        default=30.0, gt=0, description="processor time for one page, the backstop behind the limits"
    )
    memory_mb: int = Field(default=4096, ge=512, description="MiB that the extracting process may take, the backstop")


@dataclass(frozen=True)
class Extracted:
    """The text of a page, or why there is none."""

    text: str = ""
    charset: str | None = None
    problem: Problem | None = None


def check_answer(http_status: int | None, content_type: str | None, payload: bytes) -> Problem | None:
    """Why this answer holds no page, None when it may hold one. Cheap: looks at the first bytes only."""
    if http_status is not None and http_status != 200:
        return Problem("http_status_not_200", http_status, 200)
    if content_type is not None and content_type not in _TEXT_TYPES:
        return Problem("content_type_not_text", detail=content_type[:200])
    if not payload or payload.isspace():
        return Problem("empty_page", 0)
    for magic, name in _MAGIC:
        if payload.startswith(magic):
            return Problem("not_what_it_claims", detail=f"{name} sent as {content_type or 'nothing'}")
    is_utf16 = payload.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not is_utf16 and payload.count(0, 0, _SNIFFED_BYTES) > _SNIFFED_BYTES // 100:
        return Problem("not_what_it_claims", detail=f"binary data sent as {content_type or 'nothing'}")
    return None


def extract_page(payload: bytes, content_type: str | None, charset: str | None, config: ExtractConfig) -> Extracted:
    """The text of a page with status 200 whose bytes `check_answer` let through. Raises EngineMissingError."""
    if content_type == "text/plain":
        text, found = decode(payload, charset)
        return _with_text(text, found)
    nesting, tags = nesting_and_tags(payload)
    if nesting > config.max_nesting:
        return Extracted(problem=Problem("markup_too_deep", nesting, config.max_nesting))
    if tags > config.max_tags:
        return Extracted(problem=Problem("markup_too_large", tags, config.max_tags))
    html, found = decode(payload, charset)
    return _with_text(load_engine(config.engine)(html, config.main_content), found)


def _with_text(text: str, charset: str) -> Extracted:
    text = whole_unicode(text)  # half a surrogate pair can come out of a character reference (&#xD800;)
    if not text or text.isspace():
        return Extracted(charset=charset, problem=Problem("empty_page", 0))
    return Extracted(text, charset)
