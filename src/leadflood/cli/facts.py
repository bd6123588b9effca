"""`leadflood fact …`: pin, correct and reject found values of a lead or a company."""

from typing import TYPE_CHECKING, Any

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.leads import print_values
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import note, print_facts, print_json
from leadflood.cli.selected_companies import find_company
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from leadflood.domains.enrichment.contracts.decisions import DecidedField

_FIELD = typer.Argument(metavar="FIELD", help="Field, such as country.")
_VALUE = typer.Argument(metavar="VALUE", help="The value.")
_SEVERAL = typer.Option(None, "--value", help="Of a field with several values: only the one of this value.")
_SOURCE = typer.Option(None, help="Only the value of this source, such as website.")
_COMPANY = typer.Option(None, metavar="ID|DOMAIN", help="The company.")
_LEAD = typer.Option(None, metavar="EMAIL|ID", help="The lead.")

app = typer.Typer(help="Pin, correct and reject found values of a lead or a company.", no_args_is_help=True)


@app.command("pin")
def pin(
    field: str = _FIELD,
    value: str = _VALUE,
    source: str | None = _SOURCE,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Let a found value stay the choice, whatever sources say later.

    Example: `leadflood fact pin country DE --company acme.com`
    """
    _decide("pinned", field, (company, lead), workspace, as_json=as_json, value=value, source=source)


@app.command("accept")
def accept(
    company: str = typer.Option(metavar="ID|DOMAIN", help="The company."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Accept all values of a company that are not sure enough to fill the fields of its leads.

    Example: `leadflood fact accept --company acme.com`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.service import decisions

        async with open_context(workspace) as context:
            found = await find_company(context, company)
            async with context.transaction() as tx:
                made = await decisions.accept_for_company(tx, context.actor, company_id=found.id, trace={})
        if as_json:
            print_json(made)
            return
        print_facts([("company", found.domain), ("accepted", ", ".join(made.fields)), ("change", made.changeset_id)])
        note(f"Undo with: leadflood change undo {made.changeset_id}" if made.changeset_id else "No changes needed.")

    run(work())


@app.command("unpin")
def unpin(
    field: str = _FIELD,
    value: str | None = _SEVERAL,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Let the sources decide again.

    Example: `leadflood fact unpin country --company acme.com`
    """
    _decide("unpinned", field, (company, lead), workspace, as_json=as_json, value=value)


@app.command("correct")
def correct(
    field: str = _FIELD,
    value: str = _VALUE,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Write a value of your own, which wins over all found ones.

    Example: `leadflood fact correct employees 120 --company acme.com`
    """
    _decide("corrected", field, (company, lead), workspace, as_json=as_json, value=value)


@app.command("uncorrect")
def uncorrect(
    field: str = _FIELD,
    value: str | None = _SEVERAL,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Remove a correction.

    Example: `leadflood fact uncorrect employees --company acme.com`
    """
    _decide("correction_removed", field, (company, lead), workspace, as_json=as_json, value=value)


@app.command("reject")
def reject(
    field: str = _FIELD,
    value: str = _VALUE,
    source: str | None = _SOURCE,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Reject a wrong value: it is not chosen again, of one source or of all that have it.

    Example: `leadflood fact reject country FR --company acme.com --source website`
    """
    _decide("rejected", field, (company, lead), workspace, as_json=as_json, value=value, source=source)


@app.command("allow")
def allow(
    field: str = _FIELD,
    value: str = _VALUE,
    source: str | None = _SOURCE,
    company: str | None = _COMPANY,
    lead: str | None = _LEAD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Let a rejected value compete again.

    Example: `leadflood fact allow country FR --company acme.com`
    """
    _decide("rejection_removed", field, (company, lead), workspace, as_json=as_json, value=value, source=source)


def _decide(
    decision: str,
    field: str,
    subject: tuple[str | None, str | None],
    workspace: str | None,
    *,
    as_json: bool,
    **given: Any,  # noqa: ANN401  of the decision
) -> None:
    """Decide about a field of the company or lead that the options name, and print its values."""
    company, lead = subject
    if (company is None) == (lead is None):
        raise typer.BadParameter("Give either --company or --lead.")

    async def work() -> None:
        async with open_context(workspace) as context:
            made = await _decided(context, decision, field, company, lead or "", given)
        if as_json:
            print_json(made)
            return
        print_values(made.values)
        note(f"Undo with: leadflood change undo {made.changeset_id}" if made.changeset_id else "No changes needed.")

    run(work())


async def _decided(
    context: CliContext, decision: str, field: str, company: str | None, lead: str, given: dict[str, Any]
) -> "DecidedField":
    from leadflood.domains.enrichment.contracts.decisions import DecisionRequest
    from leadflood.domains.enrichment.models.decisions import Decision
    from leadflood.domains.enrichment.service import decisions

    request = DecisionRequest(Decision(decision), **given)
    subject_id = (await lead_ids(context, [lead]))[0] if company is None else (await find_company(context, company)).id
    async with context.transaction() as tx:
        if company is None:
            return await decisions.decide_for_lead(
                tx, context.actor, lead_id=subject_id, field=field, request=request, trace={}
            )
        return await decisions.decide_for_company(
            tx, context.actor, company_id=subject_id, field=field, request=request, trace={}
        )
