"""Leads as a stream of lines: created, committed and answered as they arrive, in constant memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadflood.api.batch_results import Result, counts, create_each
from leadflood.api.deps import UnitOfWork
from leadflood.api.json_bodies import parse_json
from leadflood.api.routing import NDJSON
from leadflood.domains.leads.contracts import MAX_BATCH, CreateLead, InvalidLead
from leadflood.kernel.errors import BodyTimeout, FieldError, InvalidInput, Unavailable
from leadflood.kernel.request_bodies import in_slices, read_pieces
from leadflood.kernel.schema import field_errors

_EXAMPLE = '{"email": "ada@acme.com"}\n{"email": "grace@acme.com"}\n'
_ANSWER = (
    '{"line":1,"status":"duplicate","existingId":"0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"}\n'
    '{"status":"done","lines":1,"created":0,"duplicate":1,"invalid":0}\n'
)
STREAM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One lead per line, as in `POST /v1/leads`.",
        "content": {NDJSON: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}
STREAM_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One result per line, with its `line` number, and a final line.",
        "content": {NDJSON: {"schema": {"type": "string"}, "example": _ANSWER}},
    }
}
"""Parts of the OpenAPI description that FastAPI cannot derive from the route."""

Line = tuple[int, bytes | None]
"""The number of the line, from 1, and its content: None if it is too long."""


@dataclass
class LineSplitter:
    """Splits the input into lines. `max_bytes`: limit of a line; longer lines keep only their number."""

    max_bytes: int
    number: int = 0
    _begun: bytearray = field(default_factory=bytearray)
    _too_long: bool = False

    def take(self, data: bytes) -> Iterator[Line]:
        """The complete lines. Empty lines are counted and skipped."""
        *complete, last = data.split(b"\n")
        for piece in complete:
            self._append(piece)
            yield from self._end()
        self._append(last)

    def rest(self) -> Iterator[Line]:
        """The last line, if the input did not end with a line feed."""
        if self._begun or self._too_long:
            yield from self._end()

    def _append(self, piece: bytes) -> None:
        self._too_long = self._too_long or len(self._begun) + len(piece) > self.max_bytes
        if self._too_long:
            self._begun.clear()
        else:
            self._begun += piece

    def _end(self) -> Iterator[Line]:
        self.number += 1
        line = None if self._too_long else bytes(self._begun).strip()
        self._begun.clear()
        self._too_long = False
        if line != b"":
            yield self.number, line


class LeadStream(Response):
    """The response to a stream of leads: one result per line, reading more only after earlier lines are committed.

    The last line is `done` with the counts, or `failed` with the first line that was not processed. Without either, the
    connection was lost; all answered lines are committed.
    """

    media_type = NDJSON

    def __init__(self, request: Request, unit: UnitOfWork) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._request = request
        self._unit = unit
        self._lines = LineSplitter(unit.parts.settings.max_body_bytes)
        self._statuses: Counter[str] = Counter()
        self._next = 1
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  Starlette's signature
        """Process the stream until it ends or the client disconnects."""
        try:
            async for data in read_pieces(self._request.receive, self._unit.parts.body_timeout):
                await self._handle(list(self._lines.take(data)), send)
            await self._handle(list(self._lines.rest()), send)
        except (Unavailable, BodyTimeout) as error:
            if not self._started:
                raise  # still early enough for a normal error response
            last: Result = {"status": "failed", "line": self._next, "code": error.code, "message": error.detail}
        else:
            last = {"status": "done", "lines": self._lines.number, **counts(self._statuses)}
        await self._send(send, [last], more=False)

    async def _handle(self, lines: Sequence[Line], send: Send) -> None:
        for start in range(0, len(lines), MAX_BATCH):
            chunk = lines[start : start + MAX_BATCH]
            self._next = chunk[0][0]
            results = await self._write([_lead(line, self._lines.max_bytes) async for _, line in in_slices(chunk)])
            self._next = chunk[-1][0] + 1
            self._statuses.update(result["status"] for result in results)
            line_results = [{"line": number, **result} for (number, _), result in zip(chunk, results, strict=True)]
            await self._send(send, line_results, more=True)

    async def _write(self, leads: Sequence[CreateLead | InvalidLead]) -> Sequence[Result]:
        parts = self._unit.parts
        with parts.metrics.transactions_open.track_inprogress():
            async with parts.database.transaction(self._unit.actor.workspace_id) as tx:
                return await create_each(tx, self._unit, leads)

    async def _send(self, send: Send, results: Sequence[Result], *, more: bool) -> None:
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = b"".join(to_json(result) + b"\n" for result in results)
        await send({"type": "http.response.body", "body": body, "more_body": more})


def _lead(line: bytes | None, max_bytes: int) -> CreateLead | InvalidLead:
    if line is None:
        return InvalidLead([FieldError("", "too_long", f"A line may have {max_bytes} bytes. Shorten it.")])
    try:
        return CreateLead.model_validate(parse_json(line))
    except InvalidInput as error:
        return InvalidLead(error.errors)
    except ValidationError as error:
        return InvalidLead(field_errors(error))
