"""Pages of companies, and the forms of the panel on the lead page."""

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any, Final
from uuid import UUID

from starlette.responses import StreamingResponse

from leadflood.domains.companies import queries, service
from leadflood.domains.companies.contracts import (
    ChooseCompany,
    CompanyDomain,
    CompanyEntries,
    CompanyMergeView,
    MergeCompany,
    SplitCompany,
    UpdateCompany,
)
from leadflood.domains.companies.errors import CompanyNotFound
from leadflood.domains.companies.extensions import COMPANY_EXTENSIONS, FOUND_NAME
from leadflood.domains.companies.models import MAX_IMPORTED, CompanySort, company_domain
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.companies.queries.matching import count_companies
from leadflood.domains.companies.service import domains, files, lead_links, merges
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import MAX_SEARCH, LeadFilter, LeadSort
from leadflood.domains.leads.labels import name_of
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.downloads import attachment
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.kernel.text import InvalidValue
from leadflood.web.cookies import Toast
from leadflood.web.formats import number, plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response, shown_panels
from leadflood.web.pages.leads_filter import write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_PATH: Final = "/companies"
_ROWS: Final = 50
_MAX_SELECTED: Final = 5000
"""Companies that can be selected together."""
_LEADS: Final = 20
_EVENTS: Final = 20
_SHOWN: Final = 5
_SORTS: Final = {
    CompanySort.NAME: "Name",
    CompanySort.NAME_DESCENDING: "Name, descending",
    CompanySort.NEWEST: "Newest first",
    CompanySort.OLDEST: "Oldest first",
}
_LIVE: Final = ("company_status", "company_panels", "company_leads", "company_side_panels", "company_timeline")
_Verb = Callable[[Transaction], Awaitable[Any]]


@pages.get(_PATH, COMPANIES_READ, live=("companies_list",))
async def list_companies(ctx: PageContext) -> PageResult:
    """The companies of the workspace with the number of their leads. `q` searches, `sort` orders them."""
    q = ctx.query.get("q", "")[:MAX_SEARCH].strip()
    given = ctx.query.get("sort", "")
    sort = CompanySort(given) if given in set(CompanySort) else CompanySort.NAME
    scope = f"companies {sort} {q}"
    async with ctx.reading() as tx:
        page = await queries.list_companies(tx, ctx.actor, q=q, sort=sort, after=ctx.after(scope), limit=_ROWS)
        ids = [item.id for item in page.items]
        fields = [item for item in COMPANY_EXTENSIONS.fields.values() if item.cell and ctx.may(item.permission)]
        related = await COMPANY_EXTENSIONS.load(tx, ctx.actor, [FOUND_NAME, *(item.name for item in fields)], ids)
        count = await count_companies(tx, ctx.actor, q=q, max_count=_MAX_SELECTED)
    context = {
        "companies": page.items,
        "count": count,
        "fields": fields,
        "related": related,
        "found_names": related.get(FOUND_NAME, {}),
        "q": q,
        "sort": sort,
        "sorts": _SORTS,
        "next": ctx.cursor(page, scope),
        "paged": "after" in ctx.query,
        "filter_of": filter_of,
    }
    return PageResponse("companies/list.html", context)


@pages.get(f"{_PATH}/new", COMPANIES_WRITE)
async def show_new_company(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """The form for new companies."""
    return PageResponse("companies/new.html", {"form": Form()})


@pages.post(_PATH, COMPANIES_WRITE)
async def create_companies(ctx: PageContext) -> PageResult:
    """Create companies from a list of domains, one per line, or from the rows of a file."""
    entries = list(islice(files.entries_of(iter(ctx.form.value("companies").splitlines())), MAX_IMPORTED + 1))
    try:
        made = await _create(ctx, entries)
    except AppError as error:
        if error.is_fault:
            raise
        return PageResponse("companies/new.html", {"form": ctx.form.refused(error)}, error.status)
    if len(made.results) == 1:
        return Redirect(f"{_PATH}/{made.results[0].id}", [_created(made)])
    return Redirect(url(_PATH, sort=CompanySort.NEWEST), [_created(made)])


@pages.get(f"{_PATH}/export", COMPANIES_READ)
async def export_companies(ctx: PageContext) -> PageResult:
    """Companies as CSV. `q`: those that the list finds."""
    pieces = await files.open_export(ctx.parts.database, ctx.actor, q=ctx.query.get("q", "")[:MAX_SEARCH].strip())
    return StreamingResponse(
        pieces, headers={"Content-Disposition": attachment("companies.csv")}, media_type="text/csv"
    )


@pages.get(f"{_PATH}/{{id}}", COMPANIES_READ, live=_LIVE)
async def show_company(ctx: PageContext) -> PageResult:
    """A company with its domains, leads, merges and timeline. A merged one leads to its survivor."""
    try:
        return await _page(ctx)
    except CompanyNotFound as error:
        if into := error.extra.get("mergedInto"):
            return Redirect(f"{_PATH}/{into}")
        raise


@pages.post(f"{_PATH}/{{id}}", COMPANIES_WRITE)
async def change_company(ctx: PageContext) -> PageResult:
    """Rename a company. An empty name clears it."""
    form = ctx.form

    async def change(tx: Transaction) -> None:
        command = validated(UpdateCompany, {"name": form.value("name").strip() or None})
        await service.update_company(
            tx, ctx.actor, company_id=ctx.id(), command=command, expected_version=form.version()
        )

    return await _changed(ctx, change, "form", "Saved.")


@pages.post(f"{_PATH}/{{id}}/deletion", COMPANIES_WRITE)
async def delete_company(ctx: PageContext) -> PageResult:
    """Delete a company; its toast offers to restore it."""
    async with ctx.writing() as tx:
        company = await queries.get_company(tx, ctx.actor, company_id=ctx.id())
        await service.delete_company(tx, ctx.actor, company_id=company.id)
    return Redirect(_PATH, [Toast(f"{company.title} deleted.", undo=f"{_PATH}/{company.id}/restorations")])


@pages.post(f"{_PATH}/{{id}}/restorations", COMPANIES_WRITE)
async def restore_company(ctx: PageContext) -> PageResult:
    """Restore a deleted company with its leads."""
    async with ctx.writing() as tx:
        company = await service.restore_company(tx, ctx.actor, company_id=ctx.id())
    return Redirect(f"{_PATH}/{company.id}", [Toast(f"{company.title} restored.")])


@pages.post(f"{_PATH}/{{id}}/domains", COMPANIES_WRITE)
async def add_domain(ctx: PageContext) -> PageResult:
    """Add a domain."""

    async def add(tx: Transaction) -> None:
        command = validated(CompanyDomain, {"domain": ctx.form.value("domain")})
        await domains.add_domain(tx, ctx.actor, company_id=ctx.id(), command=command)

    return await _changed(ctx, add, "adding", "Domain added.")


@pages.post(f"{_PATH}/{{id}}/domain-removals", COMPANIES_WRITE)
async def remove_domain(ctx: PageContext) -> PageResult:
    """Remove a domain."""

    async def remove(tx: Transaction) -> None:
        command = validated(CompanyDomain, {"domain": ctx.form.value("domain")})
        await domains.remove_domain(tx, ctx.actor, company_id=ctx.id(), command=command)

    return await _changed(ctx, remove, "adding", "Domain removed.")


@pages.post(f"{_PATH}/{{id}}/main-domain", COMPANIES_WRITE)
async def choose_main_domain(ctx: PageContext) -> PageResult:
    """Make a domain the main one."""

    async def choose(tx: Transaction) -> None:
        command = validated(UpdateCompany, {"domain": ctx.form.value("domain")})
        await service.update_company(
            tx, ctx.actor, company_id=ctx.id(), command=command, expected_version=ctx.form.version()
        )

    return await _changed(ctx, choose, "adding", "Main domain changed.")


@pages.post(f"{_PATH}/{{id}}/splits", COMPANIES_WRITE)
async def split_company(ctx: PageContext) -> PageResult:
    """Split a domain off."""

    async def split(tx: Transaction) -> CompanyMergeView:
        command = validated(SplitCompany, {"domains": ctx.form.values("domain")})
        return await merges.split_company(tx, ctx.actor, company_id=ctx.id(), command=command)

    return await _changed(ctx, split, "adding", "Split off.")


@pages.post(f"{_PATH}/{{id}}/merges", COMPANIES_WRITE)
async def merge_company(ctx: PageContext) -> PageResult:
    """Merge the company of a domain into this one."""

    async def merge(tx: Transaction) -> CompanyMergeView:
        other = await _company_named(tx, ctx, "other")
        command = validated(MergeCompany, {"otherId": str(other)})
        return await merges.merge_companies(tx, ctx.actor, company_id=ctx.id(), command=command)

    return await _changed(ctx, merge, "merging", "Merged.")


@pages.post("/company-merges/{id}/undos", COMPANIES_WRITE)
async def undo_merge(ctx: PageContext) -> PageResult:
    """Undo a merge or split."""
    async with ctx.writing() as tx:
        merge = await merges.undo_merge(tx, ctx.actor, merge_id=ctx.id())
    return Redirect(f"{_PATH}/{merge.company_id}", [Toast("Undone.")])


@pages.post("/leads/{id}/company", COMPANIES_WRITE)
async def choose_company(ctx: PageContext) -> PageResult:
    """Choose the company of a lead by domain, or that it belongs to none."""
    try:
        async with ctx.writing() as tx:
            company_id = None if ctx.form.checked("none") else await _company_named(tx, ctx, "company")
            command = validated(ChooseCompany, {"companyId": company_id and str(company_id)})
            await lead_links.choose_company(tx, ctx.actor, lead_id=ctx.id(), command=command)
    except AppError as error:
        return await panel_response(ctx, "company", ctx.id(), error=error)
    return await panel_response(ctx, "company", ctx.id())


@pages.post("/leads/{id}/company/resets", COMPANIES_WRITE)
async def reset_company(ctx: PageContext) -> PageResult:
    """Let the website and email of a lead decide again."""
    async with ctx.writing() as tx:
        await lead_links.reset_company(tx, ctx.actor, lead_id=ctx.id())
    return await panel_response(ctx, "company", ctx.id())


async def _create(ctx: PageContext, entries: list[dict[str, str]]) -> CompanyEntries:
    """Raises: InvalidInput: none of the entries is a company, or there are too many."""
    if not entries or len(entries) > MAX_IMPORTED:
        message = "Enter a domain." if not entries else f"Enter up to {number(MAX_IMPORTED)} domains at a time."
        raise InvalidInput(message, errors=[FieldError("/companies", "required", message)])
    async with ctx.writing() as tx:
        made = await files.create_companies(tx, ctx.actor, entries=entries)
    if made.invalid == len(made.results):
        listed = [f"{item.domain or '(empty)'}: {item.error}" for item in made.results[:_SHOWN]]
        raise InvalidInput("No company created.", errors=[FieldError("/companies", "invalid", " ".join(listed))])
    return made


def _created(made: CompanyEntries) -> Toast:
    parts = [f"{plural(made.created, 'company', 'companies')} created"]
    parts += [f"{number(made.existing)} already here"] if made.existing else []
    parts += [f"{number(made.invalid)} invalid"] if made.invalid else []
    return Toast(f"{', '.join(parts)}.", "warn" if made.invalid else "ok")


async def _company_named(tx: Transaction, ctx: PageContext, name: str) -> UUID:
    """The company of the domain in a field. Raises: InvalidInput."""
    try:
        domain = company_domain(ctx.form.value(name))
    except InvalidValue as error:
        raise InvalidInput("No company.", errors=[FieldError(f"/{name}", "invalid_format", str(error))]) from error
    owner = (await queries.owners_of(tx, ctx.actor.workspace_id, [domain])).get(domain)
    if owner is None or owner.deleted:
        message = f"No company has the domain {domain}. Create it first."
        raise InvalidInput("No company.", errors=[FieldError(f"/{name}", "not_found", message)])
    return owner.company_id


async def _changed(ctx: PageContext, verb: _Verb, form_name: str, done: str) -> PageResult:
    """Run a verb of a form of the page. A refusal is shown at the form of this name."""
    try:
        async with ctx.writing() as tx:
            made = await verb(tx)
    except AppError as error:
        if error.is_fault or isinstance(error, CompanyNotFound):
            raise
        return await _page(ctx, {form_name: ctx.form.refused(error)}, error.status)
    undo = f"/company-merges/{made.id}/undos" if isinstance(made, CompanyMergeView) else None
    return Redirect(f"{_PATH}/{ctx.id()}", [Toast(done, undo=undo)])


async def _page(ctx: PageContext, forms: dict[str, Form] | None = None, status: int = 200) -> PageResponse:
    """The page of a company. `forms`: refused forms by their names. Raises: CompanyNotFound."""
    company_id = ctx.id()
    async with ctx.reading() as tx:
        company = await queries.get_company(tx, ctx.actor, company_id=company_id)
        related = await COMPANY_EXTENSIONS.load(tx, ctx.actor, [FOUND_NAME], [company_id])
        context: dict[str, Any] = {
            "company": company,
            "title": company.name or related.get(FOUND_NAME, {}).get(company_id) or company.title,
            "domains": (await queries.domains_of(tx, ctx.actor, company_id=company_id)).items,
            "merges": (await queries.list_merges(tx, ctx.actor, company_id=company_id, limit=_SHOWN)).items,
            "filter": filter_of(company_id),
            "name_of": name_of,
            **await _leads(tx, ctx, company_id),
            **await _timeline(tx, ctx, company_id),
            **await _panels(tx, ctx, company_id),
        }
    shown = {"form": Form.of({"name": company.name}), "adding": Form(), "merging": Form(), **(forms or {})}
    return PageResponse("companies/company.html", {**context, **shown}, status)


async def _leads(tx: Transaction, ctx: PageContext, company_id: UUID) -> dict[str, Any]:
    if not ctx.may("leads:read"):
        return {"leads": None}
    page = await leads.list_leads(
        tx, ctx.actor, filters=LeadFilter(tree=_tree(company_id)), sort=LeadSort.NEWEST, limit=_LEADS
    )
    return {"leads": page.items, "more_leads": page.after is not None}


async def _timeline(tx: Transaction, ctx: PageContext, company_id: UUID) -> dict[str, Any]:
    page = await queries.list_events(
        tx, ctx.actor, company_id=company_id, after=ctx.after("company_events", "events"), limit=_EVENTS
    )
    names = await identity.actor_names(tx, ctx.actor, [item.actor.id for item in page.items if item.actor.id])
    kinds = ctx.parts.timeline
    entries = [
        {
            "kind": kinds[item.kind],
            "text": text(item.data) if (text := kinds[item.kind].text) is not None else "",
            "at": item.at,
            "by": actor_label(item.actor.kind, item.actor.id, names),
        }
        for item in page.items
        if item.kind in kinds
    ]
    return {"events": entries, "older": ctx.cursor(page, "company_events")}


async def _panels(tx: Transaction, ctx: PageContext, company_id: UUID) -> dict[str, Any]:
    """Panels and menu entries that other domains add."""
    panels = await shown_panels(tx, ctx, COMPANY_EXTENSIONS, company_id)
    actions = [action for action in COMPANY_EXTENSIONS.actions if ctx.may(action.permission)]
    return {"panels": panels, "actions": actions}


def _tree(company_id: UUID) -> Group:
    return Group("all", (Condition("linkedCompanyId", Operator.IS, str(company_id)),))


def filter_of(company_id: UUID) -> str:
    """Filter of the leads of a company, for the URL of the lead list."""
    return write_tree(_tree(company_id))
