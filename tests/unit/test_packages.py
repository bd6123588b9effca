"""Contents of packages: the wheel has the built front-end, the source distribution its sources."""

import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.build_frontend import Workshop, file_names
from tests.architecture.source import ROOT


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, built from this checkout in this environment: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_has_the_files_of_one_build_and_nothing_that_they_were_made_from(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    names = ZipFile(wheel).namelist()
    manifest = Workshop(ROOT).manifest()
    assert manifest is not None

    assert sorted(Path(name).name for name in names if "/web/static/" in name) == sorted(file_names(manifest))
    assert [name for name in names if "frontend" in name or "node_modules" in name] == []
    assert len(names) == len(set(names))
    assert "leadflood/web/assets.py" in names
    assert {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.sql")} <= set(names)


def test_a_wheel_can_be_built_from_the_source_distribution(packages: Path) -> None:
    (archive,) = packages.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    sources = {path.relative_to(ROOT).as_posix() for path in Workshop(ROOT).sources.rglob("*") if path.is_file()}

    assert {"hatch_build.py", "scripts/build_frontend.py", "pyproject.toml", *sources} - names == set()
    assert [
        name for name in names if "node_modules" in name or "/static/" in name or name.startswith(".frontend")
    ] == []
