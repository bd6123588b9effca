"""Front-end parts: locked, built and never committed, and small enough."""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from scripts.build_frontend import Workshop
from tests.architecture.source import ROOT

SHOP = Workshop(ROOT)
TEMPLATES = ROOT / "src/leadflood/web/templates"

OWN_JAVASCRIPT = 31_000
"""Bytes of our own modules, minified, not compressed."""
PAGE = 150_000
"""Bytes over the wire of a page with everything that it loads."""
HTML = 25_000
"""The part of it that the document itself may use."""

ICON = re.compile(r"\bicon\(\s*[\"']([\w-]+)[\"']")


def read(name: str) -> Mapping[str, Any]:
    loaded: dict[str, Any] = json.loads((SHOP.sources / name).read_bytes())
    return loaded


@pytest.fixture(scope="module")
def files() -> Mapping[str, Any]:
    manifest = SHOP.manifest()
    assert manifest is not None, "not built: run `uv sync --reinstall-package leadflood`"
    found: dict[str, Any] = manifest["files"]
    return found


def test_versions_are_exact_and_the_lock_is_in_step_with_them() -> None:
    declared, locked = read("package.json"), read("package-lock.json")["packages"]

    for group in ("dependencies", "devDependencies"):
        assert locked[""][group] == declared[group], "run `npm install --package-lock-only` in the folder of the lock"
        assert {name: locked[f"node_modules/{name}"]["version"] for name in declared[group]} == declared[group]


def test_the_lock_pins_contents_and_names_no_registry() -> None:
    locked = read("package-lock.json")["packages"]
    installed = {name: entry for name, entry in locked.items() if name}

    assert [name for name, entry in installed.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, entry in installed.items() if "resolved" in entry] == []
    assert {"omit-lockfile-registry-resolved=true", "ignore-scripts=true"} <= set(
        (SHOP.sources / ".npmrc").read_text(encoding="utf-8").split()
    )


def test_nothing_that_is_built_or_downloaded_is_committed() -> None:
    if not (ROOT / ".git").exists():
        return  # an unpacked source distribution
    listed = ["git", "ls-files", "src/leadflood/web/static", ".frontend", "*node_modules*", "*.woff2", "*.min.js"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_every_icon_that_a_template_names_is_in_the_build() -> None:
    listed = set((SHOP.sources / "icons.txt").read_text(encoding="utf-8").split("\n"))
    named = {icon for path in TEMPLATES.rglob("*.html") for icon in ICON.findall(path.read_text(encoding="utf-8"))}

    assert sorted(named - listed) == [], "add it to src/leadflood/web/frontend/icons.txt"


def test_our_own_javascript_keeps_to_its_budget(files: Mapping[str, Any]) -> None:
    own = {name: entry["own"] for name, entry in files.items() if name.endswith(".js")}

    assert sum(own.values()) <= OWN_JAVASCRIPT, own


def test_what_a_page_loads_leaves_room_for_the_page_itself(files: Mapping[str, Any]) -> None:
    loaded = {name: entry["brotli"] or entry["bytes"] for name, entry in files.items() if name != "licenses.txt"}

    assert sum(loaded.values()) <= PAGE - HTML, loaded
