"""Built front-end files (`scripts/build_frontend.py`): their URLs, their icons, and how they are served."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from leadflood.kernel.errors import AppError

STATIC = Path(__file__).with_name("static")
MANIFEST = "manifest.json"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_CODINGS = (("br", "brotli", ".br"), ("gzip", "gzip", ".gz"))
"""Content codings, best first: name in HTTP, name in the manifest, file suffix."""

_REFUSED = re.compile(r"q=0(\.0{0,3})?")


class FrontEndNotBuilt(AppError):
    """The folder of built files is missing: an editable install whose build failed, or was cleaned away."""

    title = "The front-end parts are not built"


class UnknownAsset(LookupError):
    """A template uses a file or an icon that the build does not have."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file in all its encodings; `identity` is always present."""

    media_type: str
    etag: str
    forms: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path, entry: Mapping[str, Any]) -> "_File":
        name = PurePosixPath(entry["file"])
        forms = {coding: (folder / f"{name}{suffix}").read_bytes() for coding, key, suffix in _CODINGS if entry[key]}
        return cls(
            media_type=_TYPES[name.suffix],
            etag=name.suffixes[-2].removeprefix("."),
            forms={**forms, "identity": (folder / name).read_bytes()},
        )

    def answer(self, request: Request) -> Response:
        coding = _best_coding(self.forms, request.headers.get("accept-encoding", ""))
        # The name changes with the content, so clients can cache it. Each encoding has its own tag (RFC 9110, 8.8.3).
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": f'"{self.etag}-{coding}"',
            "Vary": "Accept-Encoding",
        }
        known = request.headers.get("if-none-match", "").split(",")
        if headers["ETag"] in {item.strip().removeprefix("W/") for item in known}:
            return Response(status_code=304, headers=headers)
        if coding != "identity":
            headers["Content-Encoding"] = coding
        return Response(self.forms[coding], headers=headers, media_type=self.media_type)


@dataclass(frozen=True, slots=True)
class _Build:
    """Assets named in one manifest."""

    names: Mapping[str, str]
    icons: Mapping[str, str]
    files: Mapping[str, _File]

    @classmethod
    def read(cls, folder: Path) -> "_Build":
        manifest = json.loads((folder / MANIFEST).read_bytes())
        entries = manifest["files"]
        return cls(
            names={name: entry["file"] for name, entry in entries.items()},
            icons=manifest["icons"],
            files={entry["file"]: _File.read(folder, entry) for entry in entries.values()},
        )


class Assets:
    """All built files, in memory: only files of the manifest can be requested."""

    def __init__(self, folder: Path, *, reload: bool) -> None:
        """Reads the files; see `load`."""
        self._folder = folder
        self._reload = reload
        self._written = self._last_written()
        self._build = _Build.read(folder)
        self._files = dict(self._build.files)

    @classmethod
    def load(cls, folder: Path = STATIC, *, reload: bool = False) -> "Assets":
        """`reload`: read again when a build has written another manifest, for development.

        Raises:
            FrontEndNotBuilt: nothing was built, or only in part.
        """
        try:
            return cls(folder, reload=reload)
        except FileNotFoundError as exc:
            raise FrontEndNotBuilt(
                f"There is no {exc.filename}. Run `uv sync --reinstall-package leadflood`, and look at what it says."
            ) from exc

    def url(self, name: str) -> str:
        """The address of a file by its plain name: `app.css` → `/static/app.1A2B3C4D.css`.

        Raises:
            UnknownAsset: the build made no such file.
        """
        names = self._current().names
        if name not in names:
            raise UnknownAsset(f"The build makes no {name}. There are: {', '.join(sorted(names))}.")
        return f"/static/{names[name]}"

    def icon(self, name: str) -> str:
        """The markup inside the `<svg>` of an icon.

        Raises:
            UnknownAsset: the icon is not in the build.
        """
        icons = self._current().icons
        if name not in icons:
            raise UnknownAsset(f"There is no icon {name}: add it to src/leadflood/web/frontend/icons.txt.")
        return icons[name]

    async def serve(self, request: Request) -> Response:
        """The endpoint of `/static/{name}`."""
        self._current()
        file = self._files.get(request.path_params["name"])
        if file is None:
            return Response("There is no such file.\n", 404, {"Cache-Control": "no-store"}, media_type="text/plain")
        return file.answer(request)

    async def serve_service_worker(self, request: Request) -> Response:
        """The endpoint of `/service-worker.js`: at the root, because it is for all pages, and asked for each time."""
        response = self._current().files[self._current().names["service-worker.js"]].answer(request)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def _current(self) -> _Build:
        if self._reload and (written := self._last_written()) != self._written:
            self._build = _Build.read(self._folder)
            self._written = written
            # In addition to the previous files: a page rendered before the reload still requests them.
            self._files |= self._build.files
        return self._build

    def _last_written(self) -> int:
        return (self._folder / MANIFEST).stat().st_mtime_ns


def _best_coding(offered: Iterable[str], accept_encoding: str) -> str:
    """The first offered coding that the client accepts, without `q=0`; otherwise `identity`."""
    named = (item.partition(";") for item in accept_encoding.lower().split(","))
    wanted = {coding.strip() for coding, _, weight in named if not _REFUSED.fullmatch(weight.strip())}
    return next((coding for coding in offered if coding in wanted), "identity")
