"""Fixtures of identity: the verbs on a real database, and a workspace with somebody of each role."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from leadflood.kernel import crypto
from leadflood.kernel.actor import Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.support.identity import Identity, Person
from tests.support.postgres import Cluster


@dataclass(frozen=True)
class Company:
    """A workspace with a member of each role."""

    id: UUID
    people: Mapping[Role, Person]

    @property
    def owner(self) -> Person:
        return self.people[Role.OWNER]


@dataclass
class CountingHasher(Argon2Hasher):
    """Argon2 as it is, counting how often a password is verified, and looking around meanwhile."""

    verified: int = 0
    look: Callable[[], object] = lambda: None
    seen: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(time_cost=2, memory_cost=19_456, parallelism=1)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002  the name in pwdlib
        self.verified += 1
        self.seen.append(self.look())
        return super().verify(password, hash)


@pytest.fixture
def identity(database: Database, settings: Settings, secret_box: SecretBox) -> Identity:
    return Identity(database, settings, secret_box)


@pytest.fixture
async def company(identity: Identity) -> Company:
    return await new_company(identity)


async def new_company(identity: Identity) -> Company:
    owner = await identity.new_person()
    workspace_id = await identity.new_workspace(owner)
    others = {role: await identity.new_member(workspace_id, role) for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER)}
    return Company(workspace_id, {Role.OWNER: owner, **others})


@pytest.fixture
def hasher() -> Iterator[CountingHasher]:
    """Counts the verifications of this test."""
    counting, before = CountingHasher(), crypto._HASHER.hashers
    crypto._HASHER.hashers = (counting,)
    yield counting
    crypto._HASHER.hashers = before


@pytest.fixture
async def empty_identity(cluster: Cluster, settings: Settings, secret_box: SecretBox) -> AsyncIterator[Identity]:
    """A database of the test's own, as the very first start finds it."""
    name = f"identity_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    pool = ConnectionPool(cluster.url(name, APP_ROLE), application_name="tests", size=5, statement_timeout=30)
    database = Database(pool, None)
    yield Identity(database, settings, secret_box)
    await database.close()
    cluster.drop_database(name)
