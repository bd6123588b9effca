"""Settings of enrichment: which found values fill the fields of leads."""

from typing import Any, Final

from leadflood.domains.enrichment.contracts.policies import FillPolicyView, SetFillPolicy
from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings
from leadflood.domains.enrichment.errors import FactFieldNotFound
from leadflood.domains.enrichment.models.filling import FILLING
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE
from leadflood.domains.enrichment.queries.policies import list_policies
from leadflood.domains.enrichment.queries.settings import enrichment_settings
from leadflood.domains.enrichment.service import policies
from leadflood.domains.enrichment.service.settings import change_settings
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH: Final = "/settings/enrichment"
_POLICY: Final = f"{_PATH}/{{subject}}/{{field}}"
_MODES: Final = [("fill", "Fill empty fields"), ("suggest", "Only suggest"), ("never", "Never")]
_PERCENT: Final = 100


@pages.get(_PATH, LEADS_READ)
async def list_fill_policies(ctx: PageContext) -> PageResult:
    """The policies of all found fields."""
    async with ctx.reading() as tx:
        found = await list_policies(tx, ctx.actor)
        chosen = await enrichment_settings(tx, ctx.actor)
    context = {
        "policies": found.items,
        "labels_of": _labels(),
        "percent_of": _percent,
        "form": Form.of({"onlyForTier": "on" if chosen.paid_sources_only_for_tier else ""}),
    }
    return PageResponse("policies/list.html", context)


@pages.post(_PATH, ENRICHMENT_WRITE)
async def change_enrichment_settings(ctx: PageContext) -> PageResult:
    """Change when paid sources are asked."""
    command = validated(ChangeEnrichmentSettings, {"paidSourcesOnlyForTier": ctx.form.checked("onlyForTier")})
    async with ctx.writing() as tx:
        await change_settings(tx, ctx.actor, command=command)
    return Redirect(_PATH, [Toast("Saved.")])


@pages.get(_POLICY, ENRICHMENT_WRITE)
async def show_fill_policy(ctx: PageContext) -> PageResult:
    """The form of a policy, with its effect as soon as one is chosen."""
    if "mode" not in ctx.query:
        return await _page(ctx, None)
    return await _page(ctx, Form.of({name: ctx.query.get(name, "") for name in ("mode", "at", "below")}))


@pages.post(_POLICY, ENRICHMENT_WRITE)
async def set_fill_policy(ctx: PageContext) -> PageResult:
    """Set the policy; lists follow by a job."""
    subject, field = _names(ctx)
    try:
        command = _command(ctx.form)
        async with ctx.writing() as tx:
            made = await policies.set_policy(
                tx, ctx.actor, subject=subject, field=field, command=command, trace=ctx.trace
            )
    except InvalidInput as error:
        return await _page(ctx, ctx.form.refused(error), error.status)
    return Redirect(_PATH, [_toast(made)])


@pages.post(f"{_POLICY}/resets", ENRICHMENT_WRITE)
async def reset_fill_policy(ctx: PageContext) -> PageResult:
    """Give the field the standard policy."""
    subject, field = _names(ctx)
    async with ctx.writing() as tx:
        made = await policies.reset_policy(tx, ctx.actor, subject=subject, field=field, trace=ctx.trace)
    return Redirect(_PATH, [_toast(made)])


async def _page(ctx: PageContext, form: Form | None, status: int = 200) -> PageResponse:
    subject, field = _names(ctx)
    estimate = None
    async with ctx.reading() as tx:
        found = (await list_policies(tx, ctx.actor)).items
        policy = next((item for item in found if (item.subject.value, item.field) == (subject, field)), None)
        if policy is None:
            raise FactFieldNotFound([item.field for item in found])
        if form is not None and not form.errors:
            try:
                estimate = await policies.estimate(tx, ctx.actor, subject=subject, field=field, command=_command(form))
            except AppError as error:
                if error.is_fault:
                    raise
                form, status = form.refused(error), error.status
    context: dict[str, Any] = {
        "policy": policy,
        "labels_of": _labels(),
        "form": form or _form_of(policy),
        "modes": _MODES,
        "estimate": estimate,
        "path": f"{_PATH}/{subject}/{field}",
    }
    return PageResponse("policies/policy.html", context, status)


def _names(ctx: PageContext) -> tuple[str, str]:
    return ctx.request.path_params["subject"], ctx.request.path_params["field"]


def _labels() -> dict[tuple[str, str], str]:
    return {(field.subject.value, field.name): field.label for field in FILLING}


def _percent(value: float) -> int:
    return round(value * _PERCENT)


def _form_of(policy: FillPolicyView) -> Form:
    mode = "fill" if policy.fill_at is not None else "suggest" if policy.suggest else "never"
    at = _percent(0.8 if policy.fill_at is None else policy.fill_at)
    return Form.of({"mode": mode, "at": str(at), "below": "on" if policy.suggest else ""})


def _command(form: Form) -> SetFillPolicy:
    """Raises: InvalidInput."""
    mode = form.value("mode")
    if mode not in dict(_MODES):
        raise InvalidInput("No policy.", errors=[FieldError("/mode", "required", "Choose what to do.")])
    if mode != "fill":
        return validated(SetFillPolicy, {"fillAt": None, "suggest": mode == "suggest"})
    at = form.number("at")
    if not isinstance(at, int) or not 0 <= at <= _PERCENT:
        fault = FieldError("/at", "out_of_range", "Enter a percentage from 0 to 100.")
        raise InvalidInput("No confidence.", errors=[fault])
    return validated(SetFillPolicy, {"fillAt": at / _PERCENT, "suggest": form.checked("below")})


def _toast(made: FillPolicyView) -> Toast:
    link = f"/jobs/{made.job_id}" if made.job_id else None
    return Toast("Saved. Leads are updated in the background.", link=link, link_text="View job")
