"""Every page that there is, with an address where it can be looked at: a new page needs nothing, or one line here."""

from collections.abc import Callable, Mapping, Sequence

from leadflood.bootstrap import page_modules
from leadflood.web.pipeline import PageRoute, Public
from tests.support import cast
from tests.support.showcase import Showcase

NOT_PAGES: Mapping[str, str] = {
    "/companies/export": "a file",
    "/spending/transfers": "a file",
    "/exports/{id}/file": "a file",
    "/imports/{id}/previews": "the way back to the import",
    "/imports/{id}/rejected-rows": "a file",
    "/sign-in/device/{code}": "the way to the form",
    "/leads/view-counts": "counts of the sidebar, for htmx",
    "/palette": "the list in the command palette, for htmx",
}
"""Paths that answer with something else than a page, and with what."""

IMPORTS: Sequence[tuple[str, str]] = (
    ("uploaded", ""),
    ("wide", ""),
    ("staging", ""),
    ("previewed", ""),
    ("previewed", "?action=update"),
    ("previewed", "?step=mapping"),
    ("unchanged", ""),
    ("committing", ""),
    ("paused", ""),
    ("committed", ""),
    ("undone", ""),
    ("cancelled", ""),
    ("failed", ""),
)
"""An import in each state, by its name in the showcase, and what of it to look at."""

EXAMPLES: Mapping[str, Callable[[Showcase], list[str]]] = {
    "/changes/{id}": lambda it: [f"/changes/{it.ids[name]}" for name in ("change", "deletion")],
    "/companies": lambda it: ["/companies", "/companies?q=acme&sort=-createdAt", "/companies?q=nothing-at-all"],
    "/companies/{id}/corrections/new": lambda it: [f"/companies/{it.ids['company']}/corrections/new?field=country"],
    "/leads/{id}/corrections/new": lambda it: [f"/leads/{it.leads[cast.FOUND]}/corrections/new"],
    "/companies/{id}": lambda it: [f"/companies/{it.ids['company']}"],
    "/docs": lambda _it: ["/docs", "/docs?q=nothing-at-all"],
    "/docs/{group}": lambda _it: ["/docs/leads"],
    "/duplicates/{id}": lambda it: [f"/duplicates/{it.ids['duplicate']}"],
    "/email-changes/{token}": lambda it: [it.links["email_change"], "/email-changes/x"],
    "/first-run/{code}": lambda it: [it.links["first_run"], "/first-run/x"],
    "/help/{page}": lambda _it: ["/help/organize-leads", "/help/settings"],
    "/enrichments/{id}": lambda it: [f"/enrichments/{it.ids[name]}" for name in ("enrichment", "enrichment-paused")],
    "/icps/new": lambda _it: ["/icps/new?template=agencies"],
    "/icps/{id}": lambda it: [f"/icps/{it.ids['icp']}"],
    "/icps/{id}/backtests": lambda it: [f"/icps/{it.ids['icp']}/backtests"],
    "/icps/{id}/draft": lambda it: [f"/icps/{it.ids['icp']}/draft"],
    "/icps/{id}/preview": lambda it: [f"/icps/{it.ids['icp']}/preview"],
    "/rules/{id}": lambda it: [f"/rules/{it.ids['rule']}"],
    "/rules/{id}/edit": lambda it: [f"/rules/{it.ids['rule']}/edit"],
    "/imports/{id}": lambda it: [
        f"/imports/{import_id}{query}" for name, query in IMPORTS for import_id in [it.imports[name]]
    ],
    "/invitations/{token}": lambda it: [it.links["invitation"], "/invitations/x"],
    "/jobs": lambda it: ["/jobs", "/jobs?status=failed", "/jobs?status=running"],
    "/jobs/{id}": lambda it: [f"/jobs/{it.jobs[email]}" for email in (cast.FOUND, cast.NOT_FOUND)],
    "/leads": lambda it: [
        "/leads",
        f"/leads?status=failed&peek={it.leads[cast.NOT_FOUND]}",
        "/leads?q=nobody-at-all",
        "/leads?column=name&column=tags&column=lists",
        f"/leads?layout=board&column=name&column=owner&column=jobTitle&peek={it.leads[cast.NOT_FOUND]}",
        "/leads?layout=board",
    ],
    "/leads/deleted": lambda it: [
        "/leads/deleted",
        f"/leads/deleted?change={it.ids['deletion']}",
        "/leads/deleted?q=nobody-at-all",
    ],
    "/leads/deleted/{id}": lambda it: [f"/leads/deleted/{it.ids[name]}" for name in ("deleted", "merged")],
    "/settings/enrichment/{subject}/{field}": lambda _it: [
        "/settings/enrichment/company/country",
        "/settings/enrichment/lead/first_name?mode=fill&at=95&below=on",
    ],
    "/settings/sources/{name}/retractions/new": lambda _it: [
        "/settings/sources/email_insight/retractions/new",
        "/settings/sources/email_insight/retractions/new?since=2026-01-01T00:00&until=2099-01-01T00:00",
    ],
    "/settings/sources/{name}": lambda _it: [
        "/settings/sources/email_insight",
        "/settings/sources/hunter_email_verifier",
        "/settings/sources/language_model",
    ],
    "/spending/purchases/{id}": lambda it: [f"/spending/purchases/{it.ids['purchase']}"],
    "/leads/{id}": lambda it: [
        f"/leads/{it.leads[cast.FOUND]}",
        f"/leads/{it.leads[cast.NOT_FOUND]}?edit=company",
        f"/leads/{it.leads[cast.FOUND]}?edit=all",
    ],
    "/leads/{id}/moves": lambda it: [f"/leads/{it.leads[cast.FOUND]}/moves?layout=board"],
    "/leads/{id}/history": lambda it: [
        f"/leads/{it.leads[cast.FOUND]}/history",
        f"/leads/{it.leads[cast.FOUND]}/history?field=company",
    ],
    "/lists/{id}": lambda it: [f"/lists/{it.ids['list']}"],
    "/mail/{id}": lambda it: [it.links["mail"], f"/mail/{it.workspace_id}"],
    "/notes/{id}": lambda it: [f"/notes/{it.ids['note']}"],
    "/outbox": lambda it: ["/outbox", "/outbox?status=dead_letter"],
    "/settings/members/{id}/removals": lambda it: [f"/settings/members/{it.viewer.id}/removals"],
    "/settings/fields/{id}": lambda it: [f"/settings/fields/{it.ids['field']}"],
    "/settings/stages/{id}": lambda it: [f"/settings/stages/{it.ids['stage']}"],
    "/settings/tags/{id}": lambda it: [f"/settings/tags/{it.ids['tag']}"],
    "/tasks": lambda it: ["/tasks", "/tasks?who=everyone", "/tasks?state=done&who=everyone"],
    "/tasks/{id}": lambda it: [f"/tasks/{it.ids['task']}"],
    "/settings/audit": lambda it: [
        "/settings/audit",
        "/settings/audit?kind=api_key.",
        "/settings/audit?until=2020-01-01",
    ],
}
"""For paths with parameters, and for pages that look different with others: where to look."""

ALSO = ("/there-is-nothing-here",)
"""Paths without a rule."""


def pages() -> list[PageRoute]:
    """The rules of all pages."""
    rules = [
        rule
        for page_module in page_modules()
        for rule in page_module.rules
        if rule.method == "GET" and rule.path not in NOT_PAGES
    ]
    return sorted(rules, key=lambda rule: rule.path)


def paths() -> list[str]:
    """The paths of all pages, as their rules have them, and of what is no page."""
    return [*(rule.path for rule in pages()), *ALSO]


def is_public(path: str) -> bool:
    """Whether strangers see the page at a path of `paths`, and somebody who is signed in does not."""
    return any(isinstance(rule.access, Public) for rule in pages() if rule.path == path)


def addresses(path: str, showcase: Showcase) -> list[str]:
    """Example paths of a rule."""
    if path in EXAMPLES:
        return EXAMPLES[path](showcase)
    assert "{" not in path, f"Add an example of {path} to EXAMPLES in tests/support/addresses.py."
    return [path]
