"""The page of a source that needs no key."""

from leadflood.domains.enrichment.contracts.http_sources import DefineSource
from leadflood.domains.enrichment.queries.source_settings import credential_gate
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service.workspace_sources import WorkspaceSources
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House
from tests.support.web import Browser

OWN = "custom_acme"
PATH = f"/settings/sources/{OWN}"
DEFINITION = {
    "label": "Acme Data",
    "subject": "company",
    "url": "https://api.acme-data.test/v1/{domain}",
    "auth": "none",
    "needs": [["domain"]],
    "fields": {"name": "company.title"},
    "charges": "never",
    "mostUnits": 0,
}
BLOCKED = sql("INSERT INTO source_gates (source, reason, keyed) VALUES (:source, 'The key is rejected.', true)")


async def define(house: House, **changes: object) -> None:
    command = DefineSource.model_validate({**DEFINITION, **changes})
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await service.define(tx, house.actor, source=OWN, command=command)


async def asked(house: House) -> list[str]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        sources = await WorkspaceSources([], house.parts.secret_box).of(tx, house.workspace_id)
    return [source.spec.name for source in sources.sources]


async def test_it_is_enabled_and_disabled_on_its_page(house: House, owner: Browser) -> None:
    await define(house)
    page = await owner.get(PATH)
    assert "It needs no key. It is not asked until it is enabled." in page.text
    assert page.html.css("#f-key") == [], "there is no key to set"
    assert page.all("#key button") == ["Enable"]

    enabled = await owner.post(f"{PATH}/states", {"enabled": "on"})

    assert "Source enabled." in enabled.text
    assert (enabled.all("#key button"), enabled.all("#source-state .status")) == (["Disable"], ["Not asked"])
    assert await asked(house) == [OWN]
    assert (await owner.post(f"{PATH}/states", {"enabled": ""})).all("#key button") == ["Enable"]
    assert await asked(house) == []


async def test_one_that_charges_needs_its_price_first(house: House, owner: Browser) -> None:
    await define(house, charges="on_call", mostUnits=1)
    await owner.get(PATH)

    refused = await owner.post(f"{PATH}/states", {"enabled": "on"})
    assert (refused.status, "Set its price first" in refused.text) == (409, True)
    assert refused.all(".step:not(.step--done) h3") == ["Price", "Budget of the workspace"]
    await Till(house.parts.database, house.actor).price(25_000, source=OWN)

    assert (await owner.post(f"{PATH}/states", {"enabled": "on"})).all("#key button") == ["Disable"]


async def test_members_see_its_state_without_buttons_and_its_gate_is_of_the_workspace(
    house: House, owner: Browser
) -> None:
    await define(house)
    await owner.get(PATH)
    await owner.post(f"{PATH}/states", {"enabled": "on"})
    member = await house.signed_in(Role.MEMBER)
    assert (await member.get(PATH)).all("#key button") == []
    assert (await member.post(f"{PATH}/states", {"enabled": ""})).status == 403

    async with house.parts.database.system() as tx:
        await tx.execute(BLOCKED, {"source": credential_gate(house.workspace_id, OWN, None)})

    assert "The key is rejected." in (await member.get(PATH)).text
