"""Counterparts of `deploy/pipeline` on loopback: a registry, a deploy webhook, and the deployed environment."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
KEY = b"a key of the tests, 32 bytes long"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
USER, PASSWORD = "deployer", "registry password"
_TOKEN = "registry token"


def manifest(name: str) -> bytes:
    """The manifest of an image that exists nowhere else."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "annotations": {"name": name}}).encode()


def digest(name: str) -> str:
    """The digest of that manifest."""
    return f"sha256:{hashlib.sha256(manifest(name)).hexdigest()}"


@dataclass
class Fake:
    """The state of all three, and what happened in order.

    Attributes:
        broken: images whose processes never become ready.
        refused: images whose deployment fails.
        stuck: images whose deployment never ends.
        answers: statuses that the webhook gives to the next requests, before it works.
        events: `post ID`, `deployed DIGEST`, `tag NAME DIGEST`, in order.
    """

    url: str = ""
    manifests: dict[str, bytes] = field(default_factory=dict)
    running: str | None = None
    broken: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    workers: int = 1
    answers: list[int] = field(default_factory=list)
    html_instead: bool = False
    deployments: dict[str, dict[str, str]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        """The secrets of a deployment."""
        return {
            "DEPLOY_WEBHOOK_URL": f"{self.url}/deploy",
            "DEPLOY_WEBHOOK_SECRET": SECRET,
            "SMOKE_URL": self.url,
            "REGISTRY_USER": USER,
            "REGISTRY_PASSWORD": PASSWORD,
        }

    def push(self, name: str, *tags: str) -> str:
        """Put an image into the registry. Returns its digest."""
        content = manifest(name)
        for reference in (digest(name), *tags):
            self.manifests[reference] = content
        return digest(name)

    def tagged(self, tag: str) -> str | None:
        """The digest that a tag points to."""
        content = self.manifests.get(tag)
        return None if content is None else f"sha256:{hashlib.sha256(content).hexdigest()}"

    def deploy(self, deploy_id: str, wanted: str) -> None:
        """Handle the webhook: ignore IDs that were received before."""
        if deploy_id in self.deployments:
            return
        if wanted in self.refused:
            state = {"state": "failed", "detail": "migration failed"}
        elif wanted in self.stuck:
            state = {"state": "running"}
        else:
            state, self.running = {"state": "succeeded"}, wanted
            self.events.append(f"deployed {wanted}")
        self.deployments[deploy_id] = state


@contextmanager
def fake_deployment() -> Iterator[Fake]:
    """Serve all three on one port of loopback."""
    fake = Fake()

    class Handler(_Handler):
        state = fake

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Fake

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path.startswith("/v2/"):
            self._manifest()
        elif self.path.startswith("/token"):
            self._token()
        elif self.path.startswith("/deploy/"):
            self._status()
        else:
            self._environment()

    def do_PUT(self) -> None:
        if not self._authorized():
            return
        tag = self.path.rpartition("/")[2]
        self.state.manifests[tag] = self._body()
        self.state.events.append(f"tag {tag} {self.state.tagged(tag)}")
        self._answer(201)

    def do_POST(self) -> None:
        body = self._body()
        if not self._signed(body):
            return
        command = json.loads(body)
        assert set(command) == {"digest", "environment", "deployId"}
        self.state.events.append(f"post {command['deployId']}")
        self.state.deploy(command["deployId"], command["digest"])
        if self._planted():
            return
        self._answer(202, headers={"Location": f"/deploy/{command['deployId']}"})

    def _status(self) -> None:
        if not self._signed(b"") or self._planted():
            return
        if self.state.html_instead:
            self._answer(200, "<html>Sign in</html>", {"Content-Type": "text/html"})
            return
        self._answer(200, self.state.deployments[self.path.rpartition("/")[2]])

    def _planted(self) -> bool:
        if not self.state.answers:
            return False
        self._answer(self.state.answers.pop(0), "try later")
        return True

    def _signed(self, body: bytes) -> bool:
        """Check a signature as the documentation tells receivers to."""
        said = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        wanted = f"v1,{base64.b64encode(hmac.digest(KEY, said, hashlib.sha256)).decode()}"
        if hmac.compare_digest(self.headers["webhook-signature"], wanted):
            return True
        self._answer(401, "wrong signature")
        return False

    def _environment(self) -> None:
        running = self.state.running
        well = running not in self.state.broken
        if self.path == "/health":
            self._answer(200, {"status": "ok", "release": running})
        elif self.path == "/ready":
            checks = [{"name": "database", "ok": well, "detail": None if well else "The database does not answer."}]
            self._answer(200 if well else 503, {"checks": checks, "system": {"workers": self.state.workers}})
        elif self.path == "/sign-in":
            self._answer(200, "<html>", {"Content-Type": "text/html; charset=utf-8"})
        else:
            self._answer(401)

    def _manifest(self) -> None:
        if not self._authorized():
            return
        content = self.state.manifests.get(self.path.rpartition("/")[2])
        if content is None:
            self._answer(404)
        else:
            self._answer(200, content, {"Content-Type": INDEX})

    def _authorized(self) -> bool:
        if self.headers["Authorization"] == f"Bearer {_TOKEN}":
            return True
        if self.command == "PUT":
            self._body()
        challenge = f'Bearer realm="{self.state.url}/token",service="fake",scope="repository:acme/leadflood:pull"'
        self._answer(401, headers={"WWW-Authenticate": challenge})
        return False

    def _token(self) -> None:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if (
            self.headers["Authorization"] == f"Basic {basic}"
            and "repository%3Aacme%2Fleadflood%3Apull%2Cpush" in self.path
        ):
            self._answer(200, {"token": _TOKEN})
        else:
            self._answer(403)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: Any = b"", headers: dict[str, str] | None = None) -> None:  # noqa: ANN401
        content = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
