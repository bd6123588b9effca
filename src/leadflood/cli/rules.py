"""`leadflood rule …`: rules on tiers."""

from typing import TYPE_CHECKING, Any

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadflood.domains.rules.contracts import RuleView

app = typer.Typer(help="Do something with leads that enter or leave a tier of a profile.", no_args_is_help=True)

_NAME = typer.Argument(metavar="RULE", help="Name of the rule. Case doesn't matter.")
_LATEST = 10
"""Runs that are shown with a rule."""


@app.command("add")
def add(  # noqa: PLR0913, PLR0917  each option is a parameter
    name: str = typer.Argument(metavar="NAME", help="Name of the rule."),
    profile: str = typer.Option(..., "--profile", help="Name of the profile."),
    enters: str | None = typer.Option(None, "--enters", metavar="TIER", help="Run it on leads that enter this tier."),
    leaves: str | None = typer.Option(None, "--leaves", metavar="TIER", help="Run it on leads that leave this tier."),
    owner: str | None = typer.Option(None, "--owner", help="Assign this member: email or ID."),
    stage: str | None = typer.Option(None, "--stage", help="Set this stage: name or key."),
    lists: list[str] = typer.Option([], "--list", help="Add to this list: name or ID. Repeat it for more."),
    tags: list[str] = typer.Option([], "--tag", help="Add this tag. Repeat it for more."),
    include_present: bool = typer.Option(False, "--include-present", help="Also run it on leads in the tier now."),
    enabled: bool = typer.Option(True, "--enabled/--disabled", help="Whether it runs from now on."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Add a rule. Give either --enters or --leaves, and at least one action.

    Example: `leadflood rule add "Hot leads" --profile Main --enters A --tag Hot --owner eve@acme.com`
    """
    actions = _actions({"assignOwner": [owner], "setStage": [stage], "addToList": lists, "addTag": tags})
    fields: dict[str, Any] = {
        "name": name,
        **_trigger(enters, leaves),
        "actions": actions,
        "includePresent": include_present,
        "enabled": enabled,
    }

    async def work() -> None:
        from leadflood.cli.icps import find_profile
        from leadflood.cli.validation import checked
        from leadflood.domains.rules import service
        from leadflood.domains.rules.contracts import CreateRule

        async with open_context(workspace) as context:
            icp_id = await find_profile(context, profile)
            command = checked(CreateRule, {**fields, "icpId": str(icp_id)})
            async with context.transaction() as tx:
                made = await service.create_rule(tx, context.actor, command=command)
        _print_rules([made], as_json=as_json)

    run(work())


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the rules by name, with the number of their runs in the last 90 days.

    Example: `leadflood rule list`
    """

    async def work() -> None:
        from leadflood.domains.rules import queries

        async with open_context(workspace) as context, context.transaction(read_only=True) as tx:
            found = await queries.list_rules(tx, context.actor)
        _print_rules(found, as_json=as_json)

    run(work())


@app.command("show")
def show(name: str = _NAME, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a rule: its actions, what keeps it from running, and the latest runs.

    Example: `leadflood rule show "Hot leads"`
    """

    async def work() -> None:
        from leadflood.domains.rules import queries
        from leadflood.domains.rules.labels import action_text, condition_text

        async with open_context(workspace) as context:
            rule = await _find(context, name)
            async with context.transaction(read_only=True) as tx:
                runs = await queries.list_runs(tx, context.actor, rule_id=rule.id, limit=_LATEST)
        if as_json:
            print_json(rule)
            return
        say(f"{condition_text(rule.trigger, rule.tier, rule.profile)}{'' if rule.enabled else ' (disabled)'}.")
        for action in rule.actions:
            say(f"- {action_text(action.type, action.name)}{f': {action.problem}' if action.problem else ''}")
        if rule.problem:
            note(rule.problem)
        errors = [(run_, next((each.error for each in run_.results if each.error), "")) for run_ in runs.items]
        rows = [(run_.ran_at, run_.email, run_.outcome, error) for run_, error in errors]
        print_table([*map(TableColumn, ("at", "lead", "outcome", "error"))], rows)

    run(work())


@app.command("dry-run")
def dry_run(name: str = _NAME, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Count the leads in the tier of a rule, and those that its actions would change. Nothing is written.

    Example: `leadflood rule dry-run "Hot leads"`
    """

    async def work() -> None:
        from leadflood.domains.rules import queries

        async with open_context(workspace) as context:
            rule = await _find(context, name)
            async with context.transaction(read_only=True) as tx:
                found = await queries.dry_run(tx, context.actor, rule_id=rule.id)
        if as_json:
            print_json(found)
            return
        say(f"{found.leads} leads are in tier {rule.tier}; the rule would change {found.changes} of them.")
        rows = [(each.email, "yes" if each.changes else "") for each in found.examples]
        print_table([*map(TableColumn, ("lead", "would change"))], rows)

    run(work())


@app.command("enable")
def enable(name: str = _NAME, workspace: str | None = WORKSPACE) -> None:
    """Enable a rule. Leads that moved while it was disabled do not count.

    Example: `leadflood rule enable "Hot leads"`
    """
    _set(name, workspace, enabled=True)


@app.command("disable")
def disable(name: str = _NAME, workspace: str | None = WORKSPACE) -> None:
    """Disable a rule.

    Example: `leadflood rule disable "Hot leads"`
    """
    _set(name, workspace, enabled=False)


@app.command("delete")
def delete(name: str = _NAME, workspace: str | None = WORKSPACE) -> None:
    """Delete a rule. What it did to leads stays.

    Example: `leadflood rule delete "Hot leads"`
    """

    async def work() -> None:
        from leadflood.domains.rules import service

        async with open_context(workspace) as context:
            rule = await _find(context, name)
            async with context.transaction() as tx:
                await service.delete_rule(tx, context.actor, rule_id=rule.id)
        note(f"Deleted the rule {rule.name}.")

    run(work())


def _trigger(enters: str | None, leaves: str | None) -> dict[str, str]:
    if enters is not None and leaves is None:
        return {"trigger": "enters", "tier": enters}
    if leaves is not None and enters is None:
        return {"trigger": "leaves", "tier": leaves}
    message = "Give either --enters or --leaves."
    raise typer.BadParameter(message, param_hint="--enters")


def _actions(given: "Mapping[str, Sequence[str | None]]") -> list[dict[str, str]]:
    actions = [{"type": type_, "target": each} for type_, targets in given.items() for each in targets if each]
    if not actions:
        message = "Give at least one of --owner, --stage, --list and --tag."
        raise typer.BadParameter(message, param_hint="--tag")
    return actions


def _set(name: str, workspace: str | None, *, enabled: bool) -> None:
    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.rules import service
        from leadflood.domains.rules.contracts import UpdateRule

        command = checked(UpdateRule, {"enabled": enabled})
        async with open_context(workspace) as context:
            rule = await _find(context, name)
            async with context.transaction() as tx:
                await service.update_rule(
                    tx, context.actor, rule_id=rule.id, command=command, expected_version=rule.version
                )
        note(f"The rule {rule.name} is {'enabled' if enabled else 'disabled'}.")

    run(work())


async def _find(context: CliContext, name: str) -> "RuleView":
    """The rule with a name. Raises: leadflood.domains.rules.errors.RuleNotFound."""
    from leadflood.domains.rules import queries
    from leadflood.domains.rules.errors import RuleNotFound
    from leadflood.kernel.text import search_key

    async with context.transaction(read_only=True) as tx:
        rule_id = await queries.rule_named(tx, context.actor, name_key=search_key(name))
        if rule_id is None:
            raise RuleNotFound
        return await queries.get_rule(tx, context.actor, rule_id=rule_id)


def _print_rules(rules: "list[RuleView]", *, as_json: bool) -> None:
    from leadflood.domains.rules.labels import condition_text

    if as_json:
        print_json(*rules)
        return
    columns = [TableColumn("name", whole=True), *map(TableColumn, ("when", "enabled", "runs", "failures", "problem"))]
    rows = [
        (
            each.name,
            condition_text(each.trigger, each.tier, each.profile),
            "yes" if each.enabled else "",
            each.runs,
            each.failures,
            each.problem or next((action.problem for action in each.actions if action.problem), ""),
        )
        for each in rules
    ]
    print_table(columns, rows)
