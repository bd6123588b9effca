"""Audit entries of a workspace, in a form that can be compared."""

import json
import re
from uuid import UUID

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{9,}")
Row = tuple[str, str, str]


async def events_of(database: Database, workspace_id: UUID) -> list[AuditEventView]:
    """All events, oldest first."""
    async with database.transaction(workspace_id, read_only=True) as tx:
        page = await queries.list_audit_events(tx, Actor.cli(workspace_id), limit=200)
    return list(reversed(page.items))


def row(event: AuditEventView) -> Row:
    """Action, subject and data of an event; an id is `*`, for those differ, and who did it is left out."""
    data = {name: value for name, value in sorted(event.data.items()) if name != "osUser"}
    subject = f"{event.subject_type} {'*' if event.subject_id else '-'}"
    return event.action, subject, _ID.sub("*", json.dumps(data))
