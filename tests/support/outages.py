"""A database that a test may take away and bring back, without touching anybody else's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.ids import new_id
from tests.support.postgres import Cluster

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :'name' AND usename = :'role'
"""


@dataclass(frozen=True)
class Breakable:
    """A database of the test's own."""

    cluster: Cluster
    name: str

    @property
    def url(self) -> str:
        """Its address for the application's role."""
        return self.cluster.url(self.name, APP_ROLE)

    def cut(self) -> int:
        """End all connections. Returns how many there were."""
        return int(self.cluster.run(CUT, name=self.name, role=APP_ROLE))

    def take_away(self) -> None:
        """Refuse connections, and end those that there are."""
        self.cluster.run('ALTER DATABASE :"name" CONNECTION LIMIT 0', name=self.name)
        self.cut()

    def bring_back(self) -> None:
        """Accept connections again."""
        self.cluster.run('ALTER DATABASE :"name" CONNECTION LIMIT -1', name=self.name)


@asynccontextmanager
async def breakable(cluster: Cluster, template: str) -> AsyncIterator[Breakable]:
    """A copy of `template`, dropped on leaving."""
    name = f"breakable_{new_id().hex}"
    cluster.create_database(name, template=template)
    yield Breakable(cluster, name)
    cluster.drop_database(name)
