"""The page of spending: budgets, what was spent, transfers, and calls in doubt."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from starlette.responses import StreamingResponse

from leadflood.domains.spending import queries, service
from leadflood.domains.spending.contracts import BudgetView, ChangeBudget, CreateBudget, SpendBy, SpendView
from leadflood.domains.spending.models import MICROS, BudgetState, Period, PurchaseState, Scope
from leadflood.domains.spending.permissions import SPENDING_READ, SPENDING_WRITE
from leadflood.domains.spending.queries import spend
from leadflood.domains.spending.queries.transfer_file import transfer_lines
from leadflood.kernel.downloads import attachment
from leadflood.kernel.errors import AppError
from leadflood.web.amounts import required_amount
from leadflood.web.cookies import Toast
from leadflood.web.formats import money
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.plot_data import plot_data
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH: Final = "/spending"
_ROWS: Final = 50
_TRANSFERS: Final = 20
_TABS: Final = {SpendBy.SOURCE: "Source", SpendBy.BATCH: "Enrichment", SpendBy.PERSON: "Person"}
_SCOPES: Final = [("workspace", "Everything"), ("source", "One source"), ("lead", "Each lead or company")]
_PERIODS: Final = [("month", "Month"), ("day", "Day"), ("total", "In total")]
_NAMES: Final = {Scope.WORKSPACE: "Everything", Scope.LEAD: "Each lead or company", Scope.BATCH: "An enrichment"}
_SPANS: Final = {Period.TOTAL: "in total", Period.MONTH: "this month", Period.DAY: "today"}
_KINDS: Final = {
    "reserve": "Reserved",
    "settle": "Spent",
    "release": "Released",
    "hold": "In doubt",
    "overrun": "Charged beyond the maximum",
    "write_off": "Written off",
    "refund": "Refunded",
}


@dataclass(frozen=True, slots=True)
class _Day:
    """A day in the plot. Amounts are in the currency, not in micros."""

    starts_at: datetime
    spent: float


@pages.get(_PATH, SPENDING_READ, live=("spending_books",))
async def show_spending(ctx: PageContext) -> PageResult:
    """Budgets, spending of the last 30 days, transfers, and calls in doubt."""
    return await _page(ctx, Form())


@pages.post(f"{_PATH}/budgets", SPENDING_WRITE)
async def create_budget(ctx: PageContext) -> PageResult:
    """Create a budget."""
    form = ctx.form
    try:
        scope = form.value("scope")
        given = {
            "scope": scope,
            "subject": form.value("subject").strip() or None if scope == Scope.SOURCE else None,
            "period": form.value("period"),
            "limitMicros": required_amount(form, "limit"),
        }
        async with ctx.writing() as tx:
            await service.create_budget(tx, ctx.actor, command=validated(CreateBudget, given))
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form.refused(error), error.status)
    return Redirect(_PATH, [Toast("Budget created.")])


@pages.post(f"{_PATH}/budgets/{{id}}", SPENDING_WRITE)
async def change_budget(ctx: PageContext) -> PageResult:
    """Pause, open or close a budget."""
    state = ctx.form.value("state")
    async with ctx.writing() as tx:
        await service.change_budget(
            tx,
            ctx.actor,
            budget_id=ctx.id(),
            command=validated(ChangeBudget, {"state": state}),
            expected_version=ctx.form.version(),
        )
    return Redirect(_PATH, [Toast({"paused": "Budget paused.", "open": "Budget opened."}.get(state, "Budget closed."))])


@pages.post(f"{_PATH}/purchases/{{id}}/write-offs", SPENDING_WRITE)
async def write_off(ctx: PageContext) -> PageResult:
    """Count the maximum of a call in doubt as spent."""
    async with ctx.writing() as tx:
        await service.write_off_purchase(tx, ctx.actor, purchase_id=ctx.id())
    return Redirect(_PATH, [Toast("Written off.")])


@pages.get(f"{_PATH}/transfers", SPENDING_READ)
async def export_transfers(ctx: PageContext) -> PageResult:
    """All transfers as CSV."""
    pieces = transfer_lines(ctx.parts.database, ctx.actor)
    return StreamingResponse(
        pieces, headers={"Content-Disposition": attachment("transfers.csv")}, media_type="text/csv"
    )


async def _page(ctx: PageContext, form: Form, status: int = 200) -> PageResponse:
    given = ctx.query.get("by", "")
    by = SpendBy(given) if given in set(_TABS) else SpendBy.SOURCE
    async with ctx.reading() as tx:
        budgets = (await queries.list_budgets(tx, ctx.actor, limit=_ROWS)).items
        days = await spend.spend(tx, ctx.actor, by=SpendBy.DAY)
        found = await spend.spend(tx, ctx.actor, by=by)
        transfers = await spend.list_transfers(tx, ctx.actor, limit=_TRANSFERS)
        doubts = await queries.list_purchases(tx, ctx.actor, state=PurchaseState.IN_DOUBT, limit=_ROWS)
    points = _points(days)
    context: dict[str, Any] = {
        "budgets": budgets,
        "name_of": _name,
        "money": lambda micros: money(micros, found.currency),
        "spent": found,
        "days": points,
        "day_amounts": {item.key: item.spent_micros for item in days.items},
        "plot": plot_data(points, {"Spent": "spent"}, zone="UTC", days=True, unit=found.currency),
        "exhausted": {item.id: _exhausted(item, days) for item in budgets},
        "tabs": [(text, f"{_PATH}?by={value}", value == by) for value, text in _TABS.items()],
        "group": _TABS[by],
        "transfers": transfers.items,
        "kinds": _KINDS,
        "doubts": doubts.items,
        "form": form,
        "scopes": _SCOPES,
        "periods": _PERIODS,
    }
    return PageResponse("spending/spending.html", context, status)


def _name(budget: BudgetView) -> str:
    """A budget in words, such as "Everything, this month"."""
    return f"{_NAMES.get(budget.scope, budget.subject)}, {_SPANS[budget.period]}"


def _points(found: SpendView) -> list[_Day]:
    """One point for each day of the period."""
    spent = {item.key: item.spent_micros for item in found.items}
    count = (found.until - found.since).days + 1
    every = [found.since + timedelta(days=place) for place in range(count)]
    return [
        _Day(datetime.combine(day, time(), UTC), float(Decimal(spent.get(day.isoformat(), 0)) / MICROS))
        for day in every
    ]


def _exhausted(budget: BudgetView, found: SpendView) -> date | None:
    """The day on which a budget of the workspace is used up at the average of the last seven days."""
    if budget.scope is not Scope.WORKSPACE or budget.window is None or budget.state is not BudgetState.OPEN:
        return None
    since = (found.until - timedelta(days=6)).isoformat()
    average = sum(item.spent_micros for item in found.items if item.key >= since) / 7
    if not average:
        return None
    day = found.until + timedelta(days=min(int(budget.window.left_micros / average), 3650))
    return day if budget.window.ends_at is None or day < budget.window.ends_at.date() else None
