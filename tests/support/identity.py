"""People and workspaces for tests of identity, made through the operator's verbs."""

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from leadflood.domains.identity.contracts import AddMember, BrowserLogin, ChangePassword, Login, LoginView
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.service import access, administration, devices, members, operators, passwords, signin
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id

PASSWORD = "seven purple walruses"
CLI = Actor.cli(SYSTEM_WORKSPACE_ID)
"""The operator at the command line."""


def new_client() -> Client:
    """A request from an address that no other test uses."""
    return Client(ip=str(IPv4Address(new_id().int % 2**32)), user_agent="tests", request_id=new_id().hex)


async def make_operator(database: Database, user_id: UUID) -> None:
    """Make a user an instance operator."""
    async with database.system() as tx:
        await operators.make_operator(tx, CLI, user_id)


@dataclass(frozen=True)
class Person:
    """A user, and the way in."""

    id: UUID
    email: str
    password: str = PASSWORD


@dataclass(frozen=True)
class Identity:
    """Helper for tests of identity: the verbs, bound to one database, from one address."""

    database: Database
    settings: Settings
    secret_box: SecretBox
    client: Client = field(default_factory=new_client)

    def having(self, **settings: Any) -> "Identity":  # noqa: ANN401  a value of any setting
        """The same with other settings."""
        return replace(self, settings=self.settings.model_copy(update=settings))

    async def new_person(self, password: str = PASSWORD) -> Person:
        """A user in no workspace."""
        email = f"u{new_id().hex}@acme.test"
        user = await administration.create_user(self.database, CLI, email=email, name="Ada", password=password)
        return Person(user.id, email, password)

    async def new_workspace(self, owner: Person, name: str = "Acme") -> UUID:
        """A workspace of this owner."""
        return (await administration.create_workspace(self.database, CLI, name=name, owner_email=owner.email)).id

    async def new_member(self, workspace_id: UUID, role: Role) -> Person:
        """Somebody with this role."""
        person = await self.new_person()
        await self.add(workspace_id, person, role)
        return person

    async def add(self, workspace_id: UUID, person: Person, role: Role) -> None:
        """Give a person a role in a workspace."""
        member = AddMember.model_validate({"email": person.email, "role": role})
        async with self.database.transaction(workspace_id) as tx:
            await members.add_member(tx, Actor.cli(workspace_id), member=member)

    async def login(
        self, person: Person, workspace_id: UUID | None = None, *, password: str | None = None, ip: str | None = None
    ) -> LoginView:
        """Sign in over the contract, as the API does."""
        body = {"email": person.email, "password": password or person.password}
        if workspace_id is not None:
            body["workspaceId"] = str(workspace_id)
        client = self.client if ip is None else replace(self.client, ip=ip)
        credentials = Login.model_validate(body)
        return await signin.login(self.database, self.settings, self.secret_box, login=credentials, client=client)

    def known(self, person: Person, cookie: str | None = None) -> "Identity":
        """The same from a browser that this person has signed in with before."""
        device = devices.remember(self.secret_box, cookie, person.id)
        return replace(self, client=replace(new_client(), device=device))

    async def login_browser(
        self,
        person: Person,
        workspace_id: UUID | None = None,
        *,
        password: str | None = None,
        replaces: Actor | None = None,
    ) -> BrowserLogin:
        """Sign in as a browser does."""
        body = {"email": person.email, "password": password or person.password}
        if workspace_id is not None:
            body["workspaceId"] = str(workspace_id)
        return await signin.login_browser(
            self.database,
            self.settings,
            self.secret_box,
            login=Login.model_validate(body),
            client=self.client,
            replaces=replaces,
        )

    async def actor(self, person: Person, workspace_id: UUID | None = None, *, password: str | None = None) -> Actor:
        """Sign in, and be who the access token says."""
        tokens = await self.login(person, workspace_id, password=password)
        return (await access.authenticate(self.database, tokens.access_token)).actor

    async def change_password(self, actor: Actor, current: str, new: str) -> None:
        """Change the actor's password over the contract."""
        change = ChangePassword.model_validate({"currentPassword": current, "newPassword": new})
        await passwords.change_password(self.database, self.settings, self.secret_box, actor, change=change)
