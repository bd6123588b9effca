"""Many leads as a CRM has them: in a database, or as a file to import."""

import subprocess
from pathlib import Path
from uuid import UUID

from tests.support.postgres import Cluster

_HERE = Path(__file__).parent
SEED = 1


def numbered(kind: int, number: int) -> UUID:
    """The ids that crowd.sql gives: workspaces 1, users 2, leads and their jobs 3."""
    return UUID(f"01900000-0000-7000-8{kind:03x}-{number:012x}")


def fill(
    cluster: Cluster, url: str, *, leads: int, seed: int = SEED, history: bool = True, found: bool = False
) -> None:
    """A workspace with so many leads, and 20 small ones beside it, in the database that a superuser's URL names.

    Args:
        history: whether each has its job, event and first entry, which take as much room again.
        found: whether half of them have found values instead of written ones.
    """
    values = {"leads": leads, "seed": seed, "history": int(history), "found": int(found)}
    write(cluster, Path("/dev/null"), _HERE / "crowd.sql", url=url, **values)


def write_csv(cluster: Cluster, file: Path, *, rows: int, existing: int, leads: int, seed: int = SEED) -> None:
    """Rows to import into what `fill` filled with `leads`, `existing` per cent of which are there already."""
    write(cluster, file, _HERE / "crm_export.sql", rows=rows, existing=existing, leads=leads, seed=seed)


def write(cluster: Cluster, file: Path, script: Path, *, url: str | None = None, **values: int) -> None:
    """Write the output of a script that starts where people.sql ends. `values`: its variables."""
    variables = [f"--set={name}={value}" for name, value in values.items()]
    argv = [str(cluster.server.program("psql")), "-XqAt", "--set=ON_ERROR_STOP=1", *variables, url or cluster.url()]
    with file.open("wb") as out:
        subprocess.run(argv, input=f"{people()}{script.read_text(encoding='utf-8')}".encode(), stdout=out, check=True)


def people() -> str:
    """The SQL that defines `pg_temp.people`."""
    return (_HERE / "people.sql").read_text(encoding="utf-8")
