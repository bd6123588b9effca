"""The deployment files name commands, settings and files that exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT
from tests.unit.test_docs import refusal

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EVERY_UNIT = pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
PROGRAM = "/opt/leadflood/.venv/bin/leadflood"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def instructions(name: str) -> list[list[str]]:
    """The arguments of each such instruction of the Containerfile."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split()[1:] for line in text.splitlines() if line.startswith(f"{name} ")]


def values_of(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def test_what_the_image_copies_exists_and_is_let_into_the_build() -> None:
    sources = [source for words in instructions("COPY") if not words[0].startswith("--") for source in words[:-1]]
    let_in = re.findall(r"^!(.+)$", (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)

    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sorted(let_in) == sorted(sources)


def test_the_image_serves_by_default_and_not_as_root() -> None:
    (command,) = instructions("CMD")
    words = re.findall(r'"([^"]+)"', " ".join(command))

    assert words[0] == "serve"
    assert refusal(words) is None
    assert instructions("USER")[-1] == ["leadflood"]


def test_every_service_runs_a_command_that_exists(compose: dict[str, Any]) -> None:
    commands = {name: service["command"] for name, service in compose["services"].items() if "command" in service}

    assert set(commands) == {"migrate", "serve", "worker"}
    assert {name: reason for name, words in commands.items() if (reason := refusal(words))} == {}


def test_services_wait_for_services_that_exist_and_mount_files_that_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        mounts = [volume.split(":")[0] for volume in service.get("volumes", ())]
        assert [name for name in mounts if name not in compose["volumes"] and not (DEPLOY / name).exists()] == []


def test_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    assert all("environment" not in service for service in compose["services"].values())
    assert "*.env" in (DEPLOY / ".gitignore").read_text(encoding="utf-8").splitlines()


@EVERY_UNIT
def test_a_unit_runs_a_command_that_exists_as_the_unprivileged_account(unit: Path) -> None:
    (start,) = values_of(unit, "ExecStart")
    program, *words = start.split()

    assert program == PROGRAM
    assert refusal(words) is None
    assert values_of(unit, "User") == ["leadflood"]


@EVERY_UNIT
def test_systemd_finds_no_other_fault_than_that_it_is_not_installed(unit: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return  # a machine without systemd still has the tests above
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)

    faults = [line for line in done.stderr.splitlines() if f"Command {PROGRAM} is not executable" not in line]
    assert faults == []


def workflow(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
    return loaded


def test_workflows_call_scripts_and_workflows_that_exist_and_get_no_more_rights_than_they_use() -> None:
    names = sorted(path.name for path in (ROOT / ".github/workflows").iterdir())
    jobs = {f"{name} {job}": found for name in names for job, found in workflow(name)["jobs"].items()}
    called = [found["uses"] for found in jobs.values() if "uses" in found]
    steps = [step for found in jobs.values() for step in found.get("steps", ())]
    scripts = [step["run"].split()[0] for step in steps if "/" in step.get("run", "").split(" ")[0]]

    assert names == ["ci.yml", "deploy-environment.yml", "deploy.yml", "nightly.yml"]
    assert [path for path in called if not (ROOT / path).is_file()] == []
    assert set(scripts) == {"./test", "scripts/audit-dependencies.sh", "deploy/run-pipeline.sh"}
    assert [path for path in scripts if not os.access(ROOT / path, os.X_OK)] == []
    assert all(workflow(name)["permissions"] == {"contents": "read"} for name in names)
    assert all("timeout-minutes" in found for found in jobs.values() if "uses" not in found)


def test_what_people_type_reaches_scripts_as_variables_never_as_code() -> None:
    texts = [step["run"] for name in ("deploy.yml", "deploy-environment.yml") for step in _steps(workflow(name))]

    assert texts
    assert [text for text in texts if "${{" in text] == []


def test_the_workflow_sets_all_that_the_pipeline_asks_for() -> None:
    (step,) = _steps(workflow("deploy-environment.yml"))
    script = (DEPLOY / "run-pipeline.sh").read_text(encoding="utf-8")
    python = (DEPLOY / "pipeline/__main__.py").read_text(encoding="utf-8")
    asked = {*re.findall(r"\$\{([A-Z_]+)", script), *re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', python)}

    assert asked - {"BASH_SOURCE", "GITHUB_REPOSITORY", "REGISTRY"} == set(step["env"])


def _steps(loaded: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in loaded["jobs"].values() for step in job.get("steps", ()) if "run" in step]
