"""What a deployment needs of a container registry (OCI distribution specification): read a tag, move a tag.

`docker buildx imagetools` can do the same, but needs Docker; this way the tests run it against a registry on loopback.
"""

import base64
import hashlib
import json
import re
from urllib.parse import urlencode, urlsplit

from transport import Answer, Unreachable, request, require_https

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_IMAGE = re.compile(r"(?P<host>[a-z0-9.-]+(?::\d+)?)/(?P<name>[a-z0-9._/-]+)")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_OK, _CREATED, _UNAUTHORIZED, _MISSING = 200, 201, 401, 404


class RegistryError(Exception):
    """The registry refused, or does not answer."""


class Registry:
    """One repository of a registry."""

    def __init__(self, image: str, user: str, password: str) -> None:
        """Args: image: host and name without a tag, such as ghcr.io/acme/leadflood. Raises: ValueError."""
        matched = _IMAGE.fullmatch(image)
        if matched is None:
            raise ValueError("--image: give host and name without a tag, such as ghcr.io/acme/leadflood.")
        host = matched["host"]
        scheme = "http" if host.partition(":")[0] in {"localhost", "127.0.0.1"} else "https"
        self._name = matched["name"]
        self._base = f"{scheme}://{host}/v2/{self._name}/manifests/"
        self._basic = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self._authorization = ""

    def digest_of(self, tag: str) -> str | None:
        """The digest that a tag points to; None where there is no such tag. Raises: RegistryError."""
        answer = self._send("GET", tag)
        if answer.status == _MISSING:
            return None
        self._expect(answer, _OK, f"read the tag {tag}")
        return _digest(answer.body)

    def tag(self, digest: str, tag: str) -> None:
        """Point a tag to an image that is in the repository. Raises: RegistryError."""
        answer = self._send("GET", digest)
        self._expect(answer, _OK, f"read {digest}")
        if _digest(answer.body) != digest:
            raise RegistryError(f"The registry gave another manifest than {digest}.")
        media_type = answer.headers.get("Content-Type", "")
        self._expect(self._send("PUT", tag, answer.body, media_type), _CREATED, f"move the tag {tag}")

    def _send(self, method: str, reference: str, body: bytes | None = None, media_type: str = "") -> Answer:
        def once() -> Answer:
            headers = {"Accept": _MANIFESTS}
            if media_type:
                headers["Content-Type"] = media_type
            if self._authorization:
                headers["Authorization"] = self._authorization
            return request(method, self._base + reference, headers=headers, body=body)

        try:
            answer = once()
            if answer.status == _UNAUTHORIZED:
                self._authorization = self._authorize(answer.headers.get("WWW-Authenticate", ""))
                answer = once()
        except Unreachable as error:
            raise RegistryError(f"The registry does not answer: {error}") from error
        return answer

    def _authorize(self, challenge: str) -> str:
        """The header that answers a challenge: a token of the server that it names, or the password itself."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._basic:
            return f"Basic {self._basic}"
        parameters = dict(_CHALLENGE.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in parameters:
            raise RegistryError("The registry asks for credentials. Set REGISTRY_USER and REGISTRY_PASSWORD.")
        try:
            realm = require_https(parameters["realm"], "The registry's token server")
        except ValueError as error:
            raise RegistryError(str(error)) from error
        query = {"service": parameters.get("service", ""), "scope": f"repository:{self._name}:pull,push"}
        headers = {"Authorization": f"Basic {self._basic}"} if self._basic else {}
        separator = "&" if urlsplit(realm).query else "?"
        answer = request("GET", f"{realm}{separator}{urlencode(query)}", headers=headers)
        self._expect(answer, _OK, "get a token")
        found = answer.json()
        token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
        if not token:
            raise RegistryError("The registry's token server gave no token.")
        return f"Bearer {token}"

    def _expect(self, answer: Answer, status: int, what: str) -> None:
        if answer.status != status:
            detail = json.dumps(answer.body[:200].decode("utf-8", "replace"))
            raise RegistryError(f"The registry refused to {what}: {answer.status} {detail}")


def _digest(manifest: bytes) -> str:
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
