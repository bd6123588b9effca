"""SQL that writes profiles and their versions."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Serialize what limits and names profiles: creating, renaming, and choosing the main one.
_LOCK_ALL = sql("SELECT pg_advisory_xact_lock(hashtextextended('icps ' || :workspace_id::uuid::text, 0))")

# Lock a profile that is not deleted.
_LOCK = sql("""
SELECT id, name, is_main, live_version_id, version FROM icps
WHERE workspace_id = :workspace_id AND id = :icp_id AND deleted_at IS NULL FOR UPDATE
""")

# Add a profile.
_INSERT = sql("""
INSERT INTO icps (workspace_id, id, name, name_key) VALUES (:workspace_id, :icp_id, :name, :name_key)
""")

# No profile is the main one.
_NO_MAIN = sql("UPDATE icps SET is_main = false WHERE workspace_id = :workspace_id AND is_main AND id <> :icp_id")

# Set what can be changed of a profile.
_UPDATE = sql("""
UPDATE icps SET name = :name, name_key = :name_key, is_main = :is_main, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :icp_id
""")

# A new version of the profile, under the next number.
_INSERT_VERSION = sql("""
INSERT INTO icp_versions (workspace_id, id, icp_id, number, state, body, shapes)
SELECT :workspace_id, :id, :icp_id, 1 + coalesce(max(number), 0), 'draft', :body, :shapes
FROM icp_versions WHERE workspace_id = :workspace_id AND icp_id = :icp_id
""")

# The body of the draft. Drafts are the only versions that change.
_UPDATE_DRAFT = sql("""
UPDATE icp_versions SET body = :body, shapes = :shapes, changed_at = now()
WHERE workspace_id = :workspace_id AND icp_id = :icp_id AND state = 'draft'
""")

# A profile has another version for If-Match.
_TOUCH = sql("""
UPDATE icps SET version = version + 1, updated_at = now() WHERE workspace_id = :workspace_id AND id = :icp_id
""")

# A draft or a former version is to be published.
_START = sql("""
UPDATE icp_versions SET state = 'publishing', job_id = :job_id, after_id = NULL, scored = 0
WHERE workspace_id = :workspace_id AND id = :version_id AND state IN ('draft', 'superseded')
""")

# The version that is live now is no longer.
_SUPERSEDE = sql("""
UPDATE icp_versions SET state = 'superseded' WHERE workspace_id = :workspace_id AND icp_id = :icp_id AND state = 'live'
""")

# A published version is live.
_MAKE_LIVE = sql("""
UPDATE icp_versions SET state = 'live', published_at = coalesce(published_at, now())
WHERE workspace_id = :workspace_id AND id = :version_id AND state = 'publishing'
""")

# The one update that lists see. The first profile that is published becomes the main one.
_FLIP = sql("""
UPDATE icps SET live_version_id = :version_id, version = version + 1, updated_at = now(),
    is_main = is_main OR NOT EXISTS (SELECT FROM icps other WHERE other.workspace_id = :workspace_id AND other.is_main)
WHERE workspace_id = :workspace_id AND id = :icp_id
""")

# Store how far a publication is.
_PROGRESS = sql("""
UPDATE icp_versions SET after_id = :after_id, scored = scored + :scored
WHERE workspace_id = :workspace_id AND id = :version_id
""")

# A publication ends without an effect: the version is what it was before.
_GIVE_UP = sql("""
UPDATE icp_versions v SET state = CASE
    WHEN published_at IS NOT NULL OR EXISTS (SELECT FROM icp_versions o WHERE o.workspace_id = v.workspace_id
                                             AND o.icp_id = v.icp_id AND o.state = 'draft')
    THEN 'superseded' ELSE 'draft' END
WHERE workspace_id = :workspace_id AND id = :version_id AND state = 'publishing'
""")

# Mark a profile as deleted.
_DELETE = sql("""
UPDATE icps SET deleted_at = now(), live_version_id = NULL, is_main = false, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :icp_id
""")

# No version of the profile is scored.
_END_VERSIONS = sql("""
UPDATE icp_versions SET state = 'superseded'
WHERE workspace_id = :workspace_id AND icp_id = :icp_id AND state <> 'superseded'
""")


async def lock_all(tx: Transaction, workspace_id: UUID) -> None:
    """Serialize changes of the names and the number of profiles."""
    await tx.execute(_LOCK_ALL, {"workspace_id": workspace_id})


async def lock_icp(tx: Transaction, workspace_id: UUID, icp_id: UUID) -> Row | None:
    """Lock a profile that is not deleted."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "icp_id": icp_id})


async def insert_icp(tx: Transaction, workspace_id: UUID, *, name: str, name_key: str) -> UUID:
    """Add a profile without versions. Returns its ID."""
    icp_id = new_id()
    values = {"workspace_id": workspace_id, "icp_id": icp_id, "name": name, "name_key": name_key}
    await tx.execute(_INSERT, values)
    return icp_id


async def update_icp(
    tx: Transaction, workspace_id: UUID, icp_id: UUID, *, name: str, name_key: str, is_main: bool
) -> None:
    """Set what can be changed of a profile."""
    values = {"workspace_id": workspace_id, "icp_id": icp_id, "name": name, "name_key": name_key, "is_main": is_main}
    if is_main:
        await tx.execute(_NO_MAIN, values)
    await tx.execute(_UPDATE, values)


async def save_draft(tx: Transaction, workspace_id: UUID, icp_id: UUID, *, body: str, shapes: str) -> None:
    """Replace the draft of a locked profile, or begin one. `body`, `shapes`: JSON."""
    values: Mapping[str, object] = {
        "workspace_id": workspace_id,
        "id": new_id(),
        "icp_id": icp_id,
        "body": body,
        "shapes": shapes,
    }
    if await tx.changed(_UPDATE_DRAFT, values) == 0:
        await tx.execute(_INSERT_VERSION, values)
    await tx.execute(_TOUCH, values)


async def start(tx: Transaction, workspace_id: UUID, *, version_id: UUID, job_id: UUID) -> bool:
    """Begin to publish a version. False: it is neither a draft nor a former version."""
    return await tx.changed(_START, {"workspace_id": workspace_id, "version_id": version_id, "job_id": job_id}) == 1


async def advance(tx: Transaction, workspace_id: UUID, *, version_id: UUID, after_id: UUID, scored: int) -> None:
    """Store how far a publication is."""
    values = {"workspace_id": workspace_id, "version_id": version_id, "after_id": after_id, "scored": scored}
    await tx.execute(_PROGRESS, values)


async def flip(tx: Transaction, workspace_id: UUID, *, icp_id: UUID, version_id: UUID) -> None:
    """Make a published version the live one of a locked profile."""
    values = {"workspace_id": workspace_id, "icp_id": icp_id, "version_id": version_id}
    await tx.execute(_SUPERSEDE, values)
    await tx.execute(_MAKE_LIVE, values)
    await tx.execute(_FLIP, values)


async def give_up(tx: Transaction, workspace_id: UUID, *, version_id: UUID) -> None:
    """End a publication that failed."""
    await tx.execute(_GIVE_UP, {"workspace_id": workspace_id, "version_id": version_id})


async def delete_icp(tx: Transaction, workspace_id: UUID, icp_id: UUID) -> None:
    """Mark a locked profile as deleted. Its scores are no longer shown."""
    values = {"workspace_id": workspace_id, "icp_id": icp_id}
    await tx.execute(_DELETE, values)
    await tx.execute(_END_VERSIONS, values)
