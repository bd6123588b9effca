"""State of one HTTP request and its response, for every edge."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast

from leadflood.kernel.actor import Actor
from leadflood.kernel.observability import TraceContext

_EXCHANGE = "leadflood.exchange"
_MAX_INSTANCE = 1000


@dataclass(slots=True)
class RequestContext:
    """One request and its response, from the first byte to the log line.

    Attributes:
        client_ip: the caller's address, from trusted proxies only; empty on a Unix socket.
        headers: what is added to the answer, whether it succeeds or fails.
        status: of the answer; 0 until it starts.
        sent: bytes of the answer's body.
    """

    method: str
    path: str
    scheme: str
    client_ip: str
    request_id: str
    trace_context: TraceContext
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    actor: Actor | None = None
    status: int = 0
    sent: int = 0

    @property
    def trace(self) -> dict[str, str]:
        """Trace context stored with a job."""
        return {"traceparent": self.trace_context.traceparent, "request_id": self.request_id}

    @property
    def instance(self) -> str:
        """The path, as shown in problems."""
        return self.path[:_MAX_INSTANCE]


def attach(scope: MutableMapping[str, Any], request_context: RequestContext) -> None:
    """Attach the context to the request for its handlers."""
    scope[_EXCHANGE] = request_context


def request_context_of(scope: MutableMapping[str, Any]) -> RequestContext:
    """The context that the outermost layer attached."""
    return cast("RequestContext", scope[_EXCHANGE])
