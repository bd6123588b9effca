"""The hold on outgoing effects: a copy of a database must not send what the original sends.

Whatever leaves the system (mail) asks `Hold.require_open` immediately before. The hold closes by itself when the
server, the database or the instance is another one than the database recorded: after a restore, in a clone, under a
second data folder. It stays closed, for all processes, until an operator opens it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

WAITING = "Waiting: outgoing effects are on hold."
"""Reason shown for jobs that wait until the hold is released."""

# Whether the system identifier can be read.
_READABLE = sql("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
# The system identifier of the server.
_SYSTEM = sql("SELECT system_identifier::text FROM pg_control_system()")
# The recorded hold, and the actual database.
_STATE = sql("""
SELECT d.oid::bigint AS current_oid, h.system_identifier, h.database_oid, h.instance_id, h.closed_at, h.reason
FROM pg_database d LEFT JOIN effects_hold h ON true
WHERE d.datname = current_database()
""")
ON_HOLD = sql("(SELECT closed_at IS NOT NULL FROM effects_hold)")
"""A condition: whether effects are on hold, as recorded."""

# Record the original, if nothing is recorded yet.
_RECORD = sql("""
INSERT INTO effects_hold (id, system_identifier, database_oid, instance_id)
VALUES (1, :system_identifier, :database_oid, :instance_id)
ON CONFLICT (id) DO NOTHING
""")
# Set the hold if it is released.
_CLOSE = sql("UPDATE effects_hold SET closed_at = now(), reason = :reason WHERE closed_at IS NULL")
# Set the hold because this is a copy, unless another process has recorded a different original meanwhile.
_MISMATCH = sql("""
UPDATE effects_hold SET closed_at = now(), reason = :reason
WHERE closed_at IS NULL AND system_identifier IS NOT DISTINCT FROM :system_identifier
  AND database_oid = :database_oid AND instance_id = :instance_id
""")
# Release the hold, and record the original. Another one than before is a copy, which lacks what the original did since.
_OPEN = sql("""
UPDATE effects_hold
SET restored_at = CASE WHEN (system_identifier, database_oid, instance_id)
                            IS DISTINCT FROM (:system_identifier, :database_oid, :instance_id)
                       THEN now() ELSE restored_at END,
    system_identifier = :system_identifier, database_oid = :database_oid, instance_id = :instance_id,
    recorded_at = now(), closed_at = NULL, reason = ''
WHERE closed_at IS NOT NULL
""")

# Replace an instance ID derived from a former secret key with the current one.
_RENEW = sql("UPDATE effects_hold SET instance_id = :instance_id WHERE instance_id = ANY (:former::text[])")

_log = structlog.get_logger()


class EffectsOnHold(Exception):
    """Outgoing effects are on hold. The work is neither done nor failed: it waits until an operator releases it."""


class Gate(Protocol):
    """The check that senders make before they send."""

    async def require_open(self) -> None:
        """Raises: EffectsOnHold, leadflood.kernel.errors.Unavailable."""


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """Distinguishes an original from a copy. `system_identifier` is None if the server does not show it."""

    system_identifier: str | None
    database_oid: int
    instance_id: str


@dataclass(frozen=True, slots=True)
class HoldState:
    """State of the hold: whether outgoing effects are on hold, since when and why; the recorded and actual identity."""

    closed_at: datetime | None
    reason: str
    recorded: DatabaseIdentity | None
    current: DatabaseIdentity

    @property
    def closed(self) -> bool:
        """Whether outgoing effects are on hold."""
        return self.closed_at is not None

    @property
    def differences(self) -> tuple[str, ...]:
        """Differences between this process or its database and the recorded identity."""
        return () if self.recorded is None else differences(self.recorded, self.current)


class Hold:
    """The hold of one database, as seen by one process."""

    def __init__(self, database: Database, instance_ids: Callable[[], tuple[str, ...]]) -> None:
        """`instance_ids`: returns the installation's ID outside the database, then its former IDs; called on use."""
        self._database = database
        self._instance_ids = instance_ids

    async def require_open(self) -> None:
        """Return if outgoing effects are allowed now, according to the database.

        Raises: EffectsOnHold, leadflood.kernel.errors.Unavailable.
        """
        if (await self.check()).closed:
            raise EffectsOnHold

    async def check(self) -> HoldState:
        """Record this installation if nothing is recorded yet, and set the hold if another one is recorded."""
        async with self._database.system() as tx:
            state = await self.state(tx)
            if state.recorded is None:
                await tx.execute(_RECORD, _values(state.current))
                state = await self.state(tx)
            if state.recorded is not None and state.differences and not state.closed:
                reason = _reason(state.recorded, state.current)
                await tx.execute(_MISMATCH, {**_values(state.recorded), "reason": reason})
                _log.warning("effects.on_hold", reason=reason, remedy="leadflood hold status")
                state = await self.state(tx)
        return state

    async def state(self, tx: Transaction) -> HoldState:
        """State of the hold. Read-only. Requires a system transaction."""
        system = await tx.scalar(_SYSTEM) if await tx.scalar(_READABLE) else None
        (row,) = await tx.all(_STATE)
        ids = self._instance_ids()
        known = row.instance_id if row.instance_id in ids else ids[0]
        return HoldState(
            closed_at=row.closed_at,
            reason=row.reason or "",
            recorded=None if row.instance_id is None else _recorded(row),
            current=DatabaseIdentity(system, row.current_oid, known),
        )

    async def close(self, tx: Transaction, *, reason: str) -> bool:
        """Set the hold; False if it is already set. Requires a system transaction."""
        state = await self.state(tx)
        await tx.execute(_RECORD, _values(state.current))
        return await tx.changed(_CLOSE, {"reason": reason}) == 1

    async def open(self, tx: Transaction) -> bool:
        """Release the hold and record this installation as the original; False if not set. Needs a system one."""
        return await tx.changed(_OPEN, _values((await self.state(tx)).current)) == 1

    async def renew_instance_id(self, tx: Transaction) -> None:
        """Replace an instance ID derived from a former secret key. Requires a system transaction."""
        current, *former = self._instance_ids()
        await tx.execute(_RENEW, {"instance_id": current, "former": former})


def differences(recorded: DatabaseIdentity, current: DatabaseIdentity) -> tuple[str, ...]:
    """The differences in words. A system identifier that only one side knows is not a difference."""
    systems = {recorded.system_identifier, current.system_identifier} - {None}
    found = {
        "server": len(systems) > 1,
        "database": recorded.database_oid != current.database_oid,
        "instance id": recorded.instance_id != current.instance_id,
    }
    return tuple(name for name, differs in found.items() if differs)


def _reason(recorded: DatabaseIdentity, current: DatabaseIdentity) -> str:
    found = f"Another {' and another '.join(differences(recorded, current))} than recorded"
    if recorded.instance_id == current.instance_id:
        return f"{found}: this database is a copy, or its server was upgraded."
    return f"{found}: the instance id is {current.instance_id}, and was {recorded.instance_id}."


def _recorded(row: Row) -> DatabaseIdentity:
    return DatabaseIdentity(row.system_identifier, row.database_oid, row.instance_id)


def _values(identity: DatabaseIdentity) -> dict[str, object]:
    return {
        "system_identifier": identity.system_identifier,
        "database_oid": identity.database_oid,
        "instance_id": identity.instance_id,
    }
