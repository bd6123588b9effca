"""`leadflood icp …`: ideal customer profiles."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from leadflood.cli.listing import AS_JSON
from leadflood.cli.output import TableColumn, note, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.icps.contracts.scores import LeadScore
    from leadflood.domains.icps.models.evaluate import Facts

app = typer.Typer(help="Check, show and score ideal customer profiles.", no_args_is_help=True)

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
