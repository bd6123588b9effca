"""The address that the API listens on."""

import errno
import socket

from leadflood.kernel.errors import AppError


class PortTaken(AppError):
    """Another process listens on the address."""

    code = "port_taken"
    status = 409
    title = "Port taken"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address; port 0 takes any free one. Raises: PortTaken, for any reason."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"Cannot listen on {host}: {error.strerror}. Check LEADFLOOD_HOST or --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTaken(_why_not(host, port, error)) from error
    listener.setblocking(False)
    return listener


def reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`, which may be all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  replaced, not bound


def url_of(host: str, port: int) -> str:
    """The URL under which a server on this address answers this machine."""
    place = reachable(host)
    return f"http://[{place}]:{port}" if ":" in place else f"http://{place}:{port}"


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another process. Stop it, or choose another one with --port."
    if error.errno == errno.EACCES:
        return f"This account may not listen on port {port}. Choose one from 1024 on with --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Check --host and --port."
