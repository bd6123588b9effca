"""`leadflood policy …`: from which confidence found values fill fields of leads, and when paid sources are asked."""

from typing import TYPE_CHECKING, Literal

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from leadflood.domains.enrichment.contracts.policies import FillPolicyEstimate, FillPolicyView

_SUBJECT = typer.Argument(metavar="lead|company", help="Whether the value is found about the lead or its company.")
_FIELD = typer.Argument(metavar="FIELD", help="The found field, such as country.")

app = typer.Typer(help="List and set from which confidence found values fill fields of leads.", no_args_is_help=True)


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the policies of all found fields that fill fields of leads.

    Example: `leadflood policy list`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.queries.policies import list_policies

        async with open_context(workspace) as context, context.transaction() as tx:
            found = (await list_policies(tx, context.actor)).items
        if as_json:
            print_json(*found)
        else:
            print_table(_COLUMNS, map(_row, found))

    run(work())


@app.command("set")
def set_(
    subject: Literal["lead", "company"] = _SUBJECT,
    field: str = _FIELD,
    fill_at: float | None = typer.Option(None, help="Confidence from 0 to 1 from which it fills. Without it: never."),
    suggest: bool = typer.Option(True, "--suggest/--no-suggest", help="Suggest values below that."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Estimate only."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Set the policy of a found field. Leads follow by a job.

    Example: `leadflood policy set company country --fill-at 0.9 --dry-run`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.policies import SetFillPolicy
        from leadflood.domains.enrichment.service import policies

        command = checked(SetFillPolicy, {"fillAt": fill_at, "suggest": suggest, "dryRun": dry_run})
        named = {"subject": subject, "field": field}
        async with open_context(workspace) as context, context.transaction() as tx:
            made: FillPolicyView | FillPolicyEstimate
            if dry_run:
                made = await policies.estimate(tx, context.actor, **named, command=command)
            else:
                made = await policies.set_policy(tx, context.actor, **named, command=command, trace={})
        _print(made, as_json=as_json)

    run(work())


@app.command("reset")
def reset(
    subject: Literal["lead", "company"] = _SUBJECT,
    field: str = _FIELD,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Give a found field the standard policy.

    Example: `leadflood policy reset company country`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.service import policies

        async with open_context(workspace) as context, context.transaction() as tx:
            made = await policies.reset_policy(tx, context.actor, subject=subject, field=field, trace={})
        _print(made, as_json=as_json)

    run(work())


@app.command("paid")
def paid(
    ask: Literal["always", "tier"] | None = typer.Argument(
        None, help="always: for each field that is missing. tier: only if the answer can change the tier of a lead."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show or change when sources that charge are asked: always, or only if it can change the tier of the main profile.

    Example: `leadflood policy paid tier`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings
        from leadflood.domains.enrichment.queries.settings import enrichment_settings
        from leadflood.domains.enrichment.service.settings import change_settings

        async with open_context(workspace) as context, context.transaction() as tx:
            if ask is None:
                found = await enrichment_settings(tx, context.actor)
            else:
                command = checked(ChangeEnrichmentSettings, {"paidSourcesOnlyForTier": ask == "tier"})
                found = await change_settings(tx, context.actor, command=command)
        if as_json:
            print_json(found)
        else:
            print_facts([("paid sources", "tier" if found.paid_sources_only_for_tier else "always")])

    run(work())


def _print(made: "FillPolicyView | FillPolicyEstimate", *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    print_facts([*made.model_dump().items()])
    if job_id := getattr(made, "job_id", None):
        note(f"Leads are updated by job {job_id}.")


_COLUMNS = tuple(map(TableColumn, ("about", "field", "lead field", "fill at", "suggest", "changed")))


def _row(policy: "FillPolicyView") -> tuple[object, ...]:
    at = "never" if policy.fill_at is None else f"{policy.fill_at:.2f}"
    suggests = "yes" if policy.suggest else "no"
    return policy.subject, policy.field, policy.lead_field, at, suggests, "" if policy.standard else "yes"
