"""Pages of rules: the list, the form, and a rule with its dry run and its runs."""

from collections.abc import Mapping
from typing import Any, Final

from leadflood.domains.icps import queries as icps
from leadflood.domains.rules import queries, service
from leadflood.domains.rules.contracts import CreateRule, RuleView, UpdateRule
from leadflood.domains.rules.labels import action_text, condition_text
from leadflood.domains.rules.models import ActionType, Trigger
from leadflood.domains.rules.permissions import RULES_READ, RULES_WRITE
from leadflood.domains.rules.queries import targets
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, NotFound
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

PATH: Final = "/rules"
_RUNS: Final = 50
_FIELDS: Final = {
    ActionType.ASSIGN_OWNER: "owner",
    ActionType.SET_STAGE: "stage",
    ActionType.ADD_TO_LIST: "lists",
    ActionType.ADD_TAG: "tags",
}
"""Fields of the form, by the actions that they are for."""
_PLACES: Final = {"icpId": "place", "tier": "place", "actions": "tags"}
"""Fields of the form that stand for those of a rule."""
OUTCOMES: Final = {"done": ("ok", "Done"), "failed": ("bad", "Failed"), "stopped": ("warn", "Stopped")}


@pages.get(PATH, RULES_READ)
async def list_rules(ctx: PageContext) -> PageResult:
    """All rules, or what a rule is."""
    async with ctx.reading() as tx:
        found = await queries.list_rules(tx, ctx.actor)
        profiles = await icps.list_icps(tx, ctx.actor) if not found else []
    context = {"rules": found, "has_profiles": bool(profiles), "condition": _condition, "problem": _problem}
    return PageResponse("rules/list.html", context)


@pages.get(f"{PATH}/new", RULES_WRITE)
async def show_new_rule(ctx: PageContext) -> PageResult:
    """The form for a new rule."""
    return await _form(ctx, Form.of({"trigger": Trigger.ENTERS.value, "enabled": "on"}))


@pages.post(PATH, RULES_WRITE)
async def create_rule(ctx: PageContext) -> PageResult:
    """Create a rule."""
    given = _given(ctx.form)
    try:
        command = validated(CreateRule, given)
        async with ctx.writing() as tx:
            made = await service.create_rule(tx, ctx.actor, command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return await _form(ctx, _refused(ctx.form, given, error), status=error.status)
    return Redirect(f"{PATH}/{made.id}", [Toast(f"Rule “{made.name}” created.")])


@pages.get(f"{PATH}/{{id}}", RULES_READ)
async def show_rule(ctx: PageContext) -> PageResult:
    """A rule: its actions, the leads in its tier now, and its runs."""
    async with ctx.reading() as tx:
        rule = await queries.get_rule(tx, ctx.actor, rule_id=ctx.id())
        page = await queries.list_runs(tx, ctx.actor, rule_id=rule.id, after=ctx.after("rule-runs"), limit=_RUNS)
        preview = await queries.dry_run(tx, ctx.actor, rule_id=rule.id)
    context = {
        "rule": rule,
        "condition": _condition(rule),
        "action_text": action_text,
        "preview": preview,
        "runs": page.items,
        "outcomes": OUTCOMES,
        "next": ctx.cursor(page, "rule-runs"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("rules/show.html", context)


@pages.get(f"{PATH}/{{id}}/edit", RULES_WRITE)
async def show_edited_rule(ctx: PageContext) -> PageResult:
    """The form with a rule."""
    async with ctx.reading() as tx:
        rule = await queries.get_rule(tx, ctx.actor, rule_id=ctx.id())
    return await _form(ctx, _form_of(rule), rule=rule)


@pages.post(f"{PATH}/{{id}}", RULES_WRITE)
async def change_rule(ctx: PageContext) -> PageResult:
    """Change a rule."""
    given = _given(ctx.form)
    try:
        command = validated(UpdateRule, given)
        async with ctx.writing() as tx:
            version = ctx.form.version()
            await service.update_rule(tx, ctx.actor, rule_id=ctx.id(), command=command, expected_version=version)
    except AppError as error:
        if error.is_fault:
            raise
        async with ctx.reading() as tx:
            rule = await queries.get_rule(tx, ctx.actor, rule_id=ctx.id())
        return await _form(ctx, _refused(ctx.form, given, error), rule=rule, status=error.status)
    return Redirect(f"{PATH}/{ctx.id()}", [Toast("Rule saved.")])


@pages.post(f"{PATH}/{{id}}/state", RULES_WRITE)
async def set_rule_state(ctx: PageContext) -> PageResult:
    """Enable or disable a rule."""
    enabled = ctx.form.checked("enabled")
    path, version = f"{PATH}/{ctx.id()}", ctx.form.version()
    try:
        command = validated(UpdateRule, {"enabled": enabled})
        async with ctx.writing() as tx:
            await service.update_rule(tx, ctx.actor, rule_id=ctx.id(), command=command, expected_version=version)
    except AppError as error:
        if error.is_fault or isinstance(error, NotFound):
            raise
        return Redirect(path, [Toast(error.detail, "warn")])
    return Redirect(path, [Toast("Rule enabled." if enabled else "Rule disabled.")])


@pages.post(f"{PATH}/{{id}}/deletion", RULES_WRITE)
async def delete_rule(ctx: PageContext) -> PageResult:
    """Delete a rule."""
    async with ctx.writing() as tx:
        await service.delete_rule(tx, ctx.actor, rule_id=ctx.id())
    return Redirect(PATH, [Toast("Rule deleted.")])


def _condition(rule: RuleView) -> str:
    return condition_text(rule.trigger, rule.tier, rule.profile)


def _problem(rule: RuleView) -> str:
    """The first thing that keeps a rule or one of its actions from running."""
    return rule.problem or next((each.problem for each in rule.actions if each.problem), "")


async def _form(ctx: PageContext, form: Form, *, rule: RuleView | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        known = await targets.load_all(tx, ctx.actor)
        context: dict[str, Any] = {
            "form": form,
            "rule": rule,
            "tiers": await _tiers(tx, ctx),
            "owners": [("", "No change"), *known.names[ActionType.ASSIGN_OWNER].items()],
            "stages": [("", "No change"), *known.names[ActionType.SET_STAGE].items()],
        }
    return PageResponse("rules/form.html", context, status)


async def _tiers(tx: Transaction, ctx: PageContext) -> list[tuple[str, str]]:
    """The tiers of all profiles, by the live version, or else by the draft."""
    found: list[tuple[str, str]] = []
    for icp in await icps.list_icps(tx, ctx.actor):
        number = icp.live.number if icp.live else None
        version = await icps.get_version(tx, ctx.actor, icp_id=icp.id, number=number)
        found += [(f"{icp.id} {tier.name}", f"{icp.name}: tier {tier.name}") for tier in version.body.tiers]
    return found


def _given(form: Form) -> dict[str, Any]:
    """The form as the input of a verb."""
    icp_id, _, tier = form.value("place").partition(" ")
    actions = []
    for type_, name in _FIELDS.items():
        texts = form.value(name).split(",") if name in ("lists", "tags") else [form.value(name)]
        actions += [{"type": type_.value, "target": text.strip()} for text in texts if text.strip()]
    return {
        "name": form.value("name"),
        "icpId": icp_id,
        "tier": tier,
        "trigger": form.value("trigger"),
        "actions": actions,
        "includePresent": form.checked("includePresent"),
        "enabled": form.checked("enabled"),
    }


def _refused(form: Form, given: Mapping[str, Any], error: AppError) -> Form:
    """The form with the errors at its own fields."""
    faults: list[FieldError] = []
    for fault in error.errors:
        first, *rest = fault.pointer.strip("/").split("/")
        name, message = _PLACES.get(first, first), fault.message
        if first == "actions" and rest:
            name = _FIELDS[ActionType(given["actions"][int(rest[0])]["type"])]
        elif first == "actions":
            message = "Choose at least one action: an owner, a stage, a list or a tag."
        elif name == "place":
            message = "Choose a profile and a tier."
        faults.append(FieldError(f"/{name}", fault.code, message))
    return Form(form.fields, faults, error.detail)


def _form_of(rule: RuleView) -> Form:
    chosen: dict[str, list[str]] = {name: [] for name in _FIELDS.values()}
    for each in rule.actions:
        by_id = each.type in (ActionType.ASSIGN_OWNER, ActionType.SET_STAGE)
        chosen[_FIELDS[each.type]].append(each.target if by_id else each.name)
    return Form.of(
        {
            "name": rule.name,
            "place": f"{rule.icp_id} {rule.tier}",
            "trigger": rule.trigger.value,
            **{name: ", ".join(values) for name, values in chosen.items()},
            "includePresent": "on" if rule.include_present else None,
            "enabled": "on" if rule.enabled else None,
        }
    )
