"""`leadflood lead …`: single leads, directly on the database, also next to a running system."""

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import typer

from leadflood.cli import deleted_leads, personal_data
from leadflood.cli.accepted_values import accept_many
from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.deleted_leads import list_deleted
from leadflood.cli.listing import AS_JSON, EVERYTHING, FILTER, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, note, print_facts, print_json, print_table, say
from leadflood.cli.progress import follow, open_reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadflood.domains.enrichment.contracts import AcceptValues, EffectiveValueView, EnrichmentValueView
    from leadflood.domains.jobs.contracts import JobView
    from leadflood.domains.leads.contracts import LeadView
    from leadflood.kernel.db.transaction import Transaction

Status = Literal["new", "processing", "enriched", "failed"]

_WHO = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email.")
_TIMEOUT = typer.Option(60.0, "--timeout", min=0.0, help="Seconds to wait.")
_JOBS_SHOWN = 3

app = typer.Typer(help="Add, show, list, watch, restore, export and erase leads.", no_args_is_help=True)

deleted_leads.register(app)
personal_data.register(app)


@app.command("add")
def add(
    email: str = typer.Argument(help="Email, unique in the workspace."),
    values: list[str] = typer.Option(
        [], "--set", metavar="FIELD=VALUE", help="Field, e.g. company=Acme or jobTitle=CTO. Repeatable."
    ),
    custom: list[str] = typer.Option([], metavar="KEY=VALUE", help="Custom field. Repeatable."),
    workspace: str | None = WORKSPACE,
    wait: bool = typer.Option(False, "--wait", help="Wait for enrichment to finish, then show the lead."),
    timeout: float = _TIMEOUT,
    as_json: bool = AS_JSON,
) -> None:
    """Add a lead. With --wait, exits with 0 only if the lead was enriched.

    Example: `leadflood lead add ada.lovelace@acme.com --set company=Acme --custom plan=pro --wait`
    """
    given = {"email": email, **_fields(values), "customFields": _pairs(custom, "--custom")}
    run(_add(given, workspace, wait=wait, timeout=timeout, as_json=as_json))


@app.command("show")
def show(lead: str = _WHO, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a lead, its latest jobs and its enrichment data with sources.

    Example: `leadflood lead show ada.lovelace@acme.com`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            await print_lead(context, await _find(context, lead), as_json=as_json)

    run(work())


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917  each option is a parameter
    status: Status | None = typer.Option(None, help="Filter by status."),
    source: str | None = typer.Option(None, help="Filter by source."),
    q: str | None = typer.Option(None, "--q", help="Search in name, email and company."),
    tree: str | None = FILTER,
    deleted: bool = typer.Option(False, "--deleted", help="List deleted leads that can be restored."),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List leads, newest first. With --deleted, most recently deleted first.

    Example: `leadflood lead list --status failed --limit 20`
    """
    if deleted:
        if status or source or tree:
            raise typer.BadParameter("--deleted can only be combined with --q.", param_hint="--deleted")
        run(list_deleted(q, None if everything else limit, workspace, as_json=as_json))
        return
    run(_list(status, source, q, tree, None if everything else limit, workspace, as_json=as_json))


@app.command("accept")
def accept(
    lead: str | None = typer.Argument(None, metavar="ID|EMAIL", help="Lead ID or email."),
    fields: list[str] = typer.Option([], "--field", metavar="FIELD", help="Field, e.g. firstName. Repeatable."),
    everything: bool = typer.Option(False, "--all", help="All found values."),
    tree: str | None = FILTER,
    expected: int | None = typer.Option(
        None, "--expected", min=0, help="With --filter: if more leads match, nothing is written. Default: ask."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Accept found values as values of a lead, or of all leads of a filter. Only empty fields are written.

    Example: `leadflood lead accept ada.lovelace@acme.com --field firstName --field lastName`
    Example: `leadflood lead accept --filter '{}' --all --expected 120`
    """
    if bool(fields) == everything:
        raise typer.BadParameter("Use --field or --all.", param_hint="--field")
    if (lead is None) == (tree is None):
        raise typer.BadParameter("Name a lead or use --filter.", param_hint="--filter")
    if lead is None:
        if fields:
            raise typer.BadParameter("With --filter, use --all.", param_hint="--field")
        run(accept_many(tree or "", expected, workspace, as_json=as_json))
        return

    async def work() -> None:
        from leadflood.domains.enrichment.service import acceptance

        async with open_context(workspace) as context:
            lead_id = await _find(context, lead)
            async with context.transaction() as tx:
                command = await _acceptance(tx, context, lead_id, fields)
                accepted = await acceptance.accept_values(tx, context.actor, lead_id=lead_id, command=command)
        if as_json:
            print_json(accepted)
            return
        print_facts([("lead", lead_id), ("accepted", ", ".join(accepted.fields)), ("change", accepted.changeset_id)])

    run(work())


async def _acceptance(tx: "Transaction", context: CliContext, lead_id: UUID, fields: list[str]) -> "AcceptValues":
    """The values that the fields have, or that are found for them. Raises: LeadNotFound, InvalidInput."""
    from leadflood.cli.validation import checked
    from leadflood.domains.enrichment.contracts import FILLABLE, AcceptValues
    from leadflood.domains.enrichment.queries.effective import effective_values
    from leadflood.domains.leads import queries

    if not fields:
        return AcceptValues()
    names = {stored: name for name, stored in FILLABLE.items()}
    wanted = [names.get(name.replace("-", "_"), name) for name in fields]
    stored = await queries.get_lead(tx, context.actor, lead_id=lead_id)
    found = await effective_values(tx, context.actor, lead=stored)
    for name in wanted:
        if name not in found:
            raise typer.BadParameter(
                f"No value was found for {name!r}, or the field is not empty.", param_hint="--field"
            )
    return checked(AcceptValues, {"values": {name: found[name].view.value for name in wanted}})


@app.command("watch")
def watch(
    lead: str = _WHO, timeout: float = _TIMEOUT, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """Wait for the latest job of a lead. Exits with 0 only if the lead was enriched.

    Example: `leadflood lead watch ada.lovelace@acme.com --timeout 300`
    """

    async def work() -> None:
        from leadflood.domains.jobs import queries

        async with open_context(workspace) as context:
            lead_id = await _find(context, lead)
            async with context.transaction(read_only=True) as tx:
                found = (await queries.list_jobs(tx, context.actor, subject_id=lead_id, limit=1)).items
            if not found:
                note("This lead has no jobs.")
            enriched = await follow_lead(context, lead_id, found[0].id if found else None, timeout, as_json=as_json)
        if not enriched:
            raise typer.Exit(1)

    run(work())


async def follow_lead(
    context: CliContext, lead_id: UUID, job_id: UUID | None, seconds: float, *, as_json: bool
) -> bool:
    """Follow the job for up to `seconds`, print the lead, and return whether it is enriched."""
    if job_id is not None:
        async with open_reporter(silent=as_json) as screen:
            job = await follow(context, job_id, screen, timeout=seconds)
        if job.status not in ("completed", "failed"):
            note(
                f"Timed out after {seconds:g} s; the job is {job.status}. Watch it with: leadflood lead watch {lead_id}"
            )
    return await print_lead(context, lead_id, as_json=as_json) == "enriched"


async def print_lead(context: CliContext, lead_id: UUID, *, as_json: bool) -> str:
    """Print all data of a lead; returns its status. Raises: LeadNotFound."""
    from leadflood.domains.enrichment import queries as enrichment_queries
    from leadflood.domains.enrichment.queries.effective import effective_values, views
    from leadflood.domains.jobs import queries as jobs_queries
    from leadflood.domains.leads import queries as leads_queries

    async with context.transaction(read_only=True) as tx:
        lead = await leads_queries.get_lead(tx, context.actor, lead_id=lead_id)
        enrichment = await enrichment_queries.get_lead_enrichment(tx, context.actor, lead_id=lead_id)
        effective = views(await effective_values(tx, context.actor, lead=lead))
        jobs = (await jobs_queries.list_jobs(tx, context.actor, subject_id=lead_id, limit=_JOBS_SHOWN)).items
    if as_json:
        parts = {"lead": lead, "enrichment": enrichment}
        shown: dict[str, object] = {name: view.model_dump(mode="json") for name, view in parts.items()}
        shown["effectiveValues"] = {name: view.model_dump(mode="json") for name, view in effective.items()}
        print_json({**shown, "jobs": [job.model_dump(mode="json") for job in jobs]})
        return lead.status
    say()
    print_facts([*_facts(lead, effective), *[("job", _job(job)) for job in jobs]])
    print_values(enrichment.values)
    return lead.status


def print_values(values: "list[EnrichmentValueView]") -> None:
    """The found values, best first for each field, with their receipts."""
    if not values:
        return
    columns = [TableColumn(title) for title in ("field", "value", "confidence", "source", "method", "why")]
    say()
    print_table(
        columns,
        [
            (
                value.field if value.chosen else f"({value.field})",
                value.value,
                f"{value.confidence:.2f}",
                value.source,
                value.method,
                _why(value),
            )
            for value in values
        ],
    )
    if not all(value.chosen for value in values):
        say("In parentheses: values that are not chosen.")


def _why(value: "EnrichmentValueView") -> str:
    """Decisions about a value, by whom and when, and its evidence."""
    pinned = "Corrected" if value.source == "manual" else "Pinned"
    marks = (("Retracted", value.retraction), ("Rejected", value.rejection), (pinned, value.pin))
    made = [f"{done} by {mark.actor_name} on {mark.at:%Y-%m-%d}." for done, mark in marks if mark is not None]
    return " ".join([*made, value.evidence])


async def _add(given: dict[str, Any], workspace: str | None, *, wait: bool, timeout: float, as_json: bool) -> None:  # noqa: ASYNC109  its end is an answer, not an error
    from leadflood.cli.validation import checked
    from leadflood.domains.leads import service
    from leadflood.domains.leads.contracts import CreateLead
    from leadflood.kernel.observability import TraceContext

    command = checked(CreateLead, given)
    async with open_context(workspace) as context:
        trace = {"traceparent": TraceContext.continued([]).traceparent}
        async with context.transaction() as tx:
            created = await service.create_lead(tx, context.actor, command=command, trace=trace, source="cli")
        if not wait:
            if as_json:
                print_json(created)
            else:
                print_facts([("lead", created.lead_id), ("job", created.job_id)])
                note(f"Watch it with: leadflood lead watch {created.lead_id}")
            return
        enriched = await follow_lead(context, created.lead_id, created.job_id, timeout, as_json=as_json)
    if not enriched:
        raise typer.Exit(1)


async def _list(
    status: Status | None,
    source: str | None,
    q: str | None,
    tree: str | None,
    limit: int | None,
    workspace: str | None,
    *,
    as_json: bool,
) -> None:
    from leadflood.domains.leads import queries
    from leadflood.domains.leads.contracts.filters import LeadFilter, read_filter
    from leadflood.domains.leads.models import LeadStatus

    filtered = LeadFilter() if tree is None else read_filter(tree, "--filter")
    filters = LeadFilter(
        q=q,
        statuses=(LeadStatus(status),) if status else (),
        sources=(source,) if source is not None else (),
        tree=filtered.whole,
    )
    columns = [
        TableColumn("id", whole=True),
        *map(TableColumn, ("email", "name", "company", "status", "source", "created")),
    ]
    async with open_context(workspace) as context:
        await print_pages(
            context.reading(queries.list_leads, filters=filters), columns, _row, limit=limit, as_json=as_json
        )


async def _find(context: CliContext, lead: str) -> UUID:
    """The ID of a lead given by ID or email. Raises: LeadNotFound, InvalidInput."""
    from leadflood.cli.validation import checked
    from leadflood.domains.leads import queries
    from leadflood.domains.leads.contracts import CreateLead
    from leadflood.domains.leads.errors import LeadNotFound

    try:
        return UUID(lead)
    except ValueError:
        email = checked(CreateLead, {"email": lead}).email
    async with context.transaction(read_only=True) as tx:
        found = await queries.lead_with_email(tx, context.actor, email=email)
    if found is None:
        raise LeadNotFound(lead)
    return found


def _fields(given: list[str]) -> dict[str, str]:
    """Fields by API name; `job_title` and `job-title` mean `jobTitle`."""
    from leadflood.domains.leads.catalog import PLAIN_FIELDS

    names = {name: field.api_name for field in PLAIN_FIELDS for name in (field.api_name, field.name)}
    pairs = {name.replace("-", "_"): value for name, value in _pairs(given, "--set").items()}
    for name in pairs:
        if name not in names:
            known = ", ".join(field.api_name for field in PLAIN_FIELDS)
            raise typer.BadParameter(
                f"Unknown field {name!r}. Use one of {known}; custom fields are set with --custom.", param_hint="--set"
            )
    return {names[name]: value for name, value in pairs.items()}


def _pairs(given: list[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in given:
        name, separator, value = pair.partition("=")
        if not separator:
            raise typer.BadParameter(f"Invalid value {pair!r}. Use NAME=VALUE.", param_hint=option)
        pairs[name.strip()] = value
    return pairs


def _job(job: "JobView") -> str:
    reason = f": {job.last_error}" if job.last_error else ""
    return f"{job.id}  {job.kind}  {job.status}, attempt {job.attempts} of {job.max_attempts}{reason}"


def _row(lead: "LeadView") -> tuple[object, ...]:
    from leadflood.domains.leads.labels import full_name

    return (lead.id, lead.email, full_name(lead), lead.company, lead.status, lead.source, moment(lead.created_at))


def _facts(lead: "LeadView", effective: "Mapping[str, EffectiveValueView]") -> list[tuple[str, object]]:
    """Labels and values. `effective`: found values of empty fields, by API name."""
    from leadflood.domains.leads.catalog import LEAD_FIELDS

    return [
        ("lead", lead.id),
        *(
            (field.label.lower(), _marked(effective.get(field.api_name)) or getattr(lead, field.name))
            for field in LEAD_FIELDS
        ),
        ("status", lead.status),
        ("error", lead.error),
        ("created", lead.created_at),
        ("enriched", lead.enriched_at),
        *lead.custom_fields.items(),
    ]


def _marked(found: "EffectiveValueView | None") -> str | None:
    """A found value of an empty field."""
    if found is None:
        return None
    how = "found" if found.state == "filled" else "suggested"
    return f"{found.value}  ({how} by {found.source}, {found.confidence:.2f})"
