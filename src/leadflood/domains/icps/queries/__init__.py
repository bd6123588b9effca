"""SQL that reads profiles and their versions."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from leadflood.domains.fields import queries as fields
from leadflood.domains.icps.contracts.bodies import ProfileBody, read_profile
from leadflood.domains.icps.contracts.icps import IcpView, VersionRef, VersionView
from leadflood.domains.icps.errors import IcpNotFound, IcpVersionNotFound
from leadflood.domains.icps.models.catalog import CUSTOM, STANDARD, FactPlace, ProfileCatalog, ProfileField, Shape
from leadflood.domains.icps.models.profiles import FitProfile
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, assemble, sql
from leadflood.kernel.db.transaction import Transaction

# Profiles that are not deleted: the main one, then by name.
_ICPS = sql("""
SELECT id, name, is_main, version, created_at, updated_at FROM icps
WHERE workspace_id = :workspace_id AND deleted_at IS NULL {condition} ORDER BY is_main DESC, name_key, id
""")
_ALL = assemble(_ICPS, condition=EMPTY)
_ONE = assemble(_ICPS, condition=sql("AND id = :icp_id"))

# Versions of profiles, newest first.
_VERSIONS = sql("""
SELECT v.id, v.icp_id, v.number, v.state, v.changed_at, v.published_at, v.job_id, v.scored FROM icp_versions v
WHERE v.workspace_id = :workspace_id AND v.icp_id = ANY (:icp_ids::uuid[]) {condition}
ORDER BY v.icp_id, v.number DESC
""")
_EVERY_VERSION = assemble(_VERSIONS, condition=EMPTY)
_CURRENT = assemble(_VERSIONS, condition=sql("AND v.state <> 'superseded'"))

# A version of a profile that is not deleted, with its body.
_VERSION = sql("""
SELECT v.id, v.icp_id, v.number, v.state, v.changed_at, v.published_at, v.job_id, v.scored, v.after_id,
       v.body::text AS body, v.shapes::text AS shapes
FROM icp_versions v JOIN icps i ON i.workspace_id = v.workspace_id AND i.id = v.icp_id AND i.deleted_at IS NULL
WHERE v.workspace_id = :workspace_id AND {which}
""")
_NUMBERED = assemble(_VERSION, which=sql("v.icp_id = :icp_id AND v.number = :number"))
_LIVE = assemble(_VERSION, which=sql("v.icp_id = :icp_id AND v.id = i.live_version_id"))
_BY_ID = assemble(_VERSION, which=sql("v.id = :version_id"))
_SCORED = assemble(_VERSION, which=sql("v.state IN ('publishing', 'live')"))

_SHAPES: Final = TypeAdapter(dict[str, Shape])

# The profile with a name.
_NAMED = sql("""
SELECT id FROM icps WHERE workspace_id = :workspace_id AND name_key = :name_key AND deleted_at IS NULL
""")

# Workspaces with leads to score.
_MARKED = sql("SELECT DISTINCT workspace_id FROM icp_pending")

# Workspaces with versions.
_SCORING = sql("SELECT DISTINCT workspace_id FROM icp_versions")


async def get_icp(tx: Transaction, actor: Actor, *, icp_id: UUID) -> IcpView:
    """Raises: IcpNotFound."""
    row = await tx.first(_ONE, {"workspace_id": actor.workspace_id, "icp_id": icp_id})
    if row is None:
        raise IcpNotFound
    return (await _views(tx, actor, [row]))[0]


async def list_icps(tx: Transaction, actor: Actor) -> list[IcpView]:
    """All profiles: the main one, then by name."""
    return await _views(tx, actor, await tx.all(_ALL, {"workspace_id": actor.workspace_id}))


async def icp_named(tx: Transaction, actor: Actor, *, name_key: str) -> UUID | None:
    """The profile with this name."""
    found: UUID | None = await tx.scalar(_NAMED, {"workspace_id": actor.workspace_id, "name_key": name_key})
    return found


async def list_versions(tx: Transaction, actor: Actor, *, icp_id: UUID) -> list[VersionRef]:
    """The versions of a profile, newest first. Raises: IcpNotFound."""
    await get_icp(tx, actor, icp_id=icp_id)
    rows = await tx.all(_EVERY_VERSION, {"workspace_id": actor.workspace_id, "icp_ids": [icp_id]})
    return [_ref(row) for row in rows]


async def get_version(tx: Transaction, actor: Actor, *, icp_id: UUID, number: int | None = None) -> VersionView:
    """A version: without a number the draft, or else the live one. Raises: IcpNotFound, IcpVersionNotFound."""
    return version_view(await numbered_row(tx, actor, icp_id=icp_id, number=number))


async def numbered_row(tx: Transaction, actor: Actor, *, icp_id: UUID, number: int | None = None) -> Row:
    """The same as a row, with its body and shapes as JSON. Raises: IcpNotFound, IcpVersionNotFound."""
    icp = await get_icp(tx, actor, icp_id=icp_id)
    current = icp.draft or icp.live or icp.publishing
    if number is None and current is not None:
        number = current.number
    row = await tx.first(_NUMBERED, {"workspace_id": actor.workspace_id, "icp_id": icp_id, "number": number})
    if row is None:
        raise IcpVersionNotFound
    return row


async def version_row(tx: Transaction, workspace_id: UUID, *, version_id: UUID) -> Row | None:
    """A version of a profile that is not deleted, with its body and shapes as JSON."""
    return await tx.first(_BY_ID, {"workspace_id": workspace_id, "version_id": version_id})


async def live_row(tx: Transaction, actor: Actor, *, icp_id: UUID) -> Row | None:
    """The same of the live version of a profile."""
    return await tx.first(_LIVE, {"workspace_id": actor.workspace_id, "icp_id": icp_id})


async def main_profile(tx: Transaction, actor: Actor) -> FitProfile | None:
    """The live version of the main profile."""
    icp_id = next((icp.id for icp in await list_icps(tx, actor) if icp.main), None)
    row = await live_row(tx, actor, icp_id=icp_id) if icp_id is not None else None
    return stored_profile(row.id, row.body, row.shapes)[0] if row is not None else None


async def scored_rows(tx: Transaction, workspace_id: UUID) -> Sequence[Row]:
    """The same of all versions that are scored: live ones, and those that are being published."""
    return await tx.all(_SCORED, {"workspace_id": workspace_id})


async def marked_workspaces(tx: Transaction) -> list[UUID]:
    """Workspaces with leads to score. Needs a transaction across workspaces."""
    return [row.workspace_id for row in await tx.all(_MARKED)]


async def workspaces_with_versions(tx: Transaction) -> list[UUID]:
    """Workspaces with profiles. Needs a transaction across workspaces."""
    return [row.workspace_id for row in await tx.all(_SCORING)]


async def catalog_of(tx: Transaction, actor: Actor) -> ProfileCatalog:
    """The facts of the workspace, with its custom fields."""
    found = await fields.custom_fields(tx, actor.workspace_id, subject=LEAD)
    return STANDARD.with_custom(found.values())


def version_view(row: Row) -> VersionView:
    """A version with its body."""
    return VersionView(**_ref(row).model_dump(), body=ProfileBody.model_validate_json(row.body))


@lru_cache(maxsize=200)
def stored_profile(version_id: UUID, body: str, shapes: str) -> tuple[FitProfile, ProfileCatalog]:  # noqa: ARG001  the key
    """A stored version, and the catalog that it was written for. `body`, `shapes`: JSON."""
    catalog = _with_shapes(_SHAPES.validate_json(shapes))
    return read_profile(ProfileBody.model_validate_json(body), catalog), catalog


def _with_shapes(shapes: Mapping[str, Shape]) -> ProfileCatalog:
    custom = [
        ProfileField(key, key.removeprefix(CUSTOM), shape, FactPlace.CUSTOM, key.removeprefix(CUSTOM))
        for key, shape in shapes.items()
    ]
    return ProfileCatalog([*STANDARD, *custom])


def shapes_of(profile: FitProfile, catalog: ProfileCatalog) -> dict[str, str]:
    """The shapes of the custom fields that a profile reads, to store with it."""
    return {key: catalog[key].shape.value for key in profile.fields if key.startswith(CUSTOM)}


async def _views(tx: Transaction, actor: Actor, rows: Sequence[Row]) -> list[IcpView]:
    values = {"workspace_id": actor.workspace_id, "icp_ids": [row.id for row in rows]}
    versions = await tx.all(_CURRENT, values) if rows else ()
    by_state = {(row.icp_id, row.state): _ref(row) for row in versions}
    return [
        IcpView(
            id=row.id,
            name=row.name,
            main=row.is_main,
            live=by_state.get((row.id, "live")),
            draft=by_state.get((row.id, "draft")),
            publishing=by_state.get((row.id, "publishing")),
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def _ref(row: Row) -> VersionRef:
    return VersionRef(
        id=row.id,
        number=row.number,
        state=row.state,
        changed_at=row.changed_at,
        published_at=row.published_at,
        job_id=row.job_id,
        scored=row.scored,
    )
