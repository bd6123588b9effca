"""Changes of many leads, in words."""

from dataclasses import dataclass

from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView, KeptReason
from leadflood.domains.leads.models import ChangesetKind, ChangesetStatus
from leadflood.web.templating import plural

KINDS = {ChangesetKind.BULK: "Bulk change", ChangesetKind.IMPORT: "Import", ChangesetKind.MERGE: "Merge"}

_REASONS = {
    KeptReason.ADDRESS_TAKEN: "Another lead has this address now",
    KeptReason.MERGED: "Another lead was merged into it",
    KeptReason.MERGED_INTO: "Merged into another lead; it is deleted when that merge is undone",
}
_BULK = {"Delete": "Deleted leads", "Restore": "Restored leads", "Enrich": "Requested enrichment"}


@dataclass(frozen=True, slots=True)
class ChangesetProgress:
    """How far a change or its undo is."""

    label: str
    done: int
    total: int


def skip_reason(lead: KeptLeadView) -> str:
    """Why an undo left a lead, or some of its fields, as they are."""
    if lead.reason is not KeptReason.EDITED:
        return _REASONS[lead.reason]
    names = [name.removeprefix("custom_fields.").replace("_", " ") for name in lead.fields]
    return "Edited since: " + ", ".join(names)


def name_of(change: ChangesetView) -> str:
    """What was done, as the title of a change."""
    if change.kind is ChangesetKind.BULK:
        return _BULK.get(change.label, change.label.replace("owner id", "owner"))
    return change.label


def counts(change: ChangesetView) -> str:
    """How many leads were created, updated, deleted and restored, in one line."""
    told = [(change.created, "created"), (change.updated, "updated")]
    told += [(change.deleted, "deleted"), (change.restored, "restored")]
    words = " · ".join(plural(count, word, word) for count, word in told if count)
    return words or (plural(change.done, "lead") if change.done else "Nothing changed")


def progress(change: ChangesetView) -> ChangesetProgress | None:
    """How far it is; None where nothing is under way."""
    if change.status is ChangesetStatus.OPEN:
        return ChangesetProgress("Writing", change.done, max(change.wanted, 1))
    if change.status is ChangesetStatus.UNDOING:
        return ChangesetProgress("Undoing", change.undone, max(change.changed, 1))
    return None
