"""Sources of enrichment: their state, and what they answered."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.http_sources import DefinedSourceView, DefineSource
from leadflood.domains.enrichment.contracts.language_models import ModelEndpointView, SetModelEndpoint
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey, SourceKeyView
from leadflood.domains.enrichment.contracts.source_tests import SourceTestView, StartSourceTest
from leadflood.domains.enrichment.contracts.sources import SourcesView, SourceView
from leadflood.domains.enrichment.permissions import SOURCES_WRITE
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.queries.source_settings import defined_source, language_model
from leadflood.domains.enrichment.queries.source_tests import latest_test
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service import source_tests
from leadflood.domains.enrichment.service.workspace_sources import shown_sources
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.door.targets import parse_internal_hosts

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=EdgeRoute)

_OwnName = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9_.]*$", examples=["custom_acme_data"])]
_Name = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9_.]*$", examples=["hunter_email_verifier"])]


@router.get("", summary="List the sources")
@requires(LEADS_READ, transaction=False)
async def list_sources(unit: UnitOfWorkDep) -> SourcesView:
    """The sources that workers ask, in their order of precedence, and those that the workspace sets up.

    Each with its state, its answers of the last 24 hours by outcome and hour, and the share with a value of each field.
    """
    database, actor = unit.parts.database, unit.actor
    shown = await shown_sources(database, actor, free=worker_sources(unit.parts.settings))
    found = await queries.list_sources(database, actor, sources=shown.sources, providers=shown.providers)
    return SourcesView(items=found)


@router.get("/{name}", summary="Retrieve a source")
@requires(LEADS_READ, transaction=False)
async def get_source(name: _Name, unit: UnitOfWorkDep) -> SourceView:
    """One source, with its state and what it answered in the last 24 hours."""
    database, actor = unit.parts.database, unit.actor
    shown = await shown_sources(database, actor, free=worker_sources(unit.parts.settings))
    return await queries.get_source(database, actor, name=name, sources=shown.sources, providers=shown.providers)


@router.patch("/{name}", status_code=204, summary="Enable or disable a source with a key")
@requires(SOURCES_WRITE)
async def change_source(name: _Name, command: ChangeSource, unit: UnitOfWorkDep) -> None:
    """Enabling needs the key of its provider, and a price if it charges. Disabling stops the next question."""
    await service.change(unit.tx, unit.actor, source=name, command=command)


@router.put("/{name}/key", status_code=200, summary="Set the key of a source")
@requires(SOURCES_WRITE)
async def set_source_key(name: _Name, command: SetSourceKey, unit: UnitOfWorkDep) -> SourceKeyView:
    """Stores the key of the source's provider, encrypted, in place of the former one. It is never shown again."""
    return await service.set_key(unit.tx, unit.actor, unit.parts.secret_box, source=name, command=command)


@router.delete("/{name}/key", status_code=204, summary="Delete the key of a source")
@requires(SOURCES_WRITE)
async def clear_source_key(name: _Name, unit: UnitOfWorkDep) -> None:
    """Deletes the key of the source's provider, and disables its sources."""
    await service.clear_key(unit.tx, unit.actor, source=name)


@router.post("/{name}/tests", status_code=202, summary="Test a source")
@requires(SOURCES_WRITE)
async def test_source(name: _Name, command: StartSourceTest, response: Response, unit: UnitOfWorkDep) -> SourceTestView:
    """Asks the source once about a lead or company, which may cost as much as one call.

    It need not be enabled. The answer is kept: the next enrichment of the lead or company does not pay for it again.
    """
    made = await source_tests.start(unit.tx, unit.actor, source=name, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/sources/{name}/test"
    return made


@router.get("/{name}/test", summary="Retrieve the latest test of a source")
@requires(LEADS_READ)
async def get_source_test(name: _Name, unit: UnitOfWorkDep) -> SourceTestView:
    """The latest test: what was sent, the reply, the values in it, and what it cost. Tests are kept for a while."""
    return await latest_test(unit.tx, unit.actor, source=name)


@router.put("/{name}/definition", status_code=200, summary="Define a source")
@requires(SOURCES_WRITE)
async def define_source(name: _OwnName, command: DefineSource, unit: UnitOfWorkDep) -> DefinedSourceView:
    """Defines a web API as a source, under a name that begins with `custom_`. Set its key and price, then enable it.

    A key that was set for another scheme, host or port is deleted.
    """
    return await service.define(unit.tx, unit.actor, source=name, command=command)


@router.get("/{name}/definition", summary="Retrieve the definition of a source")
@requires(LEADS_READ)
async def get_definition(name: _OwnName, unit: UnitOfWorkDep) -> DefinedSourceView:
    """The definition of a source of the workspace's own, without its key."""
    return await defined_source(unit.tx, unit.actor, source=name)


@router.put("/language_model/model", status_code=200, summary="Set up a language model")
@requires(SOURCES_WRITE)
async def set_language_model(command: SetModelEndpoint, unit: UnitOfWorkDep) -> ModelEndpointView:
    """Sets up the model that reads pages of companies' websites. Set its key and price, then enable `language_model`.

    A key that was set for another scheme, host or port is deleted.
    """
    internal = parse_internal_hosts(unit.parts.settings.internal_hosts)
    return await service.set_model(unit.tx, unit.actor, command=command, internal=internal)


@router.get("/language_model/model", summary="Retrieve the language model")
@requires(LEADS_READ)
async def get_language_model(unit: UnitOfWorkDep) -> ModelEndpointView:
    """The language model of the workspace, without its key."""
    return await language_model(unit.tx, unit.actor)


@router.delete("/{name}", status_code=204, summary="Delete a source of your own")
@requires(SOURCES_WRITE)
async def delete_source(name: _OwnName, unit: UnitOfWorkDep) -> None:
    """Deletes a source that the workspace has defined, with its key. What it found is kept."""
    await service.delete(unit.tx, unit.actor, source=name)
