"""The vocabulary of the pages: fields, statuses, jobs and permissions as people call them.

Templates have it as `labels`.
"""

import re
from typing import Final

from leadflood.domains.enrichment.models.methods import METHODS, UNKNOWN_METHOD
from leadflood.domains.leads import labels as leads
from leadflood.kernel.actor import Permission, Role
from leadflood.kernel.colors import Color

LEAD_FIELDS: Final = leads.FIELDS

_FOUND: Final = {
    "company_name": "Company",
    "company_domain": "Company domain",
    "canonical_email": "Normalized email",
    "likely_typo_of": "Possible typo of",
    "is_free_mail": "Free email provider",
    "is_disposable": "Disposable email",
    "is_role_address": "Role-based email",
}
"""Labels of enriched fields that leads do not have themselves."""
_FORM_FIELDS: Final = {
    "customFields": "Custom fields",
    "amountMicros": "Amount",
    "appearance": "Theme",
    "budgetMicros": "Budget",
    "columns": "Columns",
    "currentPassword": "Current password",
    "days": "Expiration",
    "duplicates": "Duplicate rows",
    "encoding": "Encoding",
    "expiresAt": "Expiration",
    "file": "File",
    "format": "Format",
    "ids": "Leads",
    "locale": "Region",
    "mostPerHitMicros": "Limit per found answer",
    "name": "Name",
    "newPassword": "New password",
    "password": "Password",
    "priceMicros": "Price",
    "role": "Role",
    "scopes": "Scopes",
    "targets": "Columns",
    "timeZone": "Time zone",
    "workspace": "Workspace name",
}
_SOURCES: Final = {
    "abstract_company": "Abstract company enrichment",
    "abstract_email": "Abstract email reputation",
    "apollo_company": "Apollo, companies",
    "apollo_person": "Apollo, persons",
    "apollo_phone": "Apollo phone numbers",
    "companies_house": "Companies House",
    "company_place": "Place of the company",
    "dns": "DNS records",
    "email_check": "Email check",
    "email_insight": "Email address",
    "gleif": "GLEIF",
    "hunter_domain_search": "Hunter domain search",
    "hunter_email_finder": "Hunter email finder",
    "hunter_email_verifier": "Hunter email verifier",
    "job_title": "Job title",
    "language_model": "Language model",
    "manual": "A person",
    "pdl_company": "People Data Labs, companies",
    "pdl_person": "People Data Labs, persons",
    "phone_place": "Phone number",
    "sec_edgar": "SEC EDGAR",
    "simulated": "Simulated provider",
    "website": "Website",
    "wikidata": "Wikidata",
    "zerobounce": "ZeroBounce",
}
"""Labels of enrichment sources."""
_LEAD_SOURCES: Final = {"api": "API", "cli": "CLI", "demo": "Sample data", "linkedin": "LinkedIn", "csv": "CSV"}
"""Labels of sources of leads that are no words."""
_PLAIN_TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyz-_")
_BECAUSE: Final = {
    "pinned": "Confirmed by a person",
    "agreed": "Several sources agree",
    "surest": "Highest confidence",
    "only": "Only value",
}
"""Labels of the reasons why a value is chosen."""
MEANINGS: Final = {
    "status": "How far looking for data about this lead is: new, enriching, enriched or failed. Your own status of the"
    " lead is its stage.",
    "confidence": "How sure we are that it is right. Sources that agree make it surer, and age makes it less sure.",
    "score": "How likely it is that both leads are the same person, from 0 to 100. At 100, nothing contradicts it.",
}
"""Meanings of terms that the pages explain."""
_INDEX: Final = re.compile(r"\.\d+$")
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[_.]+")

STATUSES: Final = {
    "new": ("info", "circle-dashed", "New"),
    "processing": ("info", "loader-circle", "Processing"),
    "enriched": ("ok", "circle-check", "Enriched"),
    "failed": ("bad", "circle-x", "Failed"),
    "queued": ("neutral", "circle-dashed", "Queued"),
    "running": ("info", "loader-circle", "Running"),
    "completed": ("ok", "circle-check", "Completed"),
    "cancelled": ("neutral", "ban", "Canceled"),
    "canceled": ("neutral", "ban", "Canceled"),
    "partial": ("warn", "circle-dot", "Partial"),
    "skipped": ("neutral", "circle-dashed", "Skipped"),
    "pending": ("neutral", "circle-dashed", "Pending"),
    "sent": ("ok", "circle-check", "Sent"),
    "dead_letter": ("bad", "octagon-x", "Undelivered"),
    "retrying": ("warn", "rotate-cw", "Retrying"),
    "on_hold": ("warn", "circle-dot", "On hold"),
    "waiting": ("neutral", "clock", "Scheduled"),
    "awaiting": ("info", "clock", "Waiting"),
    "active": ("ok", "circle-check", "Active"),
    "invited": ("info", "mail", "Invited"),
    "expired": ("neutral", "clock", "Expired"),
    "revoked": ("neutral", "ban", "Revoked"),
    "alive": ("ok", "circle-dot", "Online"),
    "working": ("ok", "circle-check", "Working"),
    "failing": ("warn", "triangle-alert", "Failing"),
    "limited": ("info", "clock", "Limited"),
    "unavailable": ("bad", "circle-x", "Unavailable"),
    "blocked": ("bad", "ban", "Blocked"),
    "idle": ("neutral", "circle-dashed", "Not asked"),
    "off": ("neutral", "circle-dashed", "Off"),
    "gone": ("bad", "circle-x", "Offline"),
    "uploading": ("info", "loader-circle", "Uploading"),
    "uploaded": ("warn", "circle-dashed", "Ready to map"),
    "staging": ("info", "loader-circle", "Checking"),
    "previewed": ("warn", "eye", "Preview ready"),
    "committing": ("info", "loader-circle", "Importing"),
    "paused": ("warn", "circle-dot", "Paused"),
    "committed": ("ok", "circle-check", "Imported"),
    "undoing": ("info", "loader-circle", "Undoing"),
    "undone": ("neutral", "rotate-cw", "Undone"),
    "open": ("info", "loader-circle", "In progress"),
    "unfinished": ("warn", "circle-dot", "Unfinished"),
    "applied": ("ok", "circle-check", "Applied"),
}
"""Statuses of leads, jobs, events, imports, changes, keys and invitations: tone, icon and label."""

_JOBS: Final = {
    "leads.enrich": "Enrichment",
    "enrichment.lead": "Sources asked again",
    "enrichment.company": "Enrichment of a company",
    "enrichment.batch": "Enrichment of many",
    "enrichment.read_due_companies": "Refresh companies",
    "enrichment.refresh_company_leads": "Update leads of a company",
    "enrichment.join_companies": "Merge companies that redirect to each other",
    "enrichment.refresh_leads": "Update found values of leads",
    "enrichment.refresh_workspaces": "Update found values of all workspaces",
    "enrichment.retract": "Retract values of a source",
    "enrichment.reconcile": "Resolve calls in doubt",
    "enrichment.source_test": "Test a source",
    "enrichment.clear_runs": "Clean up enrichment",
    "leads.purge": "Delete expired leads",
    "leads.undo": "Undo a change",
    "leads.release": "Unassign leads",
    "leads.bulk": "Bulk change",
    "fields.convert": "Convert a custom field",
    "imports.stage": "Import preview",
    "imports.commit": "Import",
    "imports.enrich": "Enrich imported leads",
    "imports.unrelate": "Remove tags and lists of an undone import",
    "imports.purge_expired": "Delete expired imports",
    "exports.write": "Export",
    "exports.purge_expired": "Delete expired exports",
    "icps.check_drift": "Check profiles for drift",
    "rules.run": "Run rules",
    "rules.compare": "Compare tiers for rules",
    "rules.compare_all": "Compare tiers of all profiles for rules",
    "duplicates.scan": "Duplicate scan",
    "duplicates.merge": "Merge certain duplicates",
    "duplicates.unmerge": "Undo merges of duplicates",
    "duplicates.schedule": "Schedule duplicate scans",
    "invitations.send": "Invitation email",
    "invitations.purge_expired": "Delete expired invitations",
    "email_changes.send": "Email confirmation",
    "email_changes.purge_expired": "Delete expired email changes",
    "metrics.aggregate": "Update statistics",
    "metrics.rebuild": "Rebuild statistics",
    "jobs.retry_cause": "Retry failed jobs",
    "jobs.replay_cause": "Retry undelivered events",
    "icps.publish": "Publish a profile",
    "icps.backtest": "Test a profile",
    "icps.recompute": "Score all leads again",
    "icps.score": "Score changed leads",
    "icps.recompute_all": "Score leads again daily",
    "companies.link": "Link leads to companies",
    "companies.link_workspace": "Link all leads to companies",
    "companies.link_workspaces": "Link leads of all workspaces to companies",
    "companies.purge": "Delete expired companies",
    "lists.purge": "Delete expired lists",
    "tags.purge": "Delete expired tags",
    "notes.purge": "Delete expired notes",
    "tasks.purge": "Delete expired tasks",
    "events.deliver": "Deliver events",
    "system.heartbeat": "Heartbeat",
    "system.clean_up": "Clean up old records",
}
_VERSION: Final = re.compile(r"\.v\d+$")

ROLES: Final = {
    Role.OWNER: ("Owner", "Full access, including owners."),
    Role.ADMIN: ("Admin", "Full access except managing owners."),
    Role.MEMBER: ("Member", "Can edit leads."),
    Role.VIEWER: ("Viewer", "View only."),
}
"""Roles with their descriptions, from most to least permissions."""


_VERBS: Final = {"read": "view access to", "write": "edit access to"}
_TONES: Final = {
    Color.GRAY: "neutral",
    Color.RED: "bad",
    Color.ORANGE: "warn",
    Color.GREEN: "ok",
    Color.TEAL: "teal",
    Color.BLUE: "info",
    Color.PURPLE: "purple",
    Color.PINK: "pink",
}
COLORS: Final = [(color.value, color.value.capitalize()) for color in Color]
"""Colors with their labels, for forms."""


def tone(color: str) -> str:
    """The tone of a color, for the class `tone-<tone>`."""
    return _TONES[Color(color)]


def field(name: str) -> str:
    """Label of a field, given by its API, form or database name, or by its JSON pointer."""
    name = _INDEX.sub("", name.strip("/").replace("/", "."))
    head, _, key = name.partition(".")
    if head in (leads.CUSTOM, "custom_fields"):
        return key or _FORM_FIELDS[leads.CUSTOM]
    known = _FOUND.get(name) or LEAD_FIELDS.get(_camel(name)) or _FORM_FIELDS.get(_camel(name))
    return known or _WORDS.sub(" ", name).strip().capitalize()


def job(kind: str) -> str:
    """Label of a kind of job: `leads.enrich.v1` is "Enrichment"."""
    return _JOBS.get(_VERSION.sub("", kind)) or unknown_job(kind)


def unknown_job(kind: str) -> str:
    """Label of a kind of another release: its name."""
    return _VERSION.sub("", kind).replace(".", " ").replace("_", " ").capitalize()


def status(name: str) -> tuple[str, str, str]:
    """Tone, icon and label of a status."""
    return STATUSES.get(name) or ("neutral", "circle", name.replace("_", " ").capitalize())


def source(name: str, version: str = "") -> str:
    """Source of an enriched value: `email_insight` is "Email address v1"."""
    label = _SOURCES.get(name) or _WORDS.sub(" ", name).capitalize()
    return f"{label} v{version}" if version else label


def lead_source(token: str) -> str:
    """Label of the source of a lead: `trade-show` is "Trade show"."""
    known = _LEAD_SOURCES.get(token)
    if known or not set(token) <= _PLAIN_TOKEN:
        return known or token
    return token.replace("-", " ").replace("_", " ").capitalize()


def method(name: str) -> str:
    """Label of the method that found a value."""
    return METHODS.get(name, UNKNOWN_METHOD)


def because(reason: str) -> str:
    """Label of the reason why a value is chosen."""
    return _BECAUSE.get(reason) or _WORDS.sub(" ", reason).capitalize()


def encoding(name: str) -> str:
    """Label of a character encoding: `utf-8` is "UTF-8", `windows-1252` "Windows-1252"."""
    return name.upper().replace("WINDOWS", "Windows").replace("MAC-ROMAN", "Mac Roman")


def no_access(permission: Permission) -> str:
    """Message for a user without a permission."""
    if not permission.grantable:
        return "You don't have access. Sign in with your own account."
    verb = permission.partition(":")[2]
    wanted = _VERBS.get(verb, f"permission to {verb}")
    return f"You don't have access. Ask an admin for {wanted} {permission.area}."


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(item.capitalize() for item in others)
