"""The contract with whatever deploys: a signed POST that starts a deployment, and a status that is polled.

Signatures follow Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, so a receiver can
check them with a ready library. deploy/README.md has the contract in full.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from urllib.parse import urljoin, urlsplit

from transport import Answer, Unreachable, request, require_https

_ATTEMPTS = 4
_SERVER_ERROR = 500
_RETRIED = frozenset({408, 425, 429})
_ACCEPTED = frozenset({200, 201, 202})
_MIN_SECRET_BYTES = 24
_PREFIX = "whsec_"


class DeployFailed(Exception):
    """The deployment was refused, failed, or did not end in time."""


class Webhook:
    """Starts deployments and waits for their end."""

    def __init__(self, url: str, secret: str, *, seconds: float, poll_seconds: float) -> None:
        """Args: secret: `whsec_` and Base64. seconds: limit of one deployment. Raises: ValueError."""
        self._url = require_https(url, "DEPLOY_WEBHOOK_URL")
        self._key = _key(secret)
        self._seconds = seconds
        self._poll_seconds = poll_seconds

    def deploy(self, *, digest: str, environment: str, deploy_id: str) -> None:
        """Start a deployment and wait until it succeeded. Raises: DeployFailed."""
        deadline = time.monotonic() + self._seconds
        command = {"digest": digest, "environment": environment, "deployId": deploy_id}
        answer = self._send("POST", self._url, deploy_id, json.dumps(command).encode(), deadline)
        if answer.status not in _ACCEPTED:
            raise DeployFailed(f"The webhook answered {answer.status}: {_excerpt(answer)}")
        location = answer.headers.get("Location", "")
        status_url = urljoin(self._url, location)
        if not location or urlsplit(status_url)[:2] != urlsplit(self._url)[:2]:
            raise DeployFailed("The webhook must answer with a Location on its own host, where the status is.")
        self._wait(status_url, deploy_id, deadline)

    def _wait(self, status_url: str, deploy_id: str, deadline: float) -> None:
        while True:
            answer = self._send("GET", status_url, deploy_id, b"", deadline)
            status = answer.json()
            state = status.get("state") if isinstance(status, dict) else None
            if state == "succeeded":
                return
            if state == "failed":
                raise DeployFailed(f"The deployment failed: {status.get('detail') or 'no detail given'}")
            if state not in {"pending", "running"}:
                raise DeployFailed(f"The status is none that the contract knows: {answer.status} {_excerpt(answer)}")
            if time.monotonic() + self._poll_seconds >= deadline:
                raise DeployFailed(f"The deployment did not end within {self._seconds:g} s.")
            time.sleep(self._poll_seconds)

    def _send(self, method: str, url: str, deploy_id: str, body: bytes, deadline: float) -> Answer:
        """Send, and retry what may pass: the deployment's id makes a repeated POST harmless."""
        last = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(min(self._poll_seconds * 2 ** (attempt - 1), max(deadline - time.monotonic(), 0)))
            try:
                answer = request(method, url, headers=self._headers(deploy_id, body), body=body or None)
            except Unreachable as error:
                last = str(error)
                continue
            if answer.status < _SERVER_ERROR and answer.status not in _RETRIED:
                return answer
            last = f"{method} {url}: {answer.status} {_excerpt(answer)}"
        raise DeployFailed(f"The webhook did not answer properly in {_ATTEMPTS} attempts. Last: {last}")

    def _headers(self, deploy_id: str, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        signature = hmac.digest(self._key, f"{deploy_id}.{stamp}.".encode() + body, hashlib.sha256)
        return {
            "Content-Type": "application/json",
            "User-Agent": "leadflood-deploy",
            "webhook-id": deploy_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < _MIN_SECRET_BYTES:
        raise ValueError(
            f"DEPLOY_WEBHOOK_SECRET must be {_PREFIX} and the Base64 of at least {_MIN_SECRET_BYTES} bytes."
        )
    return key


def _excerpt(answer: Answer) -> str:
    return answer.body[:200].decode("utf-8", "replace")
