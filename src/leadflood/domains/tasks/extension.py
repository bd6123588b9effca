"""Extension of leads by tasks: a panel and filters; and the panel of the home page."""

from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from leadflood.domains.identity import queries as identity
from leadflood.domains.tasks import queries
from leadflood.domains.tasks.models import MAX_TITLE, due_by_tonight
from leadflood.domains.tasks.permissions import TASKS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, HomePanel, Panel
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

SHOWN: Final = 20
"""Tasks in the panel of a lead."""
SHOWN_AT_HOME: Final = 6
"""Tasks on the home page."""
MAX_MEMBERS: Final = 200
"""Members to choose an assignee from."""
_DUE_AT: Final = Column("due_at", sql("related.due_at"))
FILTERS: Final = (
    FilterField(
        "overdueTask",
        "Overdue task",
        Kind.TIME,
        _DUE_AT,
        Relation(
            "overdue_lead_tasks",
            sql("""
EXISTS (SELECT FROM overdue_lead_tasks related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
    ),
    FilterField(
        "openTask",
        "Open task due",
        Kind.TIME,
        _DUE_AT,
        Relation(
            "open_lead_tasks",
            sql("""
EXISTS (SELECT FROM open_lead_tasks related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
    ),
)


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    found = await queries.tasks_of(tx, actor, lead_id=lead_id, limit=SHOWN)
    members = await identity.list_members(tx, actor, limit=MAX_MEMBERS)
    return {
        "tasks": found.items,
        "more": found.after is not None,
        "members": {str(member.id): member.name for member in members.items},
        "me": str(actor.user_id or ""),
        "most": MAX_TITLE,
    }


async def _load_home(tx: Transaction, actor: Actor, zone: ZoneInfo) -> dict[str, Any]:
    wanted = queries.Wanted(due_by_tonight(utc_now(), zone), actor.user_id)
    found = await queries.list_tasks(tx, actor, wanted=wanted, limit=SHOWN_AT_HOME)
    return {"tasks": found.items}


HOME: Final = HomePanel(
    name="tasks",
    title="My tasks",
    template="tasks/_home.html",
    load=_load_home,
    permission=TASKS_READ,
    link=("All tasks", "/tasks"),
    personal=True,
)
EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="tasks",
            title="Tasks",
            template="tasks/_panel.html",
            load=_load_panel,
            permission=TASKS_READ,
            order=40,
        ),
    ),
)
