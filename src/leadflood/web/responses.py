"""Results of page functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from leadflood.web.cookies import Toast


@dataclass(frozen=True, slots=True)
class PageResponse:
    """A template and its data.

    The same template serves the whole page, the part that htmx requests (the block named like the target element, `-`
    as `_`) and the live stream.

    Attributes:
        part: the block to answer a part with, where it is not the target's own.
        toasts: short messages to show beside it.
    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    part: str | None = None
    toasts: Sequence[Toast] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Redirect to another of our pages (303), with a message to show there."""

    to: str
    toasts: Sequence[Toast] = ()


PageResult = PageResponse | Redirect | Response
