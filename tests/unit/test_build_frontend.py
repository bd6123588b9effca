"""The build of the front-end parts: finds a Node.js, leaves running servers whole, and says what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.build_frontend import (
    NODE_WHEEL,
    BuildError,
    Workshop,
    build,
    build_requirements,
    file_names,
    find_node,
    node_on_path,
    publish,
)
from tests.architecture.source import ROOT


def program(folder: Path, name: str, says: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources, with the packages that are installed already."""
    ours, copy = Workshop(ROOT), Workshop(tmp_path)
    find_node()  # of this machine, or of the wheel among the development packages
    shutil.copytree(ours.sources, copy.sources)
    copy.work.mkdir()
    for path in (ours.work / "node_modules", *ours.work.glob("font-*.woff2")):
        (copy.work / path.name).symlink_to(path)
    return tmp_path


@pytest.mark.parametrize("version", ["v20.0.0", "v24.19.0", "v103.1.0"])
def test_node_on_the_search_path_is_used(tmp_path: Path, version: str) -> None:
    program(tmp_path, "node", version)
    program(tmp_path, "npm", "11.0.0")

    found = node_on_path(str(tmp_path))

    assert found is not None
    assert (found.program, found.npm) == (tmp_path / "node", (str(tmp_path / "npm"),))
    assert build_requirements(str(tmp_path)) == []


@pytest.mark.parametrize(
    "programs",
    [{}, {"node": "v20.0.0"}, {"npm": "11.0.0"}, {"node": "v18.20.8", "npm": "10.0.0"}, {"node": "", "npm": "1"}],
    ids=["nothing", "no npm", "no node", "too old", "says nothing"],
)
def test_without_a_usable_node_a_build_asks_for_the_wheel(tmp_path: Path, programs: dict[str, str]) -> None:
    for name, says in programs.items():
        program(tmp_path, name, says)

    assert build_requirements(str(tmp_path)) == [NODE_WHEEL]


def test_without_any_node_the_error_names_two_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(
        "scripts.build_frontend.find_spec", lambda _name: None
    )  # the wheel is among the development packages

    with pytest.raises(BuildError, match=r"uv sync --reinstall-package leadflood.*uv run --with"):
        find_node()


def staged(folder: Path, version: str) -> Path:
    """A finished build, as build.mjs leaves it."""
    folder.mkdir()
    files = {"app.css": {"file": f"app.{version}.css", "gzip": 1, "brotli": 0}}
    (folder / "manifest.json").write_text(json.dumps({"inputs": version, "files": files}), encoding="utf-8")
    for name in (f"app.{version}.css", f"app.{version}.css.gz"):
        (folder / name).write_text(version, encoding="utf-8")
    return folder


def test_the_build_before_is_kept_for_who_reads_it_now_and_older_ones_are_removed(tmp_path: Path) -> None:
    static = tmp_path / "static"
    for version in ("A", "B", "C"):
        publish(staged(tmp_path / version, version), static)

    assert sorted(path.name for path in static.iterdir()) == [
        *("app.B.css", "app.B.css.gz", "app.C.css", "app.C.css.gz"),
        "manifest.json",
    ]


def test_a_build_names_every_file_and_the_next_one_does_only_what_is_to_be_done(checkout: Path) -> None:
    static = Workshop(checkout).static
    manifest = build(checkout)
    written = {path.name: path.stat().st_mtime_ns for path in static.iterdir()}

    assert sorted(written) == sorted(file_names(manifest))
    assert {"app.css", "app.js", "plots.css", "plots.js", "favicon.svg", "licenses.txt"} <= set(manifest["files"])
    assert build(checkout) == manifest
    assert {path.name: path.stat().st_mtime_ns for path in static.iterdir()} == written

    (static / manifest["files"]["app.js"]["file"]).unlink()
    with (Workshop(checkout).sources / "css/index.css").open("a", encoding="utf-8") as sheet:
        sheet.write("b { color: red }\n")
    before, after = manifest["files"], build(checkout)["files"]
    assert [name for name in after if after[name]["file"] != before[name]["file"]] == ["app.css"]
    assert (static / after["app.js"]["file"]).is_file()


def test_of_three_builds_at_once_one_works_and_the_others_find_it_done(checkout: Path) -> None:
    node, log = find_node().program, checkout / "starts"
    counting = checkout / "bin"
    counting.mkdir()
    (counting / "node").write_text(f'#!/bin/sh\necho "$1" >> {log}\nexec {node} "$@"\n', encoding="utf-8")
    (counting / "node").chmod(0o755)
    environment = {**os.environ, "PATH": f"{counting}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", f"from scripts.build_frontend import *; build(Path({str(checkout)!r}))"]

    builds = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    told = [item.communicate(timeout=60)[1] for item in builds]

    assert ([item.returncode for item in builds], told) == ([0, 0, 0], [b"", b"", b""])
    assert [line for line in log.read_text(encoding="utf-8").split() if line.endswith("build.mjs")] == [
        str(Workshop(checkout).sources / "build.mjs")
    ]
    assert Workshop(checkout).manifest() is not None


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("icons.txt", "serach", ["serach", "icons.txt"]),
        ("icons.txt", "mail-dragon", ["mail-dragon", "alike: ", "mail-open"]),
        ("css/index.css", '@import "./nowhere.css";', ["nowhere.css", "css/index.css:"]),
        ("js/app.js", "const = 1", ["js/app.js:"]),
    ],
)
def test_a_fault_in_the_sources_is_named_and_the_last_build_stays(
    checkout: Path, file: str, line: str, told: Sequence[str]
) -> None:
    before = build(checkout)
    shop = Workshop(checkout)
    source = shop.sources / file
    text = source.read_text(encoding="utf-8")
    source.write_text(f"{line}\n{text}" if file.endswith("css") else f"{text}\n{line}\n", encoding="utf-8")

    with pytest.raises(BuildError) as caught:
        build(checkout)

    assert [item for item in told if item not in str(caught.value)] == []
    assert shop.manifest() == before
    assert list(shop.work.glob("out-*")) == []
