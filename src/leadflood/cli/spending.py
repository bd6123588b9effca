"""`leadflood budget …`, `leadflood price …` and `leadflood spend`: limits, prices, and what was spent."""

from datetime import date
from typing import TYPE_CHECKING, Literal

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from leadflood.domains.spending.contracts import BudgetView, PriceView, SpendRow

budget_app = typer.Typer(help="List, create and change budgets, which limit purchases.", no_args_is_help=True)
price_app = typer.Typer(help="List, set and remove prices. Nothing is purchased without one.", no_args_is_help=True)

_ID = typer.Argument(metavar="ID", help="Budget ID.")
_SOURCE = typer.Argument(metavar="SOURCE", help="Name of the source, such as hunter_email_finder.")


@budget_app.command("list")
def list_budgets(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List budgets with what is spent, held and left in their present period.

    Example: `leadflood budget list`
    """

    async def work() -> None:
        from leadflood.domains.spending import queries

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_budgets)
            await print_pages(fetch, _BUDGETS, _budget_row, limit=None if everything else limit, as_json=as_json)

    run(work())


@budget_app.command("create")
def create_budget(
    limit: str = typer.Argument(metavar="AMOUNT", help="Limit in the workspace's currency, such as 50."),
    per: Literal["total", "month", "day"] = typer.Option("month", help="Time after which it is full again."),
    source: str | None = typer.Option(None, help="Only purchases from this source."),
    each_lead: bool = typer.Option(False, "--each-lead", help="Purchases about each lead or company, one by one."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Create a budget: of the workspace, of a source, or for each lead.

    Example: `leadflood budget create 50 --per month`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.spending import service
        from leadflood.domains.spending.contracts import CreateBudget

        scope = "lead" if each_lead else "workspace" if source is None else "source"
        given = {"scope": scope, "subject": source, "period": per, "limitMicros": _micros(limit)}
        command = checked(CreateBudget, given)
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_budget(tx, context.actor, command=command)
        note(f"Created the budget {made.id}.")

    run(work())


@budget_app.command("set")
def set_budget(
    budget_id: str = _ID,
    limit: str | None = typer.Option(None, metavar="AMOUNT", help="New limit."),
    state: Literal["open", "paused", "closed"] | None = typer.Option(
        None, help="Paused: no call is purchased until it is open. Closed: it does not apply any longer."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Change the limit of a budget, or pause, open or close it. Takes effect before the next call.

    Example: `leadflood budget set 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10 --state paused`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.spending import queries, service
        from leadflood.domains.spending.contracts import ChangeBudget

        given: dict[str, object] = {} if limit is None else {"limitMicros": _micros(limit)}
        command = checked(ChangeBudget, given if state is None else {**given, "state": state})
        async with open_context(workspace) as context, context.transaction() as tx:
            found = await queries.get_budget(tx, context.actor, budget_id=parse_id(budget_id))
            changed = await service.change_budget(
                tx, context.actor, budget_id=found.id, command=command, expected_version=found.version
            )
        if as_json:
            print_json(changed)
        else:
            print_table(_BUDGETS, [_budget_row(changed)])

    run(work())


@price_app.command("list")
def list_prices(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the prices of sources.

    Example: `leadflood price list`
    """

    async def work() -> None:
        from leadflood.domains.spending import queries

        async with open_context(workspace) as context, context.transaction() as tx:
            found = (await queries.list_prices(tx, context.actor)).items
        if as_json:
            print_json(*found)
        else:
            print_table(_PRICES, map(_price_row, found))

    run(work())


@price_app.command("set")
def set_price(
    source: str = _SOURCE,
    amount: str = typer.Argument(metavar="AMOUNT", help="Price of one unit, such as 0.025."),
    most_per_hit: str | None = typer.Option(
        None, metavar="AMOUNT", help="The source is paused if a found answer costs more on average."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Set the price of one unit of a source. Ends a pause of the source.

    Example: `leadflood price set hunter_email_finder 0.025`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.spending import service
        from leadflood.domains.spending.contracts import SetPrice

        most = None if most_per_hit is None else _micros(most_per_hit)
        command = checked(SetPrice, {"priceMicros": _micros(amount), "mostPerHitMicros": most})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.set_price(tx, context.actor, source=source, command=command)
        if as_json:
            print_json(made)
        else:
            print_table(_PRICES, [_price_row(made)])

    run(work())


@price_app.command("remove")
def remove_price(source: str = _SOURCE, workspace: str | None = WORKSPACE) -> None:
    """Remove the price of a source: nothing is purchased from it any longer.

    Example: `leadflood price remove hunter_email_finder`
    """

    async def work() -> None:
        from leadflood.domains.spending import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.remove_price(tx, context.actor, source=source)
        note(f"Removed the price of {source}.")

    run(work())


def spend(
    by: Literal["source", "day", "batch", "person"] = typer.Option("source", help="Grouping."),
    since: str | None = typer.Option(None, metavar="DATE", help="First day, such as 2026-11-24. Default: 30 days."),
    until: str | None = typer.Option(None, metavar="DATE", help="Last day. Default: today."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show what was spent by source, day, batch or person.

    Example: `leadflood spend --by day --since 2026-11-24`
    """

    async def work() -> None:
        from leadflood.domains.spending.contracts import SpendBy
        from leadflood.domains.spending.models.amounts import amount_text
        from leadflood.domains.spending.queries import spend as queries

        days = {"since": _day(since, "--since"), "until": _day(until, "--until")}
        async with open_context(workspace) as context, context.transaction() as tx:
            found = await queries.spend(tx, context.actor, by=SpendBy(by), **days)
        if as_json:
            print_json(found)
            return
        print_facts(
            [
                ("period", f"{found.since} – {found.until}"),
                ("spent", amount_text(found.spent_micros, found.currency)),
                ("held", amount_text(found.held_micros, found.currency)),
                ("not spent", amount_text(found.avoided_micros, found.currency)),
                ("calls not made", found.avoided_calls),
            ]
        )
        print_table(_SPEND, [_spend_row(row, found.currency) for row in found.items])

    run(work())


def _micros(text: str) -> int:
    """Raises: InvalidInput: it is no amount."""
    from leadflood.domains.spending.models.amounts import micros_of
    from leadflood.kernel.errors import InvalidInput
    from leadflood.kernel.text import InvalidValue

    try:
        return micros_of(text)
    except InvalidValue as error:
        raise InvalidInput(f"{text!r}: {error}") from None


def _day(text: str | None, option: str) -> date | None:
    """Raises: InvalidInput: it is no date."""
    from leadflood.kernel.errors import InvalidInput

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} must be a date such as 2026-11-24.") from None


_BUDGETS = [TableColumn(name) for name in ("id", "for", "per", "limit", "spent", "held", "left", "state")]
_PRICES = [TableColumn(name) for name in ("source", "price", "most per found answer", "paused")]
_SPEND = [TableColumn(name) for name in ("group", "purchases", "found", "spent", "held")]


def _budget_row(item: "BudgetView") -> tuple[object, ...]:
    from leadflood.domains.spending.models.amounts import amount_text

    window, currency = item.window, item.currency
    amounts: tuple[str | None, ...] = (None, None, None)
    if window is not None:
        held = window.reserved_micros + window.in_doubt_micros
        amounts = tuple(amount_text(each, currency) for each in (window.spent_micros, held, window.left_micros))
    limit = amount_text(item.limit_micros, currency)
    return (item.id, item.subject or item.scope, item.period, limit, *amounts, item.state)


def _price_row(item: "PriceView") -> tuple[object, ...]:
    from leadflood.domains.spending.models.amounts import amount_text

    most = None if item.most_per_hit_micros is None else amount_text(item.most_per_hit_micros, item.currency)
    return (item.source, amount_text(item.price_micros, item.currency), most, item.pause_reason)


def _spend_row(item: "SpendRow", currency: str) -> tuple[object, ...]:
    from leadflood.domains.spending.models.amounts import amount_text

    amounts = (amount_text(item.spent_micros, currency), amount_text(item.held_micros, currency))
    return (item.label, item.purchases, item.hits, *amounts)
