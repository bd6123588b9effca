"""Parser of forms: a whole form, or one with a file, which is read as a stream and never held in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from leadflood.kernel.errors import AppError, ContentTooLarge, FieldError, InvalidInput
from leadflood.kernel.request_bodies import BodyLease, read_pieces, read_whole
from leadflood.web.forms import Form

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BEFORE_FILE = 65_536
"""Maximum bytes before the file: a token and a few short fields."""
_BEFORE_TOKEN = 65_536
"""Maximum bytes before the token is checked: our forms begin with it, or with the checkboxes of a list."""
CSRF_FIELD = "csrf"
"""Name of the token field of a form."""


class NotAFormBody(AppError):
    """The request body is not a form."""

    code = "unsupported_media_type"
    status = 415
    title = "That is not a form"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is coming in.

    Attributes:
        declared: about how many bytes the browser says will come; None where it does not say.
        pieces: its bytes, once; raises AppError where they do not come, or something follows them.
    """

    filename: str
    declared: int | None
    pieces: AsyncIterator[bytes]


def is_multipart(request: Request) -> bool:
    """Whether a form has the encoding for files."""
    return _kind(request) == _MULTIPART


async def read_form(request: Request, limit: int, lease: BodyLease, *, check: Callable[[str], None] | None) -> Form:
    """A form without files.

    Args: check: raises where the form's token is wrong; asked before more than about 64 KiB are read.

    Raises: ContentTooLarge, BodyTimeout, NotAFormBody, InvalidInput, Unavailable, and what `check` raises.
    """
    if _carries(request) and _kind(request) != _FORM:
        raise NotAFormBody("This page takes forms only. Programs use the API under /v1.")

    def watch(pieces: Sequence[bytes]) -> None:
        nonlocal check
        if check is not None and lease.size > _BEFORE_TOKEN:
            check(Form.parse(b"".join(pieces).rpartition(b"&")[0]).value(CSRF_FIELD))
            check = None

    declared = request.headers.get("content-length", "")
    body = await read_whole(
        request.receive, declared=declared, limit=limit, lease=lease, watch=watch if check else None
    )
    form = Form.parse(body)
    if check is not None:
        check(form.value(CSRF_FIELD))
    return form


async def open_upload(request: Request, idle_timeout: float) -> tuple[Form, Upload | None]:
    """The fields that come before the file, and the file as it comes in; None where none was chosen.

    Args: idle_timeout: see `read_pieces`.

    Raises: ContentTooLarge, BodyTimeout, NotAFormBody, InvalidInput.
    """
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary")
    if not boundary:
        raise NotAFormBody("The form does not say where its parts end. Send it from the page for uploads.")
    declared = request.headers.get("content-length", "")
    reader, arriving, size = _Reader(boundary), read_pieces(request.receive, idle_timeout), 0
    begun: list[bytes] = []
    async for data in arriving:
        begun = reader.feed(data)
        size += len(data)
        if reader.filename or reader.ended:
            break
        if size > _BEFORE_FILE:
            raise _too_much()
    form = Form(reader.fields)
    if not reader.filename:
        reader.require_end()
        return form, None
    expected = int(declared) - _BEFORE_FILE if declared.isdecimal() else None
    return form, Upload(reader.filename, expected, _pieces(reader, begun, arriving))


class _Reader:
    """Sorts the bytes of a multipart form: fields are kept, the one file is handed on. Nothing may follow it.

    Attributes:
        filename: of the file, once it begins; empty where none was chosen.
        ended: whether the end of the form was there.
    """

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, list[str]] = {}
        self.filename: str | None = None
        self.ended = False
        self._file: list[bytes] = []
        self._header = self._value = b""
        self._options: dict[bytes, bytes] = {}
        self._text = b""
        self._more = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_begin": self._begin_header,
                    "on_header_field": self._on_name,
                    "on_header_value": self._on_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._on_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _unreadable() from error

    def feed(self, data: bytes) -> list[bytes]:
        """Process the next bytes. Returns the file's part of them. Raises: InvalidInput."""
        if self.ended and data.strip(b"\r\n"):
            raise _unreadable()
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _unreadable() from error
        taken, self._file = self._file, []
        return taken

    def require_one_file(self) -> None:
        """Raises: InvalidInput: something follows the file."""
        if self._more:
            raise InvalidInput("Send one file at a time, and nothing after it.")

    def require_end(self) -> None:
        """Raises: InvalidInput: the form is incomplete, or something follows the file."""
        self.require_one_file()
        if not self.ended:
            raise InvalidInput("Only a part of the file arrived. Send it again.")

    def _begin(self) -> None:
        self._more = self.filename is not None
        self._options, self._text = {}, b""

    def _begin_header(self) -> None:
        self._header = self._value = b""

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._options = parse_options_header(self._value)[1]

    def _end_headers(self) -> None:
        if b"filename" in self._options and not self._more:
            self.filename = _decoded(self._options[b"filename"])

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self.filename is None:
            self._text += data[start:end]
            if len(self._text) > _BEFORE_FILE:
                raise _too_much()
        elif not self._more:
            self._file.append(data[start:end])

    def _end_part(self) -> None:
        if self.filename is None:
            name = _decoded(self._options.get(b"name", b""))
            self.fields.setdefault(name, []).append(_decoded(self._text))

    def _end(self) -> None:
        self.ended = True


async def _pieces(reader: _Reader, begun: list[bytes], arriving: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in begun:
        yield piece
    async for data in arriving:
        reader.require_one_file()
        for piece in reader.feed(data):
            yield piece
    reader.require_end()


def _carries(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _too_much() -> ContentTooLarge:
    return ContentTooLarge("There is too much before the file. Send it from the page for uploads.")


def _unreadable() -> InvalidInput:
    fault = FieldError("/file", "invalid_format", "Send the file again. If that does not help, use the command line.")
    return InvalidInput("The form with the file cannot be read.", errors=[fault])
