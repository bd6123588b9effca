"""Setting up a language model: which addresses may be asked, and when its key is deleted."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.errors import KeyMissing, ModelMissing, PriceMissing
from leadflood.domains.enrichment.models.source_health import SourceState
from leadflood.domains.enrichment.queries.sources import list_sources
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service.workspace_sources import WorkspaceSources, shown_sources
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.spending import service as spending
from leadflood.domains.spending.contracts import SetPrice
from leadflood.kernel.actor import MissingPermission
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.door.targets import parse_internal_hosts
from leadflood.kernel.errors import InvalidInput
from tests.conftest import Workspace
from tests.support.api import Caller, caller, gate, new_caller, parts, toys

__all__ = ["caller", "gate", "new_caller", "parts", "toys"]

NAME = "language_model"
KEY = "canary-4711-secret-key-9xyz"
PATH = "/v1/sources/language_model/model"
GIVEN = {"url": "https://api.acme-ai.test/v1", "model": "acme-small"}


class Models:
    """The language model of one workspace. `internal`: as the operator's setting is written."""

    def __init__(self, database: Database, workspace: Workspace, box: SecretBox) -> None:
        self.database, self.actor, self.box = database, workspace.actor, box

    async def set(self, *, internal: str = "", **changes: Any) -> Any:  # noqa: ANN401
        command = SetModelEndpoint.model_validate({**GIVEN, **changes})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            hosts = parse_internal_hosts(internal)
            return await service.set_model(tx, self.actor, command=command, internal=hosts)

    async def set_key(self) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.set_key(tx, self.actor, self.box, source=NAME, command=SetSourceKey(key=KEY))

    async def set_price(self) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await spending.set_price(tx, self.actor, source=NAME, command=SetPrice.model_validate({"priceMicros": 1}))

    async def enable(self) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.change(tx, self.actor, source=NAME, command=ChangeSource(enabled=True))

    async def asked(self) -> list[str]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            found = await WorkspaceSources([], self.box).of(tx, self.actor.workspace_id)
        return [source.spec.name for source in found.sources]

    async def state(self) -> tuple[SourceState, str, str]:
        shown = await shown_sources(self.database, self.actor, free=[])
        listed = await list_sources(self.database, self.actor, sources=shown.sources, providers=shown.providers)
        (view,) = (each for each in listed if each.name == NAME)
        assert view.provider is not None
        return view.state, view.reason, view.provider.origin


@pytest.fixture
def models(database: Database, workspace: Workspace, secret_box: SecretBox) -> Models:
    return Models(database, workspace, secret_box)


async def test_it_needs_an_address_a_key_and_a_price_before_it_is_enabled(models: Models) -> None:
    assert await models.state() == (SourceState.OFF, "It needs a key.", "")
    for verb in (models.set_key, models.enable):
        with pytest.raises(ModelMissing):
            await verb()

    await models.set()
    with pytest.raises(KeyMissing):
        await models.enable()
    await models.set_key()
    with pytest.raises(PriceMissing):
        await models.enable()
    await models.set_price()
    await models.enable()

    assert await models.state() == (SourceState.IDLE, "", "https://api.acme-ai.test")
    assert await models.asked() == [NAME]


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://api.acme-ai.test/v2", True),
        ("https://API.acme-ai.test:443/v1/", True),
        ("https://api.acme-ai.test.evil.test/v1", False),
        ("https://acme-ai.test/v1", False),
    ],
)
async def test_a_key_is_deleted_when_the_server_changes(models: Models, url: str, *, stays: bool) -> None:
    await models.set()
    await models.set_key()
    await models.set_price()
    await models.enable()

    changed = await models.set(url=url)

    assert (changed.enabled, changed.key_cleared) == (stays, not stays)
    assert await models.asked() == ([NAME] if stays else [])


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"url": "http://api.acme-ai.test/v1"}, "/url", "Port 80"),
        ({"url": "http://api.acme-ai.test:443/v1"}, "/url", "Must begin with https://"),
        ({"url": "https://api.acme-ai.test:8443/v1"}, "/url", "Port 8443"),
        ({"url": "https://127.0.0.1/v1"}, "/url", "loopback"),
        ({"url": "https://[::ffff:10.0.0.1]/v1"}, "/url", "private"),
        ({"url": "https://169.254.169.254/v1"}, "/url", "link-local"),
        ({"url": "http://localhost:11434/v1"}, "/url", "11434"),
        ({"url": "https://localhost/v1"}, "/url", "localhost"),
        ({"url": "https://ollama.internal/v1"}, "/url", "internal"),
        ({"auth": "none"}, "/auth", "needs a key"),
    ],
    ids=str,
)
async def test_only_an_operator_opens_other_servers(
    models: Models, changes: dict[str, str], field: str, word: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await models.set(**changes)

    (error,) = refused.value.errors
    assert (error.pointer, word in error.message) == (field, True), error.message
    assert "LEADFLOOD_INTERNAL_HOSTS=model=HOST:PORT" in error.message


async def test_a_server_that_the_operator_allows_needs_neither_encryption_nor_a_key(models: Models) -> None:
    local = {"url": "http://localhost:11434/v1", "auth": "none"}
    for internal in ("webhook=localhost:11434", "model=localhost:11435", "model=127.0.0.1:11434"):
        with pytest.raises(InvalidInput):
            await models.set(internal=internal, **local)

    await models.set(internal="model=localhost:11434", **local)
    await models.set_price()
    await models.enable()

    assert await models.asked() == [NAME]
    assert await models.state() == (SourceState.IDLE, "", "http://localhost:11434")


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://api.acme-ai.test/v1"},
        {"url": "//api.acme-ai.test/v1"},
        {"url": "api.acme-ai.test"},
        {"url": "https://user:pass@api.acme-ai.test/v1"},
        {"url": "https://api.acme-ai.test/v1?key=1"},
        {"url": "https://api.acme-ai.test/v1#x"},
        {"url": ""},
        {"model": ""},
        {"model": "a" * 101},
        {"fields": []},
        {"fields": ["email"]},
        {"maxBytes": 100_000},
        {"maxTokens": 0},
        {"outputWeight": 0},
        {"key": KEY},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SetModelEndpoint.model_validate({**GIVEN, **changes})


def test_the_method_may_be_part_of_the_address() -> None:
    command = SetModelEndpoint.model_validate({**GIVEN, "url": "https://API.acme-ai.test/v1/chat/completions"})

    assert command.url == "https://api.acme-ai.test/v1"


async def test_only_who_may_write_sources_sets_it(models: Models) -> None:
    models.actor = replace(models.actor, permissions=frozenset({LEADS_READ}))

    with pytest.raises(MissingPermission):
        await models.set()


async def test_it_is_set_read_and_deleted_over_http(toys: httpx.AsyncClient, caller: Caller) -> None:
    assert (await toys.get(PATH, headers=caller.headers)).json()["code"] == "language_model_missing"
    refused = await toys.put(PATH, json={**GIVEN, "url": "https://10.0.0.1/v1"}, headers=caller.headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/url")

    made = await toys.put(PATH, json={**GIVEN, "fields": ["industry", "founded"]}, headers=caller.headers)

    assert made.status_code == 200
    assert made.json() == {
        **GIVEN,
        "auth": "bearer",
        "fields": ["industry", "founded"],
        "maxBytes": 24_000,
        "maxTokens": 2000,
        "outputWeight": 4,
        "origin": "https://api.acme-ai.test",
        "enabled": False,
        "keyCleared": False,
    }
    assert (await toys.get(PATH, headers=caller.headers)).json() == made.json()
    key = await toys.put("/v1/sources/language_model/key", json={"key": KEY}, headers=caller.headers)
    assert (key.json()["last4"], KEY in key.text) == (KEY[-4:], False)
    shown = await toys.get("/v1/sources/language_model", headers=caller.headers)
    assert shown.json()["provider"]["keyLast4"] == KEY[-4:]
    assert (await toys.get("/v1/sources/language_model/definition", headers=caller.headers)).status_code == 404
    assert (await toys.delete("/v1/sources/language_model", headers=caller.headers)).status_code == 204
    assert (await toys.get(PATH, headers=caller.headers)).status_code == 409
