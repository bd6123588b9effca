"""`leadflood source …`: the sources that workers ask, how they do, and the retraction of what one wrote."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table, say
from leadflood.cli.selected_companies import find_company
from leadflood.cli.selected_leads import lead_ids
from leadflood.cli.source_tests import ask_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadflood.domains.enrichment.contracts.retractions import RetractionEstimate, RetractionView
    from leadflood.domains.enrichment.contracts.sources import SourceView

app = typer.Typer(
    help="List and show sources, set their keys, test and enable them, and retract what one wrote.",
    no_args_is_help=True,
)
app.command("test")(ask_once)


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the sources with their state, and what they answered in the last 24 hours.

    Example: `leadflood source list`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.queries import sources
        from leadflood.domains.enrichment.registry import worker_sources
        from leadflood.domains.enrichment.service.workspace_sources import shown_sources

        async with open_context(workspace) as context:
            free = worker_sources(context.platform.settings)
            shown = await shown_sources(context.database, context.actor, free=free)
            found = await sources.list_sources(
                context.database, context.actor, sources=shown.sources, providers=shown.providers
            )
        if as_json:
            print_json(*found)
        else:
            print_table(_COLUMNS, map(_row, found))

    run(work())


@app.command("show")
def show(
    name: str = typer.Argument(help="Name of the source, such as website."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show a source: its state, its answers by outcome, and how often it had a value of each field.

    Example: `leadflood source show website`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            found = await _found(context, name)
        if as_json:
            print_json(found)
            return
        print_facts([("source", found.name), ("state", found.state), ("reason", found.reason), ("until", found.until)])
        print_facts([("questions", found.questions), *found.outcomes.items()])
        print_facts([("median", _seconds(found.seconds_p50)), ("p95", _seconds(found.seconds_p95))])
        if found.fields:
            print_table(
                [TableColumn("field"), TableColumn("answers"), TableColumn("share")],
                [(item.field, f"{item.found} of {item.answers}", f"{item.share:.0%}") for item in found.fields],
            )

    run(work())


@app.command("retract")
def retract(  # noqa: PLR0913, PLR0917  each option is a parameter
    name: str = typer.Argument(help="Name of the source, such as website."),
    since: str = typer.Option(..., metavar="TIME", help="Values written from then on, such as 2026-11-24T00:00Z."),
    until: str | None = typer.Option(None, metavar="TIME", help="Values written before. Default: now."),
    field: str | None = typer.Option(None, help="Only values of this field, such as country."),
    lead: str | None = typer.Option(None, metavar="EMAIL|ID", help="Only values about this lead."),
    company: str | None = typer.Option(None, metavar="ID|DOMAIN", help="Only values about this company."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Count only."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Retract without asking for confirmation."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Retract what a source wrote in a period. Undo it with `leadflood change undo ID`.

    Example: `leadflood source retract website --since 2026-11-24T00:00Z --field country --dry-run`
    """

    async def work() -> None:
        given = {"source": name, "since": since, "until": until, "field": field}
        async with open_context(workspace) as context:
            if lead is not None:
                given["leadId"] = str((await lead_ids(context, [lead]))[0])
            if company is not None:
                given["companyId"] = str((await find_company(context, company)).id)
            given = {key: value for key, value in given.items() if value is not None}
            found = await _counted(context, given)
            if dry_run or not found.values:
                _print_retraction(found, as_json=as_json)
                return
            if not yes and not _confirmed(found.values):
                raise typer.Exit(1)
            made = await _retracted(context, given, found)
        _print_retraction(made, as_json=as_json)
        note(f"Undo with: leadflood change undo {made.id}")

    run(work())


@app.command("set-key")
def set_key(
    name: str = typer.Argument(help="Name of the source, such as hunter_email_verifier."),
    key_stdin: bool = typer.Option(False, "--key-stdin", help="Read the key from standard input."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Set the key of a source's provider, for all of its sources. It is stored encrypted, and never shown again.

    Example: `leadflood source set-key hunter_email_verifier --key-stdin < key.txt`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.source_settings import SetSourceKey
        from leadflood.domains.enrichment.service import source_settings

        command = checked(SetSourceKey, {"key": _key(from_stdin=key_stdin)})
        async with open_context(workspace) as context, context.transaction() as tx:
            box = context.platform.secret_box
            made = await source_settings.set_key(tx, context.actor, box, source=name, command=command)
        if as_json:
            print_json(made)
        else:
            print_facts([("provider", made.provider), ("key", f"…{made.last4}"), ("sources", ", ".join(made.sources))])

    run(work())


@app.command("clear-key")
def clear_key(
    name: str = typer.Argument(help="Name of the source, such as hunter_email_verifier."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Delete the key of a source's provider, and disable its sources.

    Example: `leadflood source clear-key hunter_email_verifier`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.service import source_settings

        async with open_context(workspace) as context, context.transaction() as tx:
            await source_settings.clear_key(tx, context.actor, source=name)
        note("Key deleted.")

    run(work())


@app.command("enable")
def enable(
    name: str = typer.Argument(help="Name of the source, such as hunter_email_verifier."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Enable a source that has a key, and a price if it charges.

    Example: `leadflood source enable hunter_email_verifier`
    """
    _change(name, workspace, enabled=True)


@app.command("disable")
def disable(
    name: str = typer.Argument(help="Name of the source, such as hunter_email_verifier."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Disable a source with a key. Its key stays.

    Example: `leadflood source disable hunter_email_verifier`
    """
    _change(name, workspace, enabled=False)


@app.command("set-model")
def set_model(  # noqa: PLR0913, PLR0917  each option is a parameter
    url: str = typer.Argument(help="Address of an API like OpenAI's, such as https://api.acme-ai.com/v1."),
    model: str = typer.Argument(help="Name of the model, as the API knows it."),
    no_key: bool = typer.Option(False, "--no-key", help="The server needs none. An operator has to allow it."),
    field: list[str] = typer.Option([], metavar="FIELD", help="Ask for this field only; can be repeated."),
    max_bytes: int | None = typer.Option(None, metavar="N", help="Bytes of page text in one question."),
    max_tokens: int | None = typer.Option(None, metavar="N", help="Tokens of an answer."),
    output_weight: int | None = typer.Option(None, metavar="N", help="Price of a token of output, in those of input."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Set up the language model that reads pages of companies' websites. Then set key and price, and enable it.

    Example: `leadflood source set-model https://api.acme-ai.com/v1 acme-small --field industry --field employees`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
        from leadflood.domains.enrichment.service import source_settings
        from leadflood.kernel.door.targets import parse_internal_hosts

        limits = {"maxBytes": max_bytes, "maxTokens": max_tokens, "outputWeight": output_weight}
        given = {name: value for name, value in {**limits, "fields": field or None}.items() if value is not None}
        auth = "none" if no_key else "bearer"
        command = checked(SetModelEndpoint, {"url": url, "model": model, "auth": auth, **given})
        async with open_context(workspace) as context, context.transaction() as tx:
            internal = parse_internal_hosts(context.platform.settings.internal_hosts)
            made = await source_settings.set_model(tx, context.actor, command=command, internal=internal)
        if as_json:
            print_json(made)
            return
        print_facts([("server", made.origin), ("model", made.model), ("fields", ", ".join(made.fields))])
        if made.key_cleared:
            note("The key was for another server and is deleted.")

    run(work())


@app.command("import")
def import_(
    file: Path = typer.Argument(help="Definition of a source as YAML, with its name."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Define a web API as a source from a YAML file, or replace its definition. Keys are no part of it.

    Example: `leadflood source import acme-data.yaml`
    """
    try:
        written = file.read_text("utf-8")
    except (OSError, UnicodeError):
        raise typer.BadParameter(f"{file} cannot be read.", param_hint="FILE") from None

    async def work() -> None:
        import yaml

        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.http_sources import DefineSource
        from leadflood.domains.enrichment.service import source_settings

        try:
            given = yaml.safe_load(written)
        except yaml.YAMLError:
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise typer.BadParameter("The file is no YAML of a source with a name.", param_hint="FILE")
        name = given.pop("name")
        given["statuses"] = {str(status): kind for status, kind in (given.get("statuses") or {}).items()}
        command = checked(DefineSource, given)
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await source_settings.define(tx, context.actor, source=name, command=command)
        note(f"Defined {made.name}." + (" Its key was for another server and is deleted." if made.key_cleared else ""))

    run(work())


@app.command("export")
def export(
    name: str = typer.Argument(help="Name of a source of your own, such as custom_acme_data."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Print the definition of a source of your own as YAML, without its key.

    Example: `leadflood source export custom_acme_data > acme-data.yaml`
    """

    async def work() -> None:
        import yaml

        from leadflood.domains.enrichment.queries.source_settings import defined_source

        async with open_context(workspace) as context, context.transaction() as tx:
            found = await defined_source(tx, context.actor, source=name)
        say(yaml.safe_dump({"name": found.name, **found.definition}, sort_keys=False, allow_unicode=True).rstrip())

    run(work())


def _change(name: str, workspace: str | None, *, enabled: bool) -> None:
    async def work() -> None:
        from leadflood.domains.enrichment.contracts.source_settings import ChangeSource
        from leadflood.domains.enrichment.service import source_settings

        async with open_context(workspace) as context, context.transaction() as tx:
            await source_settings.change(tx, context.actor, source=name, command=ChangeSource(enabled=enabled))
        note("Enabled." if enabled else "Disabled.")

    run(work())


def _key(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().strip()
    if not sys.stdin.isatty():
        raise typer.BadParameter("No terminal to prompt on. Use --key-stdin.", param_hint="--key-stdin")
    entered: str = typer.prompt("Key", hide_input=True, err=True)
    return entered


async def _counted(context: CliContext, given: "Mapping[str, str | None]") -> "RetractionEstimate":
    from leadflood.cli.validation import checked
    from leadflood.domains.enrichment.contracts.retractions import RetractValues
    from leadflood.domains.enrichment.service import retractions

    command = checked(RetractValues, {**given, "dryRun": True})
    async with context.transaction(read_only=True) as tx:
        return await retractions.estimate(tx, context.actor, command=command)


async def _retracted(
    context: CliContext, given: "Mapping[str, str | None]", found: "RetractionEstimate"
) -> "RetractionView":
    """Retract what was counted, and not more."""
    from leadflood.cli.validation import checked
    from leadflood.domains.enrichment.contracts.retractions import RetractValues
    from leadflood.domains.enrichment.service import retractions

    counted = {"expectedCount": found.values, "until": found.until.isoformat()}
    command = checked(RetractValues, {**given, **counted})
    async with context.transaction() as tx:
        return await retractions.retract(tx, context.actor, command=command, trace={})


def _confirmed(values: int) -> bool:
    if not sys.stdin.isatty():
        note("Use --yes to retract without confirmation.")
        return False
    return typer.confirm(f"Retract {values:,} values?", err=True)


def _print_retraction(found: "RetractionEstimate | RetractionView", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        print_facts([*found.model_dump(exclude={"actor"}).items()])


async def _found(context: CliContext, name: str) -> "SourceView":
    from leadflood.domains.enrichment.queries import sources
    from leadflood.domains.enrichment.registry import worker_sources
    from leadflood.domains.enrichment.service.workspace_sources import shown_sources

    free = worker_sources(context.platform.settings)
    shown = await shown_sources(context.database, context.actor, free=free)
    return await sources.get_source(
        context.database, context.actor, name=name, sources=shown.sources, providers=shown.providers
    )


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f} s"


_COLUMNS = (
    TableColumn("source"),
    TableColumn("state"),
    TableColumn("questions"),
    TableColumn("found"),
    TableColumn("median"),
    TableColumn("p95"),
    TableColumn("reason"),
)


def _row(found: "SourceView") -> tuple[object, ...]:
    hits = found.outcomes.get("found", 0)
    share = f"{hits / found.questions:.0%}" if found.questions else ""
    durations = (_seconds(found.seconds_p50), _seconds(found.seconds_p95))
    return found.name, found.state, found.questions, share, *durations, found.reason
