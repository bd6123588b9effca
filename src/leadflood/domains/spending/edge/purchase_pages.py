"""Purchases: the list, and the page of one with the form of a refund."""

from typing import Any, Final

from leadflood.domains.spending import queries, service
from leadflood.domains.spending.contracts import PurchaseView, Refund
from leadflood.domains.spending.errors import PurchaseNotReady
from leadflood.domains.spending.extensions import PURCHASE_EXTENSIONS
from leadflood.domains.spending.models import PurchaseState
from leadflood.domains.spending.models.amounts import amount_input
from leadflood.domains.spending.permissions import SPENDING_READ, SPENDING_WRITE
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.amounts import form_amount
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import shown_panels
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH: Final = "/spending/purchases"
_ROWS: Final = 50
_CURSOR: Final = "purchases"
_AMOUNT: Final = "amountMicros"
_STATES: Final = {
    PurchaseState.RESERVED: ("Under way", "info"),
    PurchaseState.IN_DOUBT: ("In doubt", "warn"),
    PurchaseState.SETTLED: ("Charged", "ok"),
    PurchaseState.WRITTEN_OFF: ("Written off", "neutral"),
    PurchaseState.RELEASED: ("Not charged", "neutral"),
}


@pages.get(_PATH, SPENDING_READ)
async def list_purchases(ctx: PageContext) -> PageResult:
    """Purchases, newest first."""
    async with ctx.reading() as tx:
        page = await queries.list_purchases(tx, ctx.actor, after=ctx.after(_CURSOR), limit=_ROWS)
    context = {
        "purchases": page.items,
        "states": _STATES,
        "next": ctx.cursor(page, _CURSOR),
        "paged": "after" in ctx.query,
    }
    return PageResponse("spending/purchases.html", context)


@pages.get(f"{_PATH}/{{id}}", SPENDING_READ)
async def show_purchase(ctx: PageContext) -> PageResult:
    """A purchase, and the form of a refund."""
    return await _page(ctx, None)


@pages.post(f"{_PATH}/{{id}}/refunds", SPENDING_WRITE)
async def refund_purchase(ctx: PageContext) -> PageResult:
    """Book an amount that the provider returned."""
    form = ctx.form
    try:
        command = validated(Refund, _given(form))
        charged = form.number("charged")
        async with ctx.writing() as tx:
            await service.refund(
                tx,
                ctx.actor,
                purchase_id=ctx.id(),
                command=command,
                expected_charged=charged if isinstance(charged, int) else -1,
            )
    except (InvalidInput, PurchaseNotReady) as error:
        return await _page(ctx, form.refused(error), error.status)
    return Redirect(f"{_PATH}/{ctx.id()}", [Toast("Refund recorded.")])


async def _page(ctx: PageContext, form: Form | None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        purchase = await queries.get_purchase(tx, ctx.actor, purchase_id=ctx.id())
        panels = await shown_panels(tx, ctx, PURCHASE_EXTENSIONS, purchase.id)
    context: dict[str, Any] = {
        "purchase": purchase,
        "state": _STATES[purchase.state],
        "form": form or _refund_form(purchase),
        "refundable": purchase.charged_micros > 0,
        "panels": panels,
    }
    return PageResponse("spending/purchase.html", context, status)


def _given(form: Form) -> dict[str, Any]:
    """Values of the form. Raises: InvalidInput."""
    amount, sentence = form_amount(form, _AMOUNT), form.value("sentence").strip()
    if amount == 0:
        fault = FieldError(f"/{_AMOUNT}", "too_small", "Must be more than 0.")
        raise InvalidInput("Fix the errors below.", errors=[fault])
    given = {_AMOUNT: amount, "sentence": sentence}
    return {name: value for name, value in given.items() if value}


def _refund_form(purchase: PurchaseView) -> Form:
    return Form.of({_AMOUNT: amount_input(purchase.charged_micros)})
