"""Audit events as sentences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from leadflood.domains.identity.contracts import AuditEventView
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.leads.queries.changesets import changeset_of
from leadflood.kernel.pages import AuditGroup
from leadflood.web.formats import plural
from leadflood.web.templating import brief

SENTENCES: Final = {
    "session.started": "signed in",
    "session.ended": "ended a session",
    "session.others_ended": "signed out all other sessions ({endedSessions})",
    "password.changed": "changed their password",
    "password.set": "set a new password for {subject}",
    "workspace.created": "created the workspace “{name}”",
    "workspace.renamed": "renamed the workspace from “{from}” to “{to}”",
    "workspace.set_up": "set up the workspace “{name}”",
    "member.added": "joined as {role}",
    "member.role_changed": "changed the role of {subject} from {from} to {to}",
    "audit.purged": "deleted {count} audit events older than {olderThanDays} days",
    "member.removed": "removed {subject} ({role})",
    "api_key.created": "created the API key “{name}”",
    "api_key.revoked": "revoked the API key {subject}",
    "user.created": "created the account {email}",
    "user.renamed": "changed their name from “{from}” to “{to}”",
    "user.email_change_requested": "requested an email change to {to}",
    "user.email_change_resent": "resent the confirmation email to {to}",
    "user.email_change_cancelled": "canceled the email change to {to}",
    "user.email_changed": "changed their email from {from} to {to}",
    "user.disabled": "deactivated {subject}",
    "user.enabled": "reactivated {subject}",
    "user.operator_granted": "made {subject} an instance operator",
    "user.operator_revoked": "revoked {subject}'s rights as an instance operator",
    "hold.opened": "turned off the hold on outgoing email",
    "hold.closed": "turned on the hold on outgoing email: {reason}",
    "secret_key.rotated": "rotated the secret key",
    "user.unlocked": "unlocked {subject}",
    "invitation.sent": "invited {email} as {role}",
    "invitation.resent": "resent the invitation to {email}",
    "invitation.revoked": "revoked the invitation to {email}",
    "invitation.accepted": "accepted an invitation",
    "leads.exported": "exported {leads} as {format}",
    "export.requested": "requested an export as {format}",
    "export.downloaded": "downloaded an export ({leads})",
    "export.deleted": "deleted an export",
    "leads.updated": "updated {leads}",
    "leads.deleted": "deleted {leads}",
    "leads.restored": "restored {leads}",
    "leads.enrichment_requested": "requested enrichment of {leads}",
    "leads.merged": "merged {leads}",
    "person.exported": "exported the data of a person",
    "person.erased": "erased a person: {leads}",
    "leads.unmerged": "undid a merge of {leads}",
    "changeset.finished": "finished “{label}” ({leads})",
    "changeset.undone": "undid “{label}” ({leads})",
    "changeset.undo_finished": "finished undoing “{label}” ({leads})",
    "field.created": "created the field “{key}”",
    "field.updated": "updated the field “{key}”",
    "field.deleted": "deleted the field “{key}”",
    "view.created": "saved the view “{name}”",
    "view.updated": "updated the view “{name}”",
    "view.deleted": "deleted the view “{name}”",
    "view.restored": "restored the view “{name}”",
    "view.made_default": "made the view “{name}” their default",
    "view.default_cleared": "stopped using a default view",
    "duplicate.dismissed": "dismissed a possible duplicate",
    "duplicate.reopened": "reopened a possible duplicate",
    "duplicates.scan_requested": "started a duplicate scan",
    "duplicates.merge_requested": "merged all certain duplicates",
    "duplicates.unmerge_requested": "undid the merge of all certain duplicates",
    "import.uploaded": "uploaded {name}",
    "import.format_changed": "changed the file format of {name}",
    "import.mapped": "mapped the columns of {name}",
    "import.previewed": "previewed {name}",
    "import.committed": "imported {name} ({leads})",
    "import.finished": "finished importing {name} ({leads})",
    "import.paused": "paused importing {name} after {leads}",
    "import.cancelled": "canceled importing {name} after {leads}",
    "import.undone": "undid the import of {name} ({leads})",
    "import.deleted": "deleted the import record of {name}",
    "job.retried": "retried a job",
    "job.cancelled": "canceled a job",
    "jobs.cancelled": "canceled {count} sending jobs",
    "jobs.retried": "retried failed jobs",
    "jobs.retry_finished": "finished retrying failed jobs ({count})",
    "outbox_event.replayed": "retried an undelivered event",
    "outbox_events.replayed": "retried undelivered events",
    "outbox_events.replay_finished": "finished retrying undelivered events ({count})",
}
"""Sentence of each action; `{…}` comes from the event's data, `{subject}` is the name of its subject."""

_BY_OTHERS: Final = {"member.added": "added {subject} as {role}"}
_ENDINGS: Final = {
    "logout": "signed out",
    "replaced": "signed in again in the same browser",
    "switched": "switched workspace",
    "too_many": "ended the oldest session (session limit reached)",
    "token_reuse": "ended a session after suspected token theft",
}
_PLACES: Final = {
    "changeset": "/changes/{id}",
    "import": "/imports/{id}",
    "job": "/jobs/{id}",
    "lead": "/leads/{id}",
    "member": "/settings/members#member-{id}",
    "api_key": "/settings/api-keys#key-{id}",
    "invitation": "/settings/members#invitation-{id}",
    "workspace": "/settings/workspace",
    "field": "/settings/fields#field-{id}",
}
GLYPHS: Final = {
    "audit": "clock",
    "hold": "send",
    "secret_key": "key-round",
    "session": "monitor",
    "password": "lock",
    "workspace": "settings",
    "member": "users",
    "api_key": "key-round",
    "user": "user",
    "invitation": "mail",
    "leads": "users",
    "changeset": "rotate-cw",
    "view": "filter",
    "field": "columns-3",
    "duplicate": "users",
    "duplicates": "users",
    "export": "download",
    "import": "upload",
    "person": "user",
    "job": "activity",
    "jobs": "activity",
    "outbox_event": "send",
    "outbox_events": "send",
}

GROUPS: Final = {
    "session.": "Signing in and out",
    "password.": "Passwords",
    "audit.": "Audit log",
    "hold.": "Outgoing email",
    "secret_key.": "Secret key",
    "user.": "Accounts",
    "member.": "Members",
    "invitation.": "Invitations",
    "api_key.": "API keys",
    "workspace.": "Workspace",
    "leads.": "Leads",
    "changeset.": "Bulk changes and undo",
    "duplicate": "Duplicates",
    "view.": "Saved views",
    "field.": "Custom fields",
    "leads.exported": "Lead downloads",
    "export.": "Exports",
    "import.": "Imports",
    "person.": "Personal data",
    "job": "Jobs",
    "outbox": "Event delivery",
}
"""Groups of actions by prefix, with their labels."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event as a page shows it.

    Attributes:
        path: of what it was done to.
        undo: where to post what undoes it, as long as it can be undone.
        raw: the event as it is stored.
    """

    id: UUID
    at: datetime
    who: str
    text: str
    glyph: str
    path: str | None
    undo: str | None
    raw: dict[str, Any]


class _Placeholders(dict[str, str]):
    """Values for the placeholders of a sentence; an event of an older release may lack some."""

    def __missing__(self, _name: str) -> str:
        return "…"


@dataclass(frozen=True)
class AuditWords:
    """Sentences, groups and icons of actions: those here, and those that domains declare."""

    declared: Sequence[AuditGroup] = ()

    @cached_property
    def groups(self) -> dict[str, str]:
        """Labels of groups by the prefix of their actions."""
        return {**GROUPS, **{group.prefix: group.label for group in self.declared}}

    @cached_property
    def sentences(self) -> dict[str, str]:
        """Sentences by action."""
        return {**SENTENCES, **{action: text for group in self.declared for action, text in group.sentences.items()}}

    def glyph(self, action: str) -> str:
        """The icon of an action."""
        group = self._group(action)
        return group.icon if group else GLYPHS.get(action.partition(".")[0], "circle")

    def place(self, event: AuditEventView) -> str | None:
        """The page of what an event is about."""
        group = self._group(event.action)
        place = _PLACES.get(event.subject_type) or (group.path if group else "")
        return place.replace("{id}", str(event.subject_id)) if place and event.subject_id else None

    def _group(self, action: str) -> AuditGroup | None:
        return next((group for group in self.declared if action in group.sentences), None)


def audit_rows(
    events: Sequence[AuditEventView],
    names: Mapping[UUID, str],
    undoable: Collection[UUID] = (),
    *,
    words: AuditWords,
) -> list[AuditRow]:
    """The events as sentences, in order.

    Args: names: of members and keys, as far as they still exist. undoable: changesets that can be undone.
    """
    gone = {event.subject_id for event in events if _deletes(event)}
    return [_audit_row(event, names, undoable, words, gone=event.subject_id in gone) for event in events]


def mentioned_actors(events: Sequence[AuditEventView]) -> set[UUID]:
    """The IDs whose names `audit_rows` needs."""
    return {item for event in events for item in (event.actor.id, event.subject_id) if item is not None}


def _undo(event: AuditEventView, undoable: Collection[UUID]) -> str | None:
    changeset_id = changeset_of(event.data)
    if changeset_id not in undoable:
        return None
    merge_id = event.data.get("mergeId")
    return f"/duplicates/merges/{merge_id}/undos" if merge_id else f"/changesets/{changeset_id}/undos"


def _deletes(event: AuditEventView) -> bool:
    """Whether the subject has no page any more; a deleted lead has one, to restore it."""
    return event.action.endswith(".deleted") and event.action != "leads.deleted"


def _audit_row(
    event: AuditEventView,
    names: Mapping[UUID, str],
    undoable: Collection[UUID],
    words: AuditWords,
    *,
    gone: bool,
) -> AuditRow:
    return AuditRow(
        id=event.id,
        at=event.at,
        who=actor_label(event.actor.kind, event.actor.id, names),
        text=_sentence(event, names, words.sentences),
        glyph=words.glyph(event.action),
        path=None if gone else words.place(event),
        undo=_undo(event, undoable),
        raw={
            "action": event.action,
            "at": event.at.isoformat(),
            "actor": {"kind": event.actor.kind, "id": str(event.actor.id) if event.actor.id else None},
            "subject": {"type": event.subject_type, "id": str(event.subject_id) if event.subject_id else None},
            "data": event.data,
            "requestId": event.request_id,
        },
    )


def _sentence(event: AuditEventView, names: Mapping[UUID, str], sentences: Mapping[str, str]) -> str:
    words = _Placeholders({name: _display(value) for name, value in event.data.items()}, subject=_subject(event, names))
    if isinstance(event.data.get("count"), int):
        words["leads"] = plural(int(words["count"]), "lead")
    own = event.subject_id == event.actor.id
    if event.action == "session.ended" and (ending := _ENDINGS.get(words.get("reason", ""))):
        return ending
    if event.action == "member.removed" and own:
        return "left the workspace"
    template = sentences.get(event.action)
    if event.action in _BY_OTHERS and not own:
        template = _BY_OTHERS[event.action]
    if template is None:
        return event.action.replace(".", " ").replace("_", " ")
    return template.format_map(words)


def _subject(event: AuditEventView, names: Mapping[UUID, str]) -> str:
    known = names.get(event.subject_id) if event.subject_id else None
    if event.subject_type == "api_key":
        return f"“{known}”" if known else "(deleted)"
    return known or "a former member"


def _display(value: object) -> str:
    return brief(", ".join(map(str, value)) if isinstance(value, list) else str(value))
