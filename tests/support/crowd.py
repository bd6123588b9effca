"""Many leads as a CRM has them: in a database, or as a file to import."""

import subprocess
from pathlib import Path
from typing import IO
from uuid import UUID

from tests.support.postgres import Cluster

_HERE = Path(__file__).parent
SEED = 1


def numbered(kind: int, number: int) -> UUID:
    """The ids that crowd.sql gives: workspaces 1, users 2, leads and their jobs 3."""
    return UUID(f"01900000-0000-7000-8{kind:03x}-{number:012x}")


def fill(cluster: Cluster, url: str, *, leads: int, seed: int = SEED) -> None:
    """A workspace with so many leads, and 20 small ones beside it, in the database that a superuser's URL names."""
    _run(cluster, url, "crowd.sql", subprocess.DEVNULL, leads=leads, seed=seed)


def write_csv(cluster: Cluster, file: Path, *, rows: int, existing: int, leads: int, seed: int = SEED) -> None:
    """Rows to import into what `fill` filled with `leads`, `existing` per cent of which are there already."""
    with file.open("wb") as out:
        _run(cluster, cluster.url(), "crm_export.sql", out, rows=rows, existing=existing, leads=leads, seed=seed)


def script(*names: str) -> str:
    """people.sql, and files beside it that begin where it ends."""
    return "".join((_HERE / each).read_text(encoding="utf-8") for each in ("people.sql", *names))


def _run(cluster: Cluster, url: str, name: str, out: IO[bytes] | int, **values: int) -> None:
    variables = [f"--set={key}={value}" for key, value in values.items()]
    argv = [str(cluster.server.program("psql")), "-XqAt", "--set=ON_ERROR_STOP=1", *variables, url]
    subprocess.run(argv, input=script(name).encode(), stdout=out, check=True)
