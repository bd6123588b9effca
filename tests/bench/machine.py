"""Processor use during a measurement, and the description of the machine."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from leadflood import __version__
from tests.support.postgres import Cluster

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_connections")


class MissingTool(RuntimeError):
    """A program that the benchmark cannot do without; the message names the remedy."""


def require_wrk() -> None:
    """Raises: MissingTool."""
    if shutil.which("wrk") is None:
        raise MissingTool("wrk, the load generator, is not installed. Install it: apt-get install wrk")


@dataclass(frozen=True)
class Snapshot:
    """Processor seconds used so far: by named process trees, by all of ours together, by everybody, and by nobody."""

    trees: Mapping[str, float]
    ours: float
    busy: float
    idle: float

    @classmethod
    def take(cls, named: Mapping[str, int]) -> "Snapshot":
        """Args: named: name → process id of the trees to tell apart; they are descendants of this process."""
        cpu = psutil.cpu_times()
        idle = cpu.idle + cpu.iowait
        busy = cpu.user + cpu.nice + cpu.system + cpu.irq + cpu.softirq + cpu.steal
        trees = {name: _seconds(pid) for name, pid in named.items()}
        return cls(trees, _seconds(os.getpid()), busy, idle)

    def cores_since(self, before: "Snapshot") -> dict[str, float]:
        """Cores used on average since `before`. `other`: by processes that are none of ours, `steal` included."""
        cores = os.cpu_count() or 1
        span = max(1e-6, (self.busy + self.idle - before.busy - before.idle) / cores)
        used = {name: seconds - before.trees.get(name, 0.0) for name, seconds in self.trees.items()}
        used["other"] = max(0.0, (self.busy - before.busy) - (self.ours - before.ours))
        return {name: round(seconds / span, 2) for name, seconds in used.items()}

    def seconds_since(self, before: "Snapshot") -> dict[str, float]:
        """Processor seconds used since `before` by each of the named trees."""
        return {name: seconds - before.trees.get(name, 0.0) for name, seconds in self.trees.items()}


def _seconds(root: int) -> float:
    """Processor seconds of a process, its living descendants, and the children that they have waited for."""
    total = 0.0
    try:
        family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    except psutil.NoSuchProcess:
        return total
    for process in family:
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def resident_mib(pid: int) -> float:
    """Resident memory of one process, in MiB."""
    return round(float(psutil.Process(pid).memory_info().rss) / 2**20, 1)


def peak_mib(pid: int) -> float:
    """The most memory that a process ever had resident, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def describe(cluster: Cluster, node: str | None) -> dict[str, object]:
    """Versions, processors and the server's settings, as the server itself tells them."""
    return {
        "leadflood": __version__,
        "python": platform.python_version(),
        "postgresql": cluster.run("SHOW server_version"),
        "node": node,
        "wrk": _output("wrk", "-v").split(" Copyright")[0],
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "settings": {name: cluster.run("SELECT current_setting(:'name')", name=name) for name in SETTINGS},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _output(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # wrk -v ends with 1
    return (done.stdout or done.stderr).splitlines()[0]
