"""Sockets that processes listen on."""

import errno
import socket

from leadflood.kernel.errors import AppError

LOOPBACK = "127.0.0.1"


class PortInUse(AppError):
    """Another process listens on the address."""

    code = "port_in_use"
    status = 409
    title = "Port taken"


def listen(host: str, port: int, *, setting: str = "--port", shared: bool = False) -> socket.socket:
    """A socket that listens on the address; port 0 takes any free one.

    Args: setting: where the port was chosen, for the remedy. shared: whether other processes may listen there in the
        same way; the system hands each new connection to one of them (SO_REUSEPORT).

    Raises: PortInUse: for any reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortInUse(f"Cannot listen on {host}: {error.strerror}. Check LEADFLOOD_HOST or --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortInUse(_why_not(host, port, setting, error)) from error
    listener.setblocking(False)
    return listener


def _why_not(host: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is already in use. Stop the other process, or choose another port with {setting}."
        )
    if error.errno == errno.EACCES:
        return f"Permission denied for port {port}. Choose a port of 1024 or higher with {setting}."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Check --host and {setting}."
