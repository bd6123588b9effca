"""People with a password, for tests of pages that ask for it."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import AuditEventView, MemberView
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House
from tests.support.identity import PASSWORD
from tests.support.web import Browser


@dataclass(frozen=True)
class Visitor:
    """A member with the password `PASSWORD`, and a browser in which that member has signed in."""

    id: UUID
    email: str
    browser: Browser


async def new_visitor(house: House, role: Role) -> Visitor:
    """Somebody with this role who has signed in through the form."""
    user_id, email = await house.member(role)
    browser = await house.stranger()
    await browser.sign_in(email, PASSWORD)
    return Visitor(user_id, email, browser)


async def joined(house: House, visitor: Visitor) -> Browser:
    """The same person as an owner of another workspace, in a browser there."""
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await store.insert_member(tx, house.workspace_id, visitor.id, Role.OWNER)
    return await house.enter(visitor.id, Role.OWNER)


async def members_of(house: House) -> dict[UUID, MemberView]:
    """Members of the workspace."""
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await queries.list_members(tx, house.actor, limit=200)
    return {item.id: item for item in page.items}


async def audited(house: House, *actions: str) -> list[AuditEventView]:
    """Events of these actions, newest first."""
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await queries.list_audit_events(tx, house.actor, limit=200)
    return [item for item in page.items if item.action in actions]
