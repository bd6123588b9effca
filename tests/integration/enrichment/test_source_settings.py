"""Keys of providers: used for their own origin only and never seen again; and the sources that they enable."""

import logging
from collections.abc import Sequence
from uuid import UUID

import httpx
import pytest
import structlog

from leadflood.domains.enrichment.contracts.http_sources import DefinedSourceView, DefineSource
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.errors import (
    KeyMissing,
    PriceMissing,
    SourceNameInvalid,
    SourceNotFound,
    SourceWithoutKey,
)
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.models.source_health import SourceState
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.queries.source_settings import defined_source, source_settings
from leadflood.domains.enrichment.registry import provider_of
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service.workspace_sources import WorkspaceSources, shown_sources
from leadflood.domains.enrichment.store import source_settings as store
from leadflood.domains.spending import service as spending
from leadflood.domains.spending.contracts import SetPrice
from leadflood.kernel.actor import Actor, MissingPermission, Role
from leadflood.kernel.crypto import SecretBox, new_secret_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.sealed_columns import reseal
from tests.conftest import Workspace, new_workspace
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.statements import counted
from tests.support.tenants import holdings
from tests.support.web import Browser

__all__ = [
    "caller",
    "gate",
    "house",
    "new_caller",
    "new_house",
    "owner",
    "pages_app",
    "pages_parts",
    "parts",
    "site_parts",
    "toys",
]

KEY = "canary-4711-secret-key-9xyz"
VERIFIER, FINDER = "hunter_email_verifier", "hunter_email_finder"
OWN = "custom_acme"
OWN_DEFINITION = {
    "label": "Acme Data",
    "subject": "company",
    "url": "https://api.acme-data.test/v1/{domain}",
    "auth": "bearer",
    "needs": [["domain"]],
    "fields": {"name": "company.title"},
}
MOVE = sql("UPDATE provider_keys SET origin = 'https://elsewhere.test' WHERE workspace_id = :workspace_id")


class Settings:
    """Keys and sources of one workspace."""

    def __init__(self, database: Database, actor: Actor, box: SecretBox) -> None:
        self.database, self.actor, self.box = database, actor, box
        self.sources = WorkspaceSources([], box)

    async def set_key(self, key: str = KEY, source: str = VERIFIER) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.set_key(tx, self.actor, self.box, source=source, command=SetSourceKey(key=key))

    async def clear_key(self, source: str = VERIFIER) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.clear_key(tx, self.actor, source=source)

    async def enable(self, source: str = VERIFIER, *, enabled: bool = True) -> None:
        """As the verb does it, whether there is a price or not."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            provider = provider_of(source)
            name = source if provider is None else provider.name
            await store.set_enabled(tx, self.actor.workspace_id, source, provider=name, enabled=enabled)

    async def define(self, source: str = "custom_acme", **changes: str) -> DefinedSourceView:
        command = DefineSource.model_validate({**OWN_DEFINITION, **changes})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await service.define(tx, self.actor, source=source, command=command)

    async def exported(self) -> DefinedSourceView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await defined_source(tx, self.actor, source=OWN)

    async def asked(self, workspace_id: UUID | None = None) -> Sequence[Source]:
        workspace = workspace_id or self.actor.workspace_id
        async with self.database.transaction(workspace, read_only=True) as tx:
            return (await self.sources.of(tx, workspace)).sources

    async def names(self) -> list[str]:
        return [source.spec.name for source in await self.asked()]


@pytest.fixture
def keys(database: Database, workspace: Workspace, secret_box: SecretBox) -> Settings:
    return Settings(database, workspace.actor, secret_box)


async def test_a_key_serves_all_sources_of_its_provider_that_are_enabled(keys: Settings) -> None:
    await keys.set_key()
    assert await keys.names() == []
    await keys.enable(VERIFIER)
    await keys.enable(FINDER)
    await keys.enable("zerobounce")
    assert await keys.names() == [FINDER, VERIFIER], "without the one that has no key"

    await keys.enable(FINDER, enabled=False)
    assert await keys.names() == [VERIFIER]
    await keys.clear_key()
    assert await keys.names() == []
    await keys.set_key()
    assert await keys.names() == [], "a key that was deleted disables its sources"


async def test_a_key_is_of_one_workspace_one_provider_and_one_origin(keys: Settings, database: Database) -> None:
    await keys.set_key()
    await keys.enable()
    assert await keys.asked(await new_workspace(database)) == []
    async with database.transaction(keys.actor.workspace_id) as tx:
        await tx.execute(MOVE, {"workspace_id": keys.actor.workspace_id})

    assert await WorkspaceSourcesOf(keys).names() == [], "the key is for another server than the source asks"


class WorkspaceSourcesOf(Settings):
    """The same settings in another process."""

    def __init__(self, other: Settings, box: SecretBox | None = None) -> None:
        super().__init__(other.database, other.actor, box or other.box)


async def test_another_key_is_used_immediately_and_sources_are_kept_as_long_as_nothing_changes(
    keys: Settings,
) -> None:
    await keys.set_key()
    await keys.enable()
    (first,), (again,) = await keys.asked(), await keys.asked()
    assert first is again
    await keys.set_key("another-key-0815-abcd")

    (changed,) = await keys.asked()
    assert changed is not first
    assert "another-key-0815-abcd" in str(vars(changed))


async def test_keys_are_readable_after_a_rotation_and_not_without_their_secret_key(
    keys: Settings, secret_box: SecretBox
) -> None:
    await keys.set_key()
    await keys.enable()
    new = new_secret_key()
    alone, rotated = SecretBox(new), SecretBox(new, [])
    assert await WorkspaceSourcesOf(keys, alone).names() == []
    rotated.per_key = (rotated, secret_box)

    await reseal(keys.database, rotated, [store.PROVIDER_KEYS])
    assert await WorkspaceSourcesOf(keys, alone).names() == [VERIFIER]


async def test_verbs_ask_the_permission_a_key_and_a_price(keys: Settings) -> None:
    async with keys.database.transaction(keys.actor.workspace_id) as tx:
        actor, enabled = keys.actor, ChangeSource(enabled=True)
        with pytest.raises(KeyMissing):
            await service.change(tx, actor, source=VERIFIER, command=enabled)
        await service.set_key(tx, actor, keys.box, source=VERIFIER, command=SetSourceKey(key=KEY))
        with pytest.raises(PriceMissing):
            await service.change(tx, actor, source=VERIFIER, command=enabled)
        await spending.set_price(tx, actor, source=VERIFIER, command=SetPrice.model_validate({"priceMicros": 25_000}))
        await service.change(tx, actor, source=VERIFIER, command=enabled)
        assert [each.source for each in await source_settings(tx, actor.workspace_id, enabled_only=True)] == [VERIFIER]
        await service.change(tx, actor, source=VERIFIER, command=ChangeSource(enabled=False))
        for name, error in (("gleif", SourceWithoutKey), ("unknown", SourceNotFound)):
            with pytest.raises(error):
                await service.change(tx, actor, source=name, command=enabled)
        nobody = Actor.requester(actor.workspace_id, actor.kind, None)
        with pytest.raises(MissingPermission):
            await service.set_key(tx, nobody, keys.box, source=VERIFIER, command=SetSourceKey(key=KEY))


async def test_lists_say_which_sources_need_a_key_and_which_are_off(keys: Settings) -> None:
    async def state(name: str) -> tuple[SourceState, str, str | None]:
        shown = await shown_sources(keys.database, keys.actor, free=[])
        found = await queries.get_source(
            keys.database, keys.actor, name=name, sources=shown.sources, providers=shown.providers
        )
        assert found.provider is not None
        return found.state, found.reason, found.provider.key_last4

    assert await state(VERIFIER) == (SourceState.OFF, "It needs a key.", None)
    await keys.set_key()
    assert await state(VERIFIER) == (SourceState.OFF, "It is not enabled.", KEY[-4:])
    await keys.enable()
    assert await state(VERIFIER) == (SourceState.IDLE, "", KEY[-4:])


async def test_a_workspace_without_keys_costs_one_statement(keys: Settings) -> None:
    with counted(keys.database.pool) as statements:
        assert await keys.asked() == []

    assert len([text for text in statements.texts if "source_settings" in text]) == 1


async def test_the_key_is_nowhere_to_be_seen(
    toys: httpx.AsyncClient, caller: Caller, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = {**caller.headers, "Idempotency-Key": "key-1"}
    with structlog.testing.capture_logs() as logged:
        answers = [
            await toys.put(f"/v1/sources/{VERIFIER}/key", json={"key": KEY}, headers=headers),
            await toys.put(f"/v1/sources/{VERIFIER}/key", json={"key": KEY, "x": KEY}, headers=caller.headers),
            await toys.put(f"/v1/sources/{VERIFIER}/key", json={"key": f"{KEY} {KEY}"}, headers=caller.headers),
            await toys.put("/v1/sources/gleif/key", json={"key": KEY}, headers=caller.headers),
            await toys.get("/v1/sources", headers=caller.headers),
            await toys.get(f"/v1/sources/{VERIFIER}", headers=caller.headers),
            await toys.get("/v1/audit-events", headers=caller.headers),
        ]

    assert [answer.status_code for answer in answers] == [200, 400, 400, 409, 200, 200, 200]
    assert answers[0].json()["last4"] == KEY[-4:]
    rows = await holdings(database, caller.workspace_id)
    seen = [
        *(answer.text for answer in answers),
        caplog.text,
        *map(str, logged),
        *(row for name in rows for row in rows[name]),
    ]
    hexed = KEY.encode().hex()
    assert [text for text in seen if "canary" in text or hexed in text] == []
    assert any("source_key_set" in row for row in rows["audit_events"])


async def test_pages_set_and_delete_keys_and_enable_sources(house: House, owner: Browser) -> None:
    path = f"/settings/sources/{VERIFIER}"
    assert "No key is stored" in (await owner.get(path)).text
    refused = await owner.post(f"{path}/key", {"key": "short"})
    assert (refused.status, "8 to 500 characters" in refused.text) == (400, True)

    stored = await owner.post(f"{path}/key", {"key": KEY})
    assert stored.status == 200
    assert KEY[-4:] in stored.text
    assert "canary" not in stored.text
    priceless = await owner.post(f"{path}/states", {"enabled": "on"})
    assert (priceless.status, "Set its price first" in priceless.text) == (409, True)
    deleted = await owner.post(f"{path}/key-deletions", {})
    assert "No key is stored" in deleted.text
    member = await house.signed_in(Role.MEMBER)
    assert (await member.get(path)).status == 200
    assert (await member.post(f"{path}/key", {"key": KEY})).status == 403


async def test_a_source_of_ones_own_is_defined_keyed_and_asked(keys: Settings) -> None:
    await keys.define(url="https://api.acme-data.test/v1/{domain}")
    await keys.set_key(source=OWN)
    await keys.enable(OWN)
    assert await keys.names() == [OWN]

    await keys.define(url="https://api.acme-data.test/v2/{domain}?x=1")
    assert await keys.names() == [OWN], "the key is for this server"
    assert "canary" not in str(await keys.exported())
    async with keys.database.transaction(keys.actor.workspace_id) as tx:
        await service.delete(tx, keys.actor, source=OWN)
    assert await keys.names() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://api.acme-data.test.evil.test/v1/{domain}",
        "https://acme-data.test/v1/{domain}",
        "https://api.acme-data.test:8443/v1/{domain}",
    ],
)
async def test_a_key_is_deleted_when_the_server_changes(keys: Settings, url: str) -> None:
    await keys.define(url="https://api.acme-data.test/v1/{domain}")
    await keys.set_key(source=OWN)
    await keys.enable(OWN)

    changed = await keys.define(url=url)

    assert (changed.key_cleared, changed.enabled) == (True, False)
    await keys.enable(OWN)
    assert await keys.names() == []


async def test_names_of_other_sources_are_refused(keys: Settings) -> None:
    with pytest.raises(SourceNameInvalid):
        await keys.define(url="https://api.acme-data.test/{domain}", source=VERIFIER)


async def test_a_source_without_a_key_needs_none(keys: Settings) -> None:
    await keys.define(url="https://api.acme-data.test/v1/{domain}", auth="none")
    await keys.enable(OWN)

    assert await keys.names() == [OWN]


async def test_definitions_over_http(toys: httpx.AsyncClient, caller: Caller) -> None:
    path = f"/v1/sources/{OWN}"
    body = {**OWN_DEFINITION, "url": "https://api.acme-data.test/v1/{domain}"}
    defined = await toys.put(f"{path}/definition", json=body, headers=caller.headers)
    assert (defined.status_code, defined.json()["origin"]) == (200, "https://api.acme-data.test")
    read = (await toys.get(f"{path}/definition", headers=caller.headers)).json()
    again = await toys.put(f"{path}/definition", json=read["definition"], headers=caller.headers)
    assert again.json() == defined.json(), "what is exported can be imported"
    listed = (await toys.get("/v1/sources", headers=caller.headers)).json()["items"]
    assert listed[-1]["name"] == OWN

    assert (await toys.delete(path, headers=caller.headers)).status_code == 204
    assert (await toys.delete(path, headers=caller.headers)).status_code == 404
