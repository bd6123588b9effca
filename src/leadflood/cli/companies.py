"""`leadflood company …`: companies of the workspace, their domains, merges and files."""

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table
from leadflood.cli.selected_companies import find_company
from leadflood.cli.text_files import STDIO, opened_text

if TYPE_CHECKING:
    from leadflood.domains.companies.contracts import CompanyView

_COMPANY = typer.Argument(metavar="ID|DOMAIN", help="Company ID or any of its domains.")
_CHUNK = 500

app = typer.Typer(
    help="List, show, merge, split, import and export companies.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    q: str | None = typer.Option(None, "--q", help="Part of the name or domain."),
    sort: Literal["name", "-name", "createdAt", "-createdAt"] = typer.Option("name", help="Order; - is descending."),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List companies, with their number of leads.

    Example: `leadflood company list --q acme`
    """

    async def work() -> None:
        from leadflood.domains.companies import queries
        from leadflood.domains.companies.models import CompanySort

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_companies, q=q, sort=CompanySort(sort))
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("show")
def show(company: str = _COMPANY, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a company with its domains, facts and latest run.

    Example: `leadflood company show acme.com`
    """

    async def work() -> None:
        from leadflood.cli.leads import print_values
        from leadflood.domains.companies import queries
        from leadflood.domains.enrichment.queries.companies import get_company_enrichment

        async with open_context(workspace) as context:
            found = await find_company(context, company)
            async with context.transaction(read_only=True) as tx:
                domains = await queries.domains_of(tx, context.actor, company_id=found.id)
                enrichment = await get_company_enrichment(tx, context.actor, company_id=found.id)
        if as_json:
            parts = {
                "domains": domains.model_dump(mode="json")["items"],
                "enrichment": enrichment.model_dump(mode="json"),
            }
            print_json({**found.model_dump(mode="json"), **parts})
            return
        print_facts([("id", found.id), ("name", found.name), ("status", found.status), ("created", found.created_at)])
        print_table(
            [TableColumn("domain", whole=True), TableColumn("main"), TableColumn("source")],
            [(item.domain, "yes" if item.main else "", item.source) for item in domains.items],
        )
        if enrichment.values:
            print_values([item for item in enrichment.values if item.chosen])
        if (latest := enrichment.latest) is not None:
            print_facts([("run", latest.state), ("result", latest.message), ("fresh until", latest.fresh_until)])
            print_table(
                [TableColumn("source"), TableColumn("answer"), TableColumn("values"), TableColumn("message")],
                [(step.source, step.state, step.facts or "", step.message) for step in latest.steps],
            )

    run(work())


@app.command("enrich")
def enrich(
    company: str = _COMPANY,
    wait: bool = typer.Option(False, "--wait", help="Wait for the answers, then show the company."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Ask the sources about a company again.

    Example: `leadflood company enrich acme.com --wait`
    """

    async def work() -> None:
        from leadflood.cli.progress import follow, open_reporter
        from leadflood.domains.enrichment.service import company_runs

        async with open_context(workspace) as context:
            found = await find_company(context, company)
            async with context.transaction() as tx:
                job_id = await company_runs.enrich_company(tx, context.actor, company_id=found.id, trace={})
            note(f"Enrichment of {found.title} queued (job {job_id}).")
            if wait:
                async with open_reporter() as screen:
                    await follow(context, job_id, screen, timeout=None)

    run(work())
    if wait:
        show(company, workspace, as_json=False)


@app.command("create")
def create(
    domain: str = typer.Argument(metavar="DOMAIN", help="Domain or website."),
    name: str | None = typer.Option(None, help="Name."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Create a company.

    Example: `leadflood company create acme.com --name Acme`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.companies import service
        from leadflood.domains.companies.contracts import CreateCompany

        command = checked(CreateCompany, {"domain": domain, "name": name})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_company(tx, context.actor, command=command)
        note(f"Created {made.title} ({made.id}).")

    run(work())


@app.command("merge")
def merge(
    company: str = _COMPANY,
    other: str = typer.Argument(metavar="OTHER", help="Company that becomes part of it: ID or domain."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Make another company part of one, with its domains and leads. Undo it with `leadflood company undo ID`.

    Example: `leadflood company merge acme.com acme.de`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.companies.contracts import MergeCompany
        from leadflood.domains.companies.service import merges

        async with open_context(workspace) as context:
            survivor, merged = await find_company(context, company), await find_company(context, other)
            command = checked(MergeCompany, {"otherId": str(merged.id)})
            async with context.transaction() as tx:
                made = await merges.merge_companies(tx, context.actor, company_id=survivor.id, command=command)
        note(f"Merged {merged.title} into {survivor.title}. Undo with: leadflood company undo {made.id}")

    run(work())


@app.command("split")
def split(
    company: str = _COMPANY,
    domains: list[str] = typer.Argument(metavar="DOMAIN…", help="Domains that become a company of their own."),
    name: str | None = typer.Option(None, help="Name of the new company."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Make domains a company of their own; their leads follow. Undo it with `leadflood company undo ID`.

    Example: `leadflood company split acme.com acme.de --name "Acme Germany"`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.companies.contracts import SplitCompany
        from leadflood.domains.companies.service import merges

        command = checked(SplitCompany, {"domains": domains, "name": name})
        async with open_context(workspace) as context:
            found = await find_company(context, company)
            async with context.transaction() as tx:
                made = await merges.split_company(tx, context.actor, company_id=found.id, command=command)
        note(f"Split {', '.join(made.domains)} off {found.title}. Undo with: leadflood company undo {made.id}")

    run(work())


@app.command("undo")
def undo(
    merge_id: UUID = typer.Argument(metavar="ID", help="ID of the merge or split.", parser=parse_id),
    workspace: str | None = WORKSPACE,
) -> None:
    """Undo a merge or split.

    Example: `leadflood company undo 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e12`
    """

    async def work() -> None:
        from leadflood.domains.companies.service import merges

        async with open_context(workspace) as context, context.transaction() as tx:
            await merges.undo_merge(tx, context.actor, merge_id=merge_id)
        note("Undone.")

    run(work())


@app.command("import")
def import_(
    file: Path = typer.Argument(
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="CSV with a column Domain, or one domain per line. - reads input.",
    ),
    workspace: str | None = WORKSPACE,
) -> None:
    """Create companies from a list of domains. Existing ones stay as they are, but get a name if they have none.

    Exits with 1 if no entry is valid. Names of invalid entries go to standard error.

    Example: `leadflood company import domains.csv`
    """

    async def work() -> None:
        from collections import Counter

        from leadflood.domains.companies.service import files

        counts: Counter[str] = Counter()
        async with open_context(workspace) as context:
            with opened_text(file) as lines:
                entries = files.entries_of(lines)
                while chunk := list(islice(entries, _CHUNK)):
                    async with context.transaction() as tx:
                        made = await files.create_companies(tx, context.actor, entries=chunk)
                    counts.update({"created": made.created, "existing": made.existing, "invalid": made.invalid})
                    for item in made.results:
                        if item.error is not None:
                            note(f"{item.domain or '(empty)'}: {item.error}")
        note(f"{counts['created']:,} created, {counts['existing']:,} existing, {counts['invalid']:,} invalid.")
        if counts["invalid"] and not counts["created"] + counts["existing"]:
            raise typer.Exit(1)

    run(work())


@app.command("export")
def export(
    file: Path = typer.Argument(dir_okay=False, help="CSV file to write. Use - for standard output."),
    q: str | None = typer.Option(None, "--q", help="Part of the name or domain."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Export companies as CSV. Writes to NAME.part until complete.

    Example: `leadflood company export companies.csv`
    """

    async def work() -> None:
        from leadflood.domains.companies.service import files

        async with open_context(workspace) as context:
            pieces = await files.open_export(context.database, context.actor, q=q)
            if str(file) == STDIO:
                async for piece in pieces:
                    sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
                return
            part = file.with_name(f"{file.name}.part")
            try:
                with part.open("wb") as out:
                    async for piece in pieces:
                        out.write(piece)
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
        note(f"Exported companies to {file}.")

    run(work())


_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("name", "domain", "status", "leads"))]


def _row(company: "CompanyView") -> tuple[object, ...]:
    count = "" if company.leads is None else f"{company.leads.value}{'' if company.leads.exact else '+'}"
    return (company.id, company.name or "", company.domain, company.status, count)
