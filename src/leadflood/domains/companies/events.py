"""Domain events, timeline entries and jobs of companies."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.companies.models import CompanySource
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority

COMPANY: Final = "company"


class CompanyEventKind(StrEnum):
    """Kinds of entries in a company's timeline. The values are stored: they never change their meaning."""

    CREATED = "company.created"


class CompanyCreatedData(EventData):
    """Origin of the company."""

    source: CompanySource


class LinkLeadsPayload(Payload):
    """The leads to link, up to 500."""

    lead_ids: list[UUID]


COMPANY_CREATED = EventType("company.created.v1", COMPANY, CompanyCreatedData, "A company was created.")
EVENTS = (COMPANY_CREATED,)

LINK_LEADS = JobKind("companies.link.v1", LinkLeadsPayload, max_attempts=10, priority=Priority.BULK)
"""Links some leads to their companies."""

LINK_WORKSPACE = JobKind("companies.link_workspace.v1", NoPayload, max_attempts=10, priority=Priority.BULK, unique=True)
"""Links the leads of a workspace whose company is missing or outdated; resumes after an earlier attempt."""

LINK_WORKSPACES = JobKind("companies.link_workspaces.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Queues the job above for each workspace."""
