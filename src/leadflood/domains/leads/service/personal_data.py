"""The rights of access, portability and erasure (GDPR, articles 15, 17 and 20), across all domains."""

from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import store
from leadflood.domains.leads.contracts.personal_data import ErasureView, PersonalDataView, PlaceView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LEAD, LEAD_ERASED, LeadAuditAction, LeadErasedData
from leadflood.domains.leads.permissions import PERSONAL_DATA
from leadflood.domains.leads.queries.personal_data import data_subject, same_leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import Event
from leadflood.kernel.subjects import DataSubject, Participants

Who = UUID | EmailAddress
"""The person of a lead, deleted or not, or of an email."""


async def export_personal_data(
    tx: Transaction, actor: Actor, participants: Participants, *, who: Who
) -> PersonalDataView:
    """All data that the workspace has about a person. Raises: LeadNotFound: there is no lead with this ID."""
    actor.require(PERSONAL_DATA)
    person = await _find(tx, actor, participants, who)
    places = await participants.export(tx, actor, person)
    exported = PersonalDataView(lead_ids=sorted(person.ids), places=places)
    await _record(tx, actor, LeadAuditAction.PERSONAL_DATA_EXPORTED, person, {"rows": exported.rows})
    return exported


async def erase_person(
    tx: Transaction, actor: Actor, participants: Participants, *, who: Who, dry_run: bool
) -> ErasureView:
    """Erase a person everywhere in the workspace, or list what that would erase. Atomic.

    The leads are removed with all that hangs on them, deleted and merged ones of the same person included. What has
    data of others, too, such as an import or the audit log, loses what names the person.

    Raises: LeadNotFound: no lead has this id. ImportsBusy, Unavailable.
    """
    actor.require(PERSONAL_DATA)
    person = await _find(tx, actor, participants, who)
    if dry_run:
        return _view(person, await participants.count(tx, actor, person), dry_run=True)
    await participants.admit(tx, actor, person)
    await participants.lock(tx, actor, sorted(person.ids))
    await store.lock_for_erasure(tx, actor.workspace_id, person.ids)
    if await _find(tx, actor, participants, who) != person:
        raise Unavailable("The lead was just updated. Try again.")
    counts = await participants.erase(tx, actor, person)
    await publish(tx, LEAD_ERASED, [Event(lead_id, LeadErasedData(), actor) for lead_id in sorted(person.ids)])
    await _record(tx, actor, LeadAuditAction.ERASED, person, {"rows": sum(counts.values())})
    return _view(person, counts, dry_run=False)


async def _find(tx: Transaction, actor: Actor, participants: Participants, who: Who) -> DataSubject:
    if isinstance(who, UUID):
        found, address = await same_leads(tx, actor, lead_ids=[who]), None
        if not found:
            raise LeadNotFound
    else:
        found, address = await same_leads(tx, actor, addresses=[who.norm]), who
    lead_ids = await participants.related(tx, actor, found)
    return await data_subject(tx, actor, lead_ids=lead_ids, address=address)


async def _record(
    tx: Transaction, actor: Actor, action: LeadAuditAction, person: DataSubject, data: dict[str, JsonValue]
) -> None:
    """Record an audit entry that does not name the person."""
    lead_ids = sorted(person.ids)
    data |= {"count": len(lead_ids), "leadIds": [str(lead_id) for lead_id in lead_ids]}
    await audit.record(
        tx, actor, action=action, subject_type=LEAD, subject_id=lead_ids[0] if lead_ids else None, data=data
    )


def _view(person: DataSubject, counts: dict[str, int], *, dry_run: bool) -> ErasureView:
    return ErasureView(
        dry_run=dry_run,
        lead_ids=sorted(person.ids),
        places=[PlaceView(name=name, rows=rows) for name, rows in counts.items() if rows],
        erased_at=None if dry_run else utc_now(),
    )
