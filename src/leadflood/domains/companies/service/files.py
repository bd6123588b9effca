"""Companies from lists of domains, and companies as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue, ValidationError

from leadflood.domains.companies import queries, store
from leadflood.domains.companies.contracts import CompanyEntries, CompanyEntry, CompanyView, CreateCompany
from leadflood.domains.companies.events import COMPANY, COMPANY_UPDATED, CompanyAuditAction, CompanyData
from leadflood.domains.companies.models import CompanySort, CompanySource
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.companies.service import record_created
from leadflood.domains.companies.store import records
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.delimited_lines import cells_of
from leadflood.kernel.events import Event
from leadflood.kernel.formulas import neutralise, restore
from leadflood.kernel.pagination import Position
from leadflood.kernel.schema import field_errors

HEADER: Final = ("domain", "name", "otherDomains", "status", "leads", "createdAt", "id")
"""Columns of a file of companies. An import reads the first two."""
_DOMAIN_HEADERS: Final = frozenset({"domain", "website", "company domain", "url", "web", "homepage"})
_NAME_HEADERS: Final = frozenset({"name", "company", "company name", "organization", "organisation"})
_ROWS: Final = 500
_MAX_CELL: Final = 10_000


def entries_of(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The entries of a CSV file or of a list with one domain per line, as input of `create_companies`.

    The first row is a header if it has a column named Domain or Website; then names come from a column named Name or
    Company. Otherwise domains are in the first column, and names in the second. Blank rows are left out.
    """
    columns = (0, 1)
    first = True
    for row in _rows(lines):
        cells = [restore(cell.strip()) for cell in row]
        if first:
            first = False
            named = [cell.casefold().removeprefix("\ufeff") for cell in cells]
            domain = next((at for at, cell in enumerate(named) if cell in _DOMAIN_HEADERS), None)
            if domain is not None:
                columns = (domain, next((at for at, cell in enumerate(named) if cell in _NAME_HEADERS), -1))
                continue
            cells[0] = cells[0].removeprefix("\ufeff")
        values = [cells[at] if 0 <= at < len(cells) else "" for at in columns]
        if any(values):
            yield {"domain": values[0], **({"name": values[1]} if values[1] else {})}


async def create_companies(tx: Transaction, actor: Actor, *, entries: Sequence[object]) -> CompanyEntries:
    """Create companies by domain, up to 1,000, with a number of statements that does not depend on theirs.

    An invalid entry does not affect others. Companies that exist stay as they are, but get a name if they have none.
    """
    actor.require(COMPANIES_WRITE)
    read = [_read(entry) for entry in entries]
    wanted = {item.domain: item for item in reversed(read) if isinstance(item, CreateCompany)}
    created = await store.create_missing(tx, actor.workspace_id, wanted, CompanySource.IMPORT) if wanted else []
    owners = await queries.owners_of(tx, actor.workspace_id, wanted)
    names = {owners[domain].company_id: (item.name, domain) for domain, item in wanted.items() if item.name}
    named = {company_id: (name, domain) for company_id, (name, domain) in names.items() if name}
    if named:
        renamed = await records.name_unnamed(tx, actor.workspace_id, named)
        await publish(tx, COMPANY_UPDATED, [Event(company_id, CompanyData(), actor) for company_id in renamed])
    await record_created(tx, actor, created, CompanySource.IMPORT)
    if created:
        data: dict[str, JsonValue] = {"count": len(created)}
        await audit.record(tx, actor, action=CompanyAuditAction.IMPORTED, subject_type=COMPANY, data=data)
    new = set(created)
    results: list[CompanyEntry] = []
    for item in read:
        if isinstance(item, CompanyEntry):
            results.append(item)
            continue
        company_id = owners[item.domain].company_id
        status = "created" if company_id in new else "existing"
        new.discard(company_id)
        results.append(CompanyEntry(domain=item.domain, status=status, id=company_id))
    counts = {state: sum(item.status == state for item in results) for state in ("created", "existing", "invalid")}
    return CompanyEntries(results=results, **counts)


async def open_export(database: Database, actor: Actor, *, q: str | None = None) -> AsyncIterator[bytes]:
    """Companies as CSV (UTF-8), oldest first, with a page of them in memory. Recorded in the audit log.

    No cell runs as a formula in a spreadsheet; `entries_of` restores the values. `q`: as in `list_companies`.
    """
    actor.require(COMPANIES_READ)
    async with database.transaction(actor.workspace_id) as tx:
        await audit.record(tx, actor, action=CompanyAuditAction.EXPORTED, subject_type=COMPANY, data={"count": 1})
    return _pieces(database, actor, q)


async def _pieces(database: Database, actor: Actor, q: str | None) -> AsyncIterator[bytes]:
    yield _lines([HEADER])
    after: Position | None = None
    while True:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            page = await queries.list_companies(tx, actor, q=q, sort=CompanySort.OLDEST, after=after, limit=_ROWS)
            domains = await queries.domains_of_companies(tx, actor, [item.id for item in page.items])
        if page.items:
            yield _lines([_cells(item, domains.get(item.id, [])) for item in page.items])
        after = page.after
        if after is None:
            return


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """The cells of lines that are not blank."""
    for line in lines:
        text = line.strip()[:_MAX_CELL]
        if text:
            yield cells_of(text)


def _read(entry: object) -> CreateCompany | CompanyEntry:
    try:
        return CreateCompany.model_validate(entry)
    except ValidationError as error:
        text = " ".join(
            f"{fault.pointer.removeprefix('/')}: {fault.message}".lstrip(": ") for fault in field_errors(error)
        )
        given = entry.get("domain") if isinstance(entry, Mapping) else None
        return CompanyEntry(domain=given[:200] if isinstance(given, str) else None, status="invalid", error=text)


def _cells(company: CompanyView, domains: Sequence[str]) -> list[str]:
    leads = company.leads
    count = "" if leads is None else f"{leads.value}{'' if leads.exact else '+'}"
    others = " ".join(domain for domain in domains if domain != company.domain)
    texts = (company.domain, company.name or "", others, company.status, count, company.created_at.isoformat())
    return [*map(neutralise, texts), str(company.id)]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
