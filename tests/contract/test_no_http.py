"""Bytes at the port that are not HTTP get a problem response, too, and the connection is closed."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from leadflood.api.errors import Problem
from tests.support.served import Served


def ask(server: Served, sent: bytes) -> tuple[dict[str, str], bytes]:
    """Send bytes and read until the other side closes."""
    at = urlsplit(server.url)
    with socket.create_connection((at.hostname, at.port or 0)) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return {"status": status} | {
        name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
    }, body


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nonsense\r\n\r\n",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(150)) + b"\r\n",
        b"GET /" + b"x" * 100_000,
    ],
    ids=["TLS", "words", "encoding", "smuggling", "length", "NUL", "colon", "150 headers", "endless path"],
)
def test_what_is_no_http_is_a_problem(server: Served, sent: bytes) -> None:
    headers, body = ask(server, sent)

    assert headers["status"].startswith("HTTP/1.1 400 ")
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-request-id"] == json.loads(body)["requestId"]
    assert Problem.model_validate_json(body).code == "bad_request"
