"""`leadflood icp …`: ideal customer profiles."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_json, print_table, say

if TYPE_CHECKING:
    from uuid import UUID

    from leadflood.domains.icps.contracts.icps import IcpView
    from leadflood.domains.icps.contracts.scores import LeadScore
    from leadflood.domains.icps.models.evaluate import Facts

app = typer.Typer(help="Check, import, publish and export ideal customer profiles.", no_args_is_help=True)

_NAME = typer.Argument(metavar="PROFILE", help="Name of the profile.")
_NUMBER = typer.Option(None, "--number", min=1, help="Number of the version. Default: the draft, or else the live one.")

_FILE = typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="Profile in YAML.")


@app.command("fields")
def fields(as_json: bool = AS_JSON) -> None:
    """List the facts that a profile can test, with their comparisons. Custom fields are `lead.customFields.KEY`.

    Example: `leadflood icp fields`
    """
    from leadflood.domains.icps.models.catalog import STANDARD

    rows = [(field.key, field.label, field.shape.value, ", ".join(field.shape.operators)) for field in STANDARD]
    if as_json:
        names = ("key", "label", "type", "operators")
        print_json(*(dict(zip(names, row, strict=True)) for row in rows))
    else:
        print_table([TableColumn("key", whole=True), *map(TableColumn, ("label", "type", "comparisons"))], rows)


@app.command("template")
def template(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Name of the template. Without it, all are listed."),
) -> None:
    """Print a profile to begin with, or list the templates.

    Example: `leadflood icp template b2b_saas > profile.yaml`
    """
    from leadflood.domains.icps.models.templates import TEMPLATES, template_text

    if name is None:
        print_table([TableColumn("name", whole=True), TableColumn("for")], TEMPLATES.items())
    elif name in TEMPLATES:
        say(template_text(name).rstrip())
    else:
        message = f"There is no template {name!r}. Provide one of: {', '.join(TEMPLATES)}."
        raise typer.BadParameter(message, param_hint="NAME")


@app.command("check")
def check(file: Path = _FILE) -> None:
    """Check a profile without a database. Custom fields are not known here, and are refused.

    Example: `leadflood icp check profile.yaml`
    """
    from leadflood.domains.icps.contracts.bodies import read_profile
    from leadflood.domains.icps.contracts.files import read_file
    from leadflood.domains.icps.models.catalog import STANDARD

    name, body = read_file(file.read_text(encoding="utf-8"))
    profile = read_profile(body, STANDARD)
    tiers = ", ".join(tier.name for tier in profile.tiers)
    criteria = len(tuple(profile.criteria))
    say(f"{name or 'The profile'} is valid: criteria {criteria}, gates {len(profile.gates)}, tiers {tiers}.")


@app.command("score")
def score(
    file: Path = _FILE,
    facts: Path = typer.Option(..., "--facts", exists=True, dir_okay=False, help="Facts as a JSON object, by key."),
    as_json: bool = AS_JSON,
) -> None:
    """Score facts from a file, without a database: how the points add up, and what would lift the tier.

    Example: `leadflood icp score profile.yaml --facts lead.json`
    """
    from leadflood.domains.icps.contracts.bodies import read_profile
    from leadflood.domains.icps.contracts.files import read_file
    from leadflood.domains.icps.contracts.scores import improvement_views, lead_score
    from leadflood.domains.icps.models.catalog import STANDARD
    from leadflood.domains.icps.models.evaluate import evaluate
    from leadflood.domains.icps.models.improving import improvements
    from leadflood.kernel.clock import utc_now

    _, body = read_file(file.read_text(encoding="utf-8"))
    profile = read_profile(body, STANDARD)
    given = _facts(facts.read_text(encoding="utf-8"))
    found = evaluate(profile, given, STANDARD, utc_now())
    view = lead_score(profile, found, given.values, STANDARD)
    if as_json:
        print_json(view)
        return
    print_score(view)
    best = profile.tiers[0].name
    for each in improvement_views(improvements(profile, found, best)):
        wanted = " + ".join([*each.to_find_out, *(f"{label} (is not so)" for label in each.to_change)])
        note(f"{best} with {each.score} points: {wanted}")


def print_score(view: "LeadScore") -> None:
    """Print how the points of a lead add up."""
    columns = [*map(TableColumn, ("criterion", "result", "value")), TableColumn("points", whole=True)]
    rows: list[tuple[object, ...]] = []
    for group in view.groups:
        for each in group.criteria:
            could = "" if each.lo == each.hi else f" ({each.lo} to {each.hi})"
            values = ", ".join(fact.value for fact in each.facts if fact.value is not None)
            rows.append((each.label, each.result, values, f"{each.points}{could}"))
        cap = "" if group.cap is None else f", at most {group.cap}"
        rows.append((f"= {group.name}{cap}", "", "", str(group.points)))
    print_table(columns, rows)
    for gate in view.gates:
        effect = "excluded" if gate.tier is None else f"at most {gate.tier}"
        note(f"{gate.reason}: {effect}{'' if gate.met else ', if it is so: unknown'}")
    could = "" if view.lo == view.hi else f", could become {view.lo} to {view.hi}"
    unknown = view.total - view.known
    say(f"{view.tier or 'Excluded'}, {view.score} points{could}; {unknown} of {view.total} unknown.")


def _facts(text: str) -> "Facts":
    from leadflood.domains.icps.models.catalog import STANDARD
    from leadflood.domains.icps.models.evaluate import Facts
    from leadflood.kernel.errors import FieldError, InvalidInput

    try:
        given: Any = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        message = 'Provide a JSON object, such as {"lead.country": "DE"}.'
        raise InvalidInput(message)
    errors, values = [], {}
    for key, value in given.items():
        found = frozenset(map(str, value)) if isinstance(value, list) else value
        if key not in STANDARD:
            errors.append(FieldError(f"/{key}", "unknown_field", "Use a key that `leadflood icp fields` lists."))
        elif found is not None and not STANDARD[key].fits(found):
            errors.append(FieldError(f"/{key}", "wrong_type", f"Must be a {STANDARD[key].shape}."))
        elif found is not None:
            values[key] = found
    if errors:
        raise InvalidInput("The facts are not valid.", errors=errors)
    return Facts(values)


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the profiles with their versions.

    Example: `leadflood icp list`
    """

    async def work() -> None:
        from leadflood.domains.icps import queries

        async with open_context(workspace) as context, context.transaction() as tx:
            found = await queries.list_icps(tx, context.actor)
        _print_profiles(found, as_json=as_json)

    run(work())


@app.command("import")
def import_(
    file: Path = _FILE,
    name: str | None = typer.Option(None, help="Name of the profile. Default: the one in the file."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Create a profile from a file, or replace the draft of the profile with its name. Nothing is published.

    Example: `leadflood icp import profile.yaml`
    """
    from leadflood.domains.icps.contracts.files import read_file
    from leadflood.kernel.errors import FieldError, InvalidInput

    given, body = read_file(file.read_text(encoding="utf-8"))
    title = name or given
    if title is None:
        raise InvalidInput(
            "The profile needs a name.", errors=[FieldError("/name", "required", "Give it with --name.")]
        )

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.icps import queries, service
        from leadflood.domains.icps.contracts.icps import CreateIcp, SaveDraft
        from leadflood.kernel.text import search_key

        written = body.written()
        async with open_context(workspace) as context, context.transaction() as tx:
            existing = await queries.icp_named(tx, context.actor, name_key=search_key(title))
            if existing is None:
                create = checked(CreateIcp, {"name": title, "body": written})
                made = await service.create_icp(tx, context.actor, command=create)
            else:
                version = (await queries.get_icp(tx, context.actor, icp_id=existing)).version
                draft = checked(SaveDraft, {"body": written})
                made = await service.save_draft(
                    tx, context.actor, icp_id=existing, command=draft, expected_version=version
                )
        _print_profiles([made], as_json=as_json)

    run(work())


@app.command("export")
def export(profile: str = _NAME, number: int | None = _NUMBER, workspace: str | None = WORKSPACE) -> None:
    """Print a version of a profile as YAML.

    Example: `leadflood icp export "B2B software buyers" > profile.yaml`
    """

    async def work() -> None:
        from leadflood.domains.icps import queries
        from leadflood.domains.icps.contracts.files import write_file

        async with open_context(workspace) as context, context.transaction() as tx:
            icp_id = await find_profile(context, profile)
            icp = await queries.get_icp(tx, context.actor, icp_id=icp_id)
            version = await queries.get_version(tx, context.actor, icp_id=icp_id, number=number)
        say(write_file(icp.name, version.body).rstrip())

    run(work())


@app.command("publish")
def publish(
    profile: str = _NAME, number: int | None = _NUMBER, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """Publish the draft of a profile, or roll back to a former version. A job scores all leads.

    Example: `leadflood icp publish "B2B software buyers" --number 1`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.icps import queries
        from leadflood.domains.icps.contracts.icps import Publish
        from leadflood.domains.icps.service import publishing

        async with open_context(workspace) as context, context.transaction() as tx:
            icp_id = await find_profile(context, profile)
            version = await queries.get_version(tx, context.actor, icp_id=icp_id, number=number)
            command = checked(Publish, {"number": version.number})
            made = await publishing.start(tx, context.actor, icp_id=icp_id, command=command)
        _print_profiles([made], as_json=as_json)
        if made.publishing is not None:
            note(f"Leads are scored by job {made.publishing.job_id}.")

    run(work())


@app.command("explain")
def explain(
    lead: str = typer.Argument(metavar="LEAD", help="Email or ID of the lead."),
    profile: str | None = typer.Option(None, help="Name of the profile. Default: the main one."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show how the points of a lead add up, and what is unknown.

    Example: `leadflood icp explain ada@acme.com`
    """

    async def work() -> None:
        from leadflood.cli.selected_leads import lead_ids
        from leadflood.domains.icps.queries import scores

        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead])
            async with context.transaction(read_only=True) as tx:
                found = await scores.explain(tx, context.actor, lead_id=lead_id, profile=profile)
        if as_json:
            print_json(found)
        else:
            print_score(found)

    run(work())


async def find_profile(context: CliContext, name: str) -> "UUID":
    """The profile with a name. Raises: leadflood.domains.icps.errors.IcpNotFound."""
    from leadflood.domains.icps import queries
    from leadflood.domains.icps.errors import IcpNotFound
    from leadflood.kernel.text import search_key

    async with context.transaction(read_only=True) as tx:
        found = await queries.icp_named(tx, context.actor, name_key=search_key(name))
    if found is None:
        raise IcpNotFound
    return found


def _print_profiles(profiles: "list[IcpView]", *, as_json: bool) -> None:
    if as_json:
        print_json(*profiles)
        return
    columns = [TableColumn("name", whole=True), *map(TableColumn, ("main", "live", "draft", "publishing"))]
    rows = [
        (
            each.name,
            "yes" if each.main else "",
            *(ref.number if ref else "" for ref in (each.live, each.draft, each.publishing)),
        )
        for each in profiles
    ]
    print_table(columns, rows)
