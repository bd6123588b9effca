"""`leadflood purchase …`: calls to sources that charge, and what becomes of those whose answer was lost."""

from typing import TYPE_CHECKING, Literal

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, print_json, print_table

if TYPE_CHECKING:
    from leadflood.domains.spending.contracts import PurchaseView

app = typer.Typer(help="List purchases, and ask again where an answer was lost.", no_args_is_help=True)


@app.command("list")
def list_purchases(
    state: Literal["reserved", "in_doubt", "settled", "released", "written_off"] | None = typer.Option(
        None, help="Only those in this state."
    ),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List purchases, newest first.

    Example: `leadflood purchase list --state in_doubt`
    """

    async def work() -> None:
        from leadflood.domains.spending import queries
        from leadflood.domains.spending.models import PurchaseState

        wanted = None if state is None else PurchaseState(state)
        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_purchases, state=wanted)
            await print_pages(fetch, _PURCHASES, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("ask-again")
def ask_purchase_again(
    purchase_id: str = typer.Argument(metavar="ID", help="Purchase ID."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Let the next enrichment ask the question of a lost call again. It may be charged twice.

    A purchase in doubt is written off; one that evidence has settled stays as it is.

    Example: `leadflood purchase ask-again 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.service.asking_again import ask_again

        async with open_context(workspace) as context, context.transaction() as tx:
            changed = await ask_again(tx, context.actor, purchase_id=parse_id(purchase_id))
        if as_json:
            print_json(changed)
        else:
            print_table(_PURCHASES, [_row(changed)])

    run(work())


_PURCHASES = [TableColumn(name) for name in ("id", "source", "state", "charged", "at most", "at")]


def _row(item: "PurchaseView") -> tuple[object, ...]:
    from leadflood.domains.spending.models.amounts import amount_text

    charged, most = (amount_text(each, item.currency) for each in (item.charged_micros, item.most_micros))
    return (item.id, item.source, item.state, charged, most, item.reserved_at)
