"""`python -m tests.bench.generate`: leads as a CRM has them, as a file or in a database."""

import argparse
import sys
from pathlib import Path

from tests.support import crowd
from tests.support.postgres import temporary_cluster


def main(argv: list[str]) -> int:
    """Write them. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generate", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    file = kinds.add_parser("csv", help="a file to import")
    file.add_argument("file", type=Path)
    file.add_argument("--rows", type=int, default=100_000)
    file.add_argument("--existing", type=int, default=10, help="how many per cent of them are leads already")
    database = kinds.add_parser("database", help="leads in an empty, migrated database, with all that belongs to them")
    database.add_argument("url", help="of the database, as its superuser")
    for item in (file, database):
        item.add_argument("--leads", type=int, default=1_000_000, help="how many the database has (default: 1,000,000)")
        item.add_argument("--seed", type=int, default=crowd.SEED, help="another one gives other people")
    given = parser.parse_args(argv)
    with temporary_cluster() as cluster:
        if given.kind == "csv":
            existing, leads = given.existing, given.leads
            crowd.write_csv(cluster, given.file, rows=given.rows, existing=existing, leads=leads, seed=given.seed)
        else:
            crowd.fill(cluster, given.url, leads=given.leads, seed=given.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
