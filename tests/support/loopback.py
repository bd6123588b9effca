"""A test process reaches this machine and nothing else: other connections, datagrams and lookups are refused.

Servers that run on uvloop are outside of this; they have no source that sends a request (`OFFLINE_SOURCES`), or ask the
small internet.
"""

import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address


class LeftLoopback(RuntimeError):
    """A test tried to reach another machine."""


def stay_on_loopback() -> None:
    """Refuse from now on, in this process."""
    sys.addaudithook(_check)


def _check(event: str, arguments: Sequence[object]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        _, address = arguments[:2]
        host = address[0] if isinstance(address, tuple) else "localhost"  # the path of a Unix socket
    elif event == "socket.getaddrinfo":
        host = None if _is_address(arguments[0]) else arguments[0]  # of an address, nobody is asked
    else:
        return
    if host is not None and not _is_here(host.decode() if isinstance(host, bytes) else str(host)):
        if event == "socket.getaddrinfo" and str(host).endswith(".invalid"):  # such a name never exists (RFC 6761)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise LeftLoopback(f"A test tried to reach {host}.")


def _is_address(host: object) -> bool:
    try:
        ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in {"", "localhost", socket.gethostname()}
