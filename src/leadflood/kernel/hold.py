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
"""What a job says that waits for the hold to be opened."""

# Whether the system identifier can be read.
_READABLE = sql("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
# The system identifier of the server.
_SYSTEM = sql("SELECT system_identifier::text FROM pg_control_system()")
# The hold as it is recorded, and the database as it is.
_STATE = sql("""
SELECT d.oid::bigint AS current_oid, h.system_identifier, h.database_oid, h.instance_id, h.closed_at, h.reason
FROM pg_database d LEFT JOIN effects_hold h ON true
WHERE d.datname = current_database()
""")
ON_HOLD = sql("(SELECT closed_at IS NOT NULL FROM effects_hold)")
"""A part of a statement: whether effects are on hold, as far as it is recorded."""

# Record what the original is, where nothing is recorded yet.
_RECORD = sql("""
INSERT INTO effects_hold (id, system_identifier, database_oid, instance_id)
VALUES (1, :system_identifier, :database_oid, :instance_id)
ON CONFLICT (id) DO NOTHING
""")
# Close an open hold.
_CLOSE = sql("UPDATE effects_hold SET closed_at = now(), reason = :reason WHERE closed_at IS NULL")
# Close an open hold because this is a copy, unless another process has recorded something else meanwhile.
_MISMATCH = sql("""
UPDATE effects_hold SET closed_at = now(), reason = :reason
WHERE closed_at IS NULL AND system_identifier IS NOT DISTINCT FROM :system_identifier
  AND database_oid = :database_oid AND instance_id = :instance_id
""")
# Open a closed hold, and record what the original is.
_OPEN = sql("""
UPDATE effects_hold
SET system_identifier = :system_identifier, database_oid = :database_oid, instance_id = :instance_id,
    recorded_at = now(), closed_at = NULL, reason = ''
WHERE closed_at IS NOT NULL
""")

_log = structlog.get_logger()


class EffectsOnHold(Exception):
    """Nothing may leave for now. The work is neither done nor failed: it waits until an operator opens the hold."""


class Gate(Protocol):
    """What a sender asks."""

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
    """Whether outgoing effects are on hold, since when and why; and who the database says it is, and is."""

    closed_at: datetime | None
    reason: str
    recorded: DatabaseIdentity | None
    current: DatabaseIdentity

    @property
    def closed(self) -> bool:
        """Whether nothing may leave."""
        return self.closed_at is not None

    @property
    def differences(self) -> tuple[str, ...]:
        """In what this process or its database differs from what is recorded."""
        return () if self.recorded is None else differences(self.recorded, self.current)


class Hold:
    """The hold of one database, as one process sees it."""

    def __init__(self, database: Database, instance_id: Callable[[], str]) -> None:
        """`instance_id`: what the installation is called outside the database; asked when it is first needed."""
        self._database = database
        self._instance_id = instance_id

    async def require_open(self) -> None:
        """Return if outgoing effects may leave now, as the database says in this moment.

        Raises: EffectsOnHold, leadflood.kernel.errors.Unavailable.
        """
        if (await self.check()).closed:
            raise EffectsOnHold

    async def check(self) -> HoldState:
        """Record who we are where nothing is recorded yet, and close the hold where it is something else."""
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
        """How the hold is. Changes nothing. Needs a system transaction."""
        system = await tx.scalar(_SYSTEM) if await tx.scalar(_READABLE) else None
        (row,) = await tx.all(_STATE)
        return HoldState(
            closed_at=row.closed_at,
            reason=row.reason or "",
            recorded=None if row.instance_id is None else _recorded(row),
            current=DatabaseIdentity(system, row.current_oid, self._instance_id()),
        )

    async def close(self, tx: Transaction, *, reason: str) -> bool:
        """Close the hold; False where it is closed. Needs a system transaction."""
        state = await self.state(tx)
        await tx.execute(_RECORD, _values(state.current))
        return await tx.changed(_CLOSE, {"reason": reason}) == 1

    async def open(self, tx: Transaction) -> bool:
        """Open the hold, and record who we are from now on; False where it is open. Needs a system transaction."""
        return await tx.changed(_OPEN, _values((await self.state(tx)).current)) == 1


def differences(recorded: DatabaseIdentity, current: DatabaseIdentity) -> tuple[str, ...]:
    """What differs, in words. A system identifier that only one of them knows is no difference."""
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
