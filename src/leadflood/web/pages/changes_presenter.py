"""Texts of changesets."""

import re
from dataclasses import dataclass

from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView, KeptReason
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import ChangesetKind, ChangesetStatus
from leadflood.web import labels
from leadflood.web.formats import number, plural

KINDS = {ChangesetKind.BULK: "Bulk change", ChangesetKind.IMPORT: "Import", ChangesetKind.MERGE: "Merge"}

_REASONS = {
    KeptReason.ADDRESS_TAKEN: "Another lead has this email now",
    KeptReason.MERGED: "Another lead was merged into it",
    KeptReason.MERGED_INTO: "Merged into another lead. It will be deleted when that merge is undone",
}
_MERGE = re.compile(r"^Merge of ")
"""The beginning of older labels."""
_RETRACTION = re.compile(r"Retract values of (\S+)")
_NOUNS = {LEAD: "lead", "decision": "value"}
_BULK = {"Delete": "Deleted leads", "Restore": "Restored leads", "Enrich": "Re-enriched leads"}


@dataclass(frozen=True, slots=True)
class ChangesetProgress:
    """Progress of a change or its undo."""

    label: str
    done: int
    total: int


def skip_reason(lead: KeptLeadView) -> str:
    """Reason why an undo kept a lead, or some of its fields."""
    if lead.reason is not KeptReason.EDITED:
        return _REASONS[lead.reason]
    return "Edited since: " + ", ".join(map(labels.field, lead.fields))


def kind_of(change: ChangesetView) -> str:
    """Label of the kind of a change."""
    return KINDS[change.kind] if change.subject == LEAD else change.subject.replace("_", " ").capitalize()


def subjects(change: ChangesetView, count: int) -> str:
    """A number of what a change is about: leads, or records of several kinds."""
    return plural(count, _NOUNS.get(change.subject, "record"))


def name_of(change: ChangesetView) -> str:
    """Title of a change."""
    if found := _RETRACTION.fullmatch(change.label):
        return f"Retracted values of the source {labels.source(found[1])}"
    if change.kind is ChangesetKind.BULK:
        return _BULK.get(change.label, change.label.replace("owner id", "owner"))
    return _MERGE.sub("Merged ", change.label) if change.kind is ChangesetKind.MERGE else change.label


def counts(change: ChangesetView) -> str:
    """Number of leads created, updated, deleted and restored, in one line."""
    counted_words = [(change.created, "created"), (change.updated, "updated")]
    counted_words += [(change.deleted, "deleted"), (change.restored, "restored")]
    words = " · ".join(f"{number(count)} {word}" for count, word in counted_words if count)
    return words or (subjects(change, change.processed) if change.processed else "No changes")


def progress(change: ChangesetView) -> ChangesetProgress | None:
    """Progress of the change; None if it is finished."""
    if change.status is ChangesetStatus.OPEN:
        return ChangesetProgress("Updating", change.processed, max(change.total, 1))
    if change.status is ChangesetStatus.UNDOING:
        return ChangesetProgress("Undoing", change.reverted, max(change.changed, 1))
    return None
