"""Answers: reading a body within its limits, and what it is."""

import codecs
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore2
import httpx2

from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.errors import BrokenResponse, TooLarge, UnexpectedContent
from leadflood.kernel.door.features import MAX_HEADER_BYTES, Content, Limits
from leadflood.kernel.door.targets import RequestTarget

ACCEPT_ENCODING: Final = "gzip, deflate"
_SNIFFED: Final = 512
_OK: Final = range(200, 300)
_PAGE_TYPES: Final = frozenset({"text/html", "application/xhtml+xml", "text/plain", "text/xml", "application/xml", ""})
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # WHATWG MIME Sniffing Standard, 3: binary data byte
_MARKUP: Final = re.compile(rb"\s*<(!doctype html|html|head|body|script|!--)", re.IGNORECASE)
_JSON_START: Final = re.compile(rb"(\xef\xbb\xbf)?\s*[\[{\"tfn0-9-]")
_IMAGES: Final = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"RIFF",
    b"\x00\x00\x01\x00",
    b"<svg",
    b"<?xml",
)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)
_META_WITHIN: Final = 1024
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FALLBACK: Final = "cp1252"
_ENCODINGS: Final = frozenset(
    {
        *(
            "utf-8",
            "utf-16",
            "utf-16-le",
            "utf-16-be",
            "koi8-r",
            "koi8-u",
            "mac-roman",
            "mac-cyrillic",
            "cp866",
            "cp874",
        ),
        *(f"cp{number}" for number in range(1250, 1259)),
        *(f"iso8859-{number}" for number in range(2, 17)),
        *("gbk", "gb2312", "gb18030", "big5", "euc_jp", "iso2022_jp", "shift_jis", "cp932", "euc_kr", "cp949"),
    }
)
"""Those of the WHATWG Encoding Standard, as Python names them. Others, such as punycode, may take very long."""
_AI_WORDS: Final = frozenset({"noai", "noimageai"})


@dataclass(frozen=True, slots=True)
class FollowedRedirect:
    """A redirect that was followed: from where, with which status, and where to."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request.

    Attributes:
        status: of HTTP. Errors of the server are answers, too.
        url: that answered, after redirects.
        headers: by name, in any case. A repeated header is joined by commas.
        body: decompressed.
        cut: whether the body was longer and is cut.
        redirects: that led here.
        address: of the server.
        seconds: that the call took.
    """

    status: int
    url: str
    headers: httpx2.Headers
    body: bytes
    cut: bool
    redirects: tuple[FollowedRedirect, ...]
    address: IPAddress | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _OK

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where the server names none."""
        return media_type(self.headers)

    @property
    def text(self) -> str:
        """The body as text: by its byte order mark, then as the server or page says, then as UTF-8 or Windows-1252.

        A declared encoding that does not fit the bytes is ignored. Bytes that fit none become U+FFFD.
        """
        return decode_text(self.body, self.headers.get("content-type", ""))

    @property
    def reserved_from_models(self) -> bool:
        """Whether the server reserves the page from text and data mining (W3C TDMRep, `X-Robots-Tag: noai`)."""
        tags = {tag.strip().lower() for tag in self.headers.get("x-robots-tag", "").split(",")}
        return self.headers.get("tdm-reservation", "").strip() == "1" or bool(tags & _AI_WORDS)


def media_type(headers: httpx2.Headers) -> str:
    """The media type in lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def checked_headers(target: RequestTarget, raw: Sequence[tuple[bytes, bytes]]) -> httpx2.Headers:
    """The headers of an answer. Raises: TooLarge."""
    if sum(len(name) + len(value) for name, value in raw) > MAX_HEADER_BYTES:
        raise TooLarge(f"{target.host} sent headers that are too large.")
    return httpx2.Headers(list(raw))


async def read_body(
    target: RequestTarget, response: httpcore2.Response, headers: httpx2.Headers, limits: Limits
) -> tuple[bytes, bool]:
    """The decompressed body, and whether it was cut. What is beyond the limit is not read.

    Raises: TooLarge, UnexpectedContent, BrokenResponse.
    """
    if not isinstance(response.stream, AsyncIterable):
        raise TypeError("The body of an answer is read asynchronously.")
    wire = _Wire(response.stream, limits.bytes)
    decoder = httpx2.Response(response.status, headers=headers, stream=wire)
    body, checked = bytearray(), False
    try:
        async for chunk in decoder.aiter_bytes():
            body += chunk
            if not checked and len(body) >= _SNIFFED:
                require_content(target, bytes(body[:_SNIFFED]), response.status, headers, limits)
                checked = True
            if len(body) > limits.bytes:
                break
    except httpx2.DecodingError as error:
        raise BrokenResponse(f"{target.host} sent a damaged answer: its compression cannot be read.") from error
    finally:
        await decoder.aclose()
    if not checked:
        require_content(target, bytes(body[:_SNIFFED]), response.status, headers, limits)
    cut = len(body) > limits.bytes or wire.cut
    if cut and not limits.cut:
        raise TooLarge(f"{target.host} sent more than {limits.bytes // 1024} kB.")
    return bytes(body[: limits.bytes]), cut


class _Wire(httpx2.AsyncByteStream):
    """The compressed body. It ends where more was received than even an uncompressed body may have."""

    def __init__(self, stream: AsyncIterable[bytes], most: int) -> None:
        self._stream = stream
        self._most = most
        self.cut = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            yield chunk
            if received > self._most:
                self.cut = True
                return


def require_content(target: RequestTarget, start: bytes, status: int, headers: httpx2.Headers, limits: Limits) -> None:
    """Look at the type that a successful answer declares, and at its first bytes. Raises: UnexpectedContent."""
    if status not in _OK or not start:
        return
    declared = media_type(headers)
    if limits.content is Content.PAGE and (declared not in _PAGE_TYPES or _BINARY.search(start)):
        if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise UnexpectedContent(f"{target.host} answered with a file instead of a web page.")
    elif limits.content is Content.JSON and not _JSON_START.match(start):
        what = "a web page" if _MARKUP.match(start) else "something else"
        raise UnexpectedContent(f"{target.host} answered with {what} instead of data.")
    elif limits.content is Content.IMAGE and not start.lstrip().startswith(_IMAGES):
        raise UnexpectedContent(f"{target.host} answered with something else than an image.")


def decode_text(body: bytes, content_type: str) -> str:
    """A body as text; see `Reply.text`."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = re.search(r"charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{1,40})", content_type, re.IGNORECASE)
    in_page = _META_CHARSET.search(body[:_META_WITHIN])
    names = [declared[1] if declared else "", in_page[1].decode("ascii") if in_page else "", "utf-8", _FALLBACK]
    for name in names:
        text = _decoded(body, name)
        if text is not None:
            return text
    return body.decode("utf-8", "replace")


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        found = codecs.lookup(encoding).name
        # Browsers read these as Windows-1252 (WHATWG Encoding Standard, 4.2).
        name = _FALLBACK if found in {"iso8859-1", "ascii"} else found
        return body.decode(name) if name in _ENCODINGS else None
    except (LookupError, UnicodeError, ValueError):
        return None
