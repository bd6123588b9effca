"""Parsing of JSON request bodies."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.request_bodies import in_slices, too_large
from leadflood.kernel.schema import Schema

MAX_VALUES = 20_000
"""Maximum number of values of one JSON text. Parsing ten thousand blocks the event loop for some milliseconds."""
SMALL_BYTES = 65_536
"""Maximum size of a body that is parsed in one step."""

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
_MAX_DEPTH = 200
_ENTRY_DEPTH = 3
"""Depth of an entry of a large body: in a list in an object."""


class ReceivedRequest(Request):
    """A request whose body is received within the limits and parsed: empty until `set_body`."""

    content = b""
    _parsed: object = None

    def set_body(self, content: bytes, parsed: object = None) -> None:
        """Set the received body and its value."""
        self.content = content
        self._parsed = parsed

    async def body(self) -> bytes:
        """The raw body."""
        return self.content

    async def json(self) -> Any:  # noqa: ANN401  as in Starlette
        """The parsed body."""
        return self._parsed


def parse_json(body: bytes) -> object:
    """The value of a JSON text (RFC 8259), without repeated names (RFC 7493, 2.3). Raises: InvalidInput."""
    if body.count(b",") > MAX_VALUES and _STRINGS.sub(b"", body).count(b",") > MAX_VALUES:
        raise _invalid_json(f"The body has more than {MAX_VALUES} values. Reduce the payload.")
    try:
        value = from_json(body, allow_inf_nan=False)
        # As many colons as names: no name is repeated and nothing is nested. Most bodies are like that.
        if not isinstance(value, dict) or body.count(b":") != len(value):
            _NAMES.decode(body.decode())
    except _RepeatedName as error:
        raise _invalid_json("An object in the body has the same field name twice.") from error
    except ValueError as error:
        raise _invalid_json(f"The body is not valid JSON: {error}.") from error
    return value


async def parse_large(body: bytes, entry_limit: int) -> object:
    """Like `parse_json`, for an object with a long list: entry by entry, so that other requests are served meanwhile.

    Entries are cut out of the text and parsed one by one; `{}` replaces them in the rest.

    Raises: InvalidInput, ContentTooLarge: for an entry above `entry_limit` bytes, or too much around them.
    """
    if len(body) <= SMALL_BYTES:
        return parse_json(body)
    rest, entries = bytearray(), []
    depth = begin = copied = 0
    async for place in in_slices(_brackets(body, entry_limit)):
        if body[place] in b"[{":
            depth += 1
            begin = place if depth == _ENTRY_DEPTH else begin
        else:
            if depth == _ENTRY_DEPTH:
                rest += body[copied:begin] + b"{}"
                copied = place + 1
                entries.append((begin, copied))
            depth -= 1
        if not 0 <= depth <= _MAX_DEPTH:
            raise _invalid_json("The body is not valid JSON: its brackets do not match, or are nested too deeply.")
        if place - begin > entry_limit or len(rest) > SMALL_BYTES:
            raise too_large(entry_limit)
    if len(body) - copied > SMALL_BYTES:
        raise too_large(entry_limit)
    outline = parse_json(bytes(rest + body[copied:]))
    parsed = [parse_json(body[start:end]) async for start, end in in_slices(entries)]
    return _filled(outline, iter(parsed))


def _brackets(body: bytes, max_length: int) -> Iterator[int]:
    """Positions of brackets outside strings. Ends early if two are more than `max_length` bytes apart."""
    place = 0
    while (found := _TO_BRACKET.match(body, place, place + max_length)) and found.end() < len(body):
        place = found.end()
        if body[place] not in b"[]{}":
            return
        yield place
        place += 1


def _filled(outline: object, entries: Iterator[object]) -> object:
    """The outline with its entries inserted."""
    whole: Any = outline
    lists = whole.values() if isinstance(whole, dict) else whole if isinstance(whole, list) else ()
    for item in lists:
        if isinstance(item, list):
            item[:] = [next(entries) if isinstance(entry, dict | list) else entry for entry in item]
        elif isinstance(item, dict):
            item.update({name: next(entries) for name, entry in item.items() if isinstance(entry, dict | list)})
    return whole


class ListSchema:
    """A contract with a long list, validated entry by entry, so that other requests are served meanwhile."""

    def __init__(self, contract: type[Schema]) -> None:
        """`contract`: its first field is the list."""
        self._contract = contract
        name, field = next(iter(contract.model_fields.items()))
        self._name = field.alias or name
        [entry] = get_args(field.annotation)
        self._entry: TypeAdapter[Any] = TypeAdapter(entry)
        self._longest = next(item.max_length for item in field.metadata if hasattr(item, "max_length"))

    async def validate(self, value: Any) -> Schema:  # noqa: ANN401  whatever was sent
        """Raises: ValidationError."""
        entries = value.get(self._name) if isinstance(value, dict) else None
        if isinstance(entries, list) and len(entries) <= self._longest:
            value = {**value, self._name: [self._validated(entry) async for entry in in_slices(entries)]}
        return self._contract.model_validate(value)

    def _validated(self, entry: object) -> object:
        try:
            return self._entry.validate_python(entry)
        except ValidationError:
            return entry  # the whole contract reports all errors with their paths


class _RepeatedName(ValueError):
    """An object repeats a field name."""


def _unique(members: list[tuple[str, object]]) -> None:
    if len(dict(members)) != len(members):
        raise _RepeatedName


_NAMES = json.JSONDecoder(object_pairs_hook=_unique)


def _invalid_json(message: str) -> InvalidInput:
    return InvalidInput(message, errors=[FieldError("", "invalid_json", message)])
