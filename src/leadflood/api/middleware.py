"""The outermost layer of all requests: request ID, client address, access log and error response."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadflood.api.errors import BadRequest, answer_to, problem
from leadflood.api.proxies import ProxyMonitor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.crypto import trace_hex
from leadflood.kernel.observability import Metrics, TraceContext
from leadflood.kernel.request_context import RequestContext, attach

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")
_ONE_HOST = "Send one Host header, such as Host: leads.acme.com."
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_CLIENT_GONE = 499

_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

_log = structlog.get_logger()


class RequestContextMiddleware:
    """ASGI middleware: request ID, trace context, client address, security headers, access log, metrics, and errors.

    HEAD is answered like GET without the body (RFC 9110, 9.3.2).
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, trusted_proxies: str, watch: ProxyMonitor) -> None:
        """`trusted_proxies`: comma-separated addresses or networks whose X-Forwarded headers are trusted."""
        self._app = app
        self._watch = watch
        self._metrics = metrics
        self._proxies = [
            ip_network(trusted_proxy.strip()) for trusted_proxy in trusted_proxies.split(",") if trusted_proxy.strip()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = monotonic()
        request_context = self._open(scope)
        scope = {
            **scope,
            "method": "GET" if request_context.method == "HEAD" else request_context.method,
            "scheme": request_context.scheme,
        }
        attach(scope, request_context)
        sending = _sender(request_context, send)
        self._metrics.requests_in_flight.inc()
        with structlog.contextvars.bound_contextvars(
            request_id=request_context.request_id, trace_id=request_context.trace_context.trace_id
        ):
            try:
                app = self._app if _names_one_host(scope) else problem(scope, BadRequest(_ONE_HOST))
                await app(scope, receive, sending)
            except Exception as exc:
                if request_context.status:
                    raise  # part of another response was sent: only closing the connection shows the failure
                await answer_to(scope, exc)(scope, receive, sending)
            finally:
                self._metrics.requests_in_flight.dec()
                self._log_request(scope, request_context, monotonic() - started)

    def _open(self, scope: Scope) -> RequestContext:
        headers = _Headers(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else ""
        client_ip, scheme = peer, scope["scheme"]
        if self._proxies and self._is_proxy(peer):
            client_ip = self._forwarded_for(headers.all(b"x-forwarded-for")) or peer
            forwarded = headers.all(b"x-forwarded-proto")
            forwarded_proto = forwarded[-1].rpartition(",")[2].strip().lower() if forwarded else ""
            scheme = forwarded_proto if forwarded_proto in {"http", "https"} else scheme
        elif peer and headers.first(b"x-forwarded-for"):
            self._watch.notice(peer)
        wanted = headers.first(b"x-request-id")
        return RequestContext(
            method=scope["method"],
            path=scope["path"],
            scheme=scheme,
            client_ip=client_ip,
            request_id=wanted.decode() if _REQUEST_ID.fullmatch(wanted) else trace_hex(16),
            trace_context=TraceContext.continued(headers.all(b"traceparent")),
        )

    def _forwarded_for(self, values: Sequence[str]) -> str:
        """The last address not written by a trusted proxy: the caller can forge everything before it."""
        for address in reversed([item.strip() for value in values for item in value.split(",")]):
            if not _is_address(address):
                return ""
            if not self._is_proxy(address):
                return address
        return ""

    def _is_proxy(self, address: str) -> bool:
        return _is_address(address) and any(_contains(network, address) for network in self._proxies)

    def _log_request(self, scope: Scope, request_context: RequestContext, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = request_context.method if request_context.method in _METHODS else "OTHER"
        status = request_context.status or _CLIENT_GONE
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route, method).observe(seconds)
        caller = request_context.actor
        _log.info(
            "http.request",
            method=method,
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            bytes=request_context.sent,
            client_ip=request_context.client_ip,
            **({"workspace_id": str(caller.workspace_id), "actor_id": str(caller.id)} if caller else {}),
        )


class _Headers:
    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def first(self, name: bytes) -> bytes:
        return next((value for key, value in self._raw if key == name), b"")

    def all(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self._raw if key == name]


def _names_one_host(scope: Scope) -> bool:
    """Whether the request has exactly one valid Host (RFC 9110, 7.2)."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return (len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None) or (not hosts and scope["http_version"] == "1.0")


def _sender(request_context: RequestContext, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            request_context.status = message["status"]
            headers = list(message.get("headers", ()))
            message = {**message, "headers": headers + _added(request_context, {key for key, _ in headers})}
        elif message["type"] == "http.response.body":
            if request_context.method == "HEAD":
                message = {**message, "body": b""}
            request_context.sent += len(message.get("body", b""))
        await send(message)

    return sending


def _added(request_context: RequestContext, present: set[bytes]) -> list[tuple[bytes, bytes]]:
    added = [header for header in _SECURITY if header[0] not in present]
    if request_context.path.startswith("/v1/") and _NO_STORE[0] not in present:
        added.append(_NO_STORE)
    if request_context.scheme == "https":
        added.append(_HSTS)
    added.append((b"x-request-id", request_context.request_id.encode()))
    return added + request_context.headers


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _contains(network: IPv4Network | IPv6Network, address: str) -> bool:
    return ip_address(address) in network
