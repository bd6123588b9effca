"""The interactive documentation: Swagger UI from our own origin, under a strict content security policy."""

from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath

ASSETS = "/docs/assets"

_VENDORED = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}

# Swagger UI draws its icons from data: URLs and sets styles through the DOM, which needs no 'unsafe-inline'.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_INIT_NAME = "init.js"
_INIT = b"""\
"use strict";
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""


class DocsPage:
    """The page and its assets, read once. Asset names contain a hash, so that they can be cached for a year."""

    def __init__(self) -> None:
        folder = files("fastapi_swagger") / "resources"
        contents = {name: (folder / name).read_bytes() for name in _VENDORED} | {_INIT_NAME: _INIT}
        self._named = {name: _hashed(name, content) for name, content in contents.items()}
        self._assets = {self._named[name]: content for name, content in contents.items()}
        self.html = _HTML.format_map(
            {PurePosixPath(name).stem.replace("-", "_"): f"{ASSETS}/{self._named[name]}" for name in contents}
        )

    def asset(self, name: str) -> tuple[bytes, str] | None:
        """Content and media type of an asset, or None if the page does not use the name."""
        content = self._assets.get(name)
        return None if content is None else (content, _TYPES[PurePosixPath(name).suffix])


_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LEAD-FLOOD API</title>
<link rel="icon" href="{favicon_32x32}">
<link rel="stylesheet" href="{swagger_ui}">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript. Programs read <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="{swagger_ui_bundle}"></script>
<script src="{init}"></script>
</body>
</html>
"""


def _hashed(name: str, content: bytes) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}"
