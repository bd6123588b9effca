"""Verbs on outcomes: record, delete, import."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from pydantic import JsonValue, ValidationError

from leadflood.domains.icps.contracts.outcomes import (
    ImportedOutcomes,
    OutcomeEntry,
    OutcomeResult,
    OutcomeView,
    RecordOutcome,
)
from leadflood.domains.icps.errors import NoOutcomeColumns, OutcomeNotFound
from leadflood.domains.icps.events import OUTCOME, OutcomeAuditAction
from leadflood.domains.icps.models.outcomes import OutcomeSource
from leadflood.domains.icps.permissions import OUTCOMES_WRITE
from leadflood.domains.icps.queries.outcomes import same_outcome
from leadflood.domains.icps.store import outcomes as store
from leadflood.domains.icps.store.outcomes import NewOutcome
from leadflood.domains.identity.service import audit
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads import service as lead_service
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.delimited_lines import MissingColumns, named_cells
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue

_HEADERS: Final = {
    "email": frozenset({"email", "e-mail", "mail", "email address"}),
    "outcome": frozenset({"outcome", "result", "status"}),
    "at": frozenset({"at", "date", "closed", "closed at", "close date"}),
}
_SHOWN: Final = 200


async def record_outcome(
    tx: Transaction, actor: Actor, *, lead_id: UUID, command: RecordOutcome, source: OutcomeSource
) -> OutcomeView:
    """Record an outcome of a lead. One that is recorded already stays as it is.

    Raises: leadflood.domains.leads.errors.LeadNotFound.
    """
    actor.require(OUTCOMES_WRITE)
    if not await lead_service.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    new = NewOutcome(lead_id, command.outcome, command.at or utc_now())
    (made,) = await store.insert(tx, actor, outcomes=[new], source=source)
    if made is not None:
        await _record(tx, actor, OutcomeAuditAction.RECORDED, made, leadId=str(lead_id), outcome=new.outcome.value)
    return await same_outcome(tx, actor, lead_id=lead_id, outcome=new.outcome, at=new.at)


async def delete_outcome(tx: Transaction, actor: Actor, *, outcome_id: UUID) -> UUID:
    """Delete an outcome. Returns the ID of its lead. Raises: OutcomeNotFound."""
    actor.require(OUTCOMES_WRITE)
    row = await store.delete(tx, actor.workspace_id, outcome_id)
    if row is None:
        raise OutcomeNotFound
    lead_id: UUID = row.lead_id
    await _record(tx, actor, OutcomeAuditAction.DELETED, outcome_id, leadId=str(lead_id), outcome=row.outcome)
    return lead_id


async def import_outcomes(
    tx: Transaction, actor: Actor, *, entries: Sequence[object], source: OutcomeSource
) -> ImportedOutcomes:
    """Record outcomes of leads by email, up to 1,000, with a number of statements that does not depend on theirs.

    An invalid entry does not affect others, nor does one without a lead. Those recorded before stay as they are.
    """
    actor.require(OUTCOMES_WRITE)
    read = [_read(entry) for entry in entries]
    addresses = {item.email: _address(item.email) for item in read if isinstance(item, OutcomeEntry)}
    ids = await leads.ids_by_email(tx, actor, addresses=[each for each in addresses.values() if each])
    results = [item if isinstance(item, OutcomeResult) else None for item in read]
    wanted: dict[NewOutcome, int] = {}
    for place, item in enumerate(read):
        if isinstance(item, OutcomeResult):
            continue
        lead_id = ids.get(addresses[item.email] or "")
        if lead_id is None:
            results[place] = OutcomeResult(email=item.email[:_SHOWN], status="unmatched")
        else:
            wanted.setdefault(NewOutcome(lead_id, item.outcome, item.at), place)
    made = await store.insert(tx, actor, outcomes=list(wanted), source=source)
    new = {place for place, outcome_id in zip(wanted.values(), made, strict=True) if outcome_id is not None}
    if new:
        data: dict[str, JsonValue] = {"count": len(new)}
        await audit.record(tx, actor, action=OutcomeAuditAction.IMPORTED, subject_type=OUTCOME, data=data)
    found = [
        each or OutcomeResult(email=_email(entries[place]), status="recorded" if place in new else "unchanged")
        for place, each in enumerate(results)
    ]
    states = [each.status for each in found]
    return ImportedOutcomes(
        recorded=states.count("recorded"),
        unchanged=states.count("unchanged"),
        unmatched=states.count("unmatched"),
        invalid=states.count("invalid"),
        results=found,
    )


def entries_of(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The entries of a CSV file, as input of `import_outcomes`. The first row names the columns.

    Raises: NoOutcomeColumns: columns are missing.
    """
    try:
        for _, cells in named_cells(lines, _HEADERS):
            yield cells
    except MissingColumns as error:
        raise NoOutcomeColumns(error.names) from None


def _read(entry: object) -> OutcomeEntry | OutcomeResult:
    try:
        return OutcomeEntry.model_validate(entry)
    except ValidationError as error:
        faults = (f"{fault.pointer.removeprefix('/')}: {fault.message}" for fault in field_errors(error))
        return OutcomeResult(email=_email(entry), status="invalid", error=" ".join(faults))


def _email(entry: object) -> str | None:
    given = entry.get("email") if isinstance(entry, Mapping) else None
    return given[:_SHOWN] if isinstance(given, str) else None


def _address(email: str) -> str | None:
    """The normalized address; None if it is not valid, so that no lead has it."""
    try:
        return parse_email(email.strip()).norm
    except InvalidValue:
        return None


async def _record(
    tx: Transaction, actor: Actor, action: OutcomeAuditAction, outcome_id: UUID, **data: JsonValue
) -> None:
    await audit.record(tx, actor, action=action, subject_type=OUTCOME, subject_id=outcome_id, data={"count": 1, **data})
