"""One's own name and preferences."""

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView, MeView, UpdateMe
from leadflood.domains.identity.errors import InvalidToken
from leadflood.domains.identity.service import access, profile
from leadflood.kernel.actor import Actor
from tests.integration.identity.conftest import Company
from tests.support.identity import Identity


async def update(identity: Identity, actor: Actor, **body: str | None) -> MeView:
    return await profile.update_me(identity.database, actor, change=UpdateMe.model_validate(body))


async def audited(identity: Identity, company: Company, action: str) -> list[AuditEventView]:
    async with identity.database.transaction(company.id) as tx:
        page = await queries.list_audit_events(tx, Actor.cli(company.id), action=action, limit=10)
    return list(page.items)


async def test_what_is_given_changes_and_the_rest_stays(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    assert (await access.me(identity.database, actor)).user.time_zone == "auto"

    await update(identity, actor, appearance="dark", timeZone="Asia/Kathmandu")
    renamed = await update(identity, actor, name=" Ada  King ", appearance=None)

    shown = (renamed.user.name, renamed.user.appearance, renamed.user.time_zone, renamed.user.email)
    assert shown == ("Ada King", "dark", "Asia/Kathmandu", company.owner.email)
    assert await update(identity, actor) == renamed
    token = (await identity.login_browser(company.owner)).token
    visitor = (await access.authenticate_browser(identity.database, token)).visitor
    assert (visitor.name, visitor.appearance, visitor.time_zone) == ("Ada King", "dark", "Asia/Kathmandu")


async def test_a_new_name_is_audited_and_preferences_are_not(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)

    await update(identity, actor, appearance="light")
    await update(identity, actor, name="Ada")
    await update(identity, actor, name="Ada King")

    events = await audited(identity, company, "user.")
    assert [(event.action, event.data) for event in events] == [("user.renamed", {"from": "Ada", "to": "Ada King"})]


async def test_nobody_changes_the_profile_of_nobody(identity: Identity, company: Company) -> None:
    with pytest.raises(InvalidToken):
        await update(identity, Actor.cli(company.id), name="X")
