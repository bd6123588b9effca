"""Extension of leads by lists: a related field, a panel, a filter and bulk operations."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.lists import operations, queries
from leadflood.domains.lists.contracts import ListRef, OneList
from leadflood.domains.lists.permissions import LISTS_READ, LISTS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import BulkOperation, Extension, Panel, RelatedField
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

FILTERS: Final = (
    FilterField(
        "list",
        "List",
        Kind.REFERENCE,
        Column("list_id", sql("related.list_id")),
        Relation(
            "active_list_leads",
            sql("""
EXISTS (SELECT FROM active_list_leads related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
        options=queries.list_names,
        multiple=True,
    ),
)


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    lists = (await queries.lists_of_leads(tx, actor, [lead_id])).get(lead_id, [])
    ids = {each.id for each in lists}
    others = [(str(each.id), each.name) for each in await queries.all_lists(tx, actor) if each.id not in ids]
    return {"lists": lists, "others": others}


async def _load_lists(tx: Transaction, actor: Actor) -> dict[str, Any]:
    return {"lists": [(str(each.id), each.name) for each in await queries.all_lists(tx, actor)]}


def _read(values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {"listId": next(iter(values.get("listId", ())), "")}


def _operation(name: str, **attributes: Any) -> BulkOperation:  # noqa: ANN401  attributes of an operation
    return BulkOperation(
        name=name,
        icon="list",
        permission=LISTS_WRITE,
        arguments=OneList,
        undo=operations.undo,
        fields="lists/_bulk.html",
        read=_read,
        load=_load_lists,
        **attributes,
    )


def _names_of(lists: Sequence[ListRef]) -> list[str]:
    return [each.name for each in lists]


EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name="lists",
            label="Lists",
            load=queries.lists_of_leads,
            schema=list[ListRef],
            empty=list,
            permission=LISTS_READ,
            cell="lists/_cell.html",
            names=_names_of,
        ),
    ),
    panels=(
        Panel(
            name="lists",
            title="Lists",
            template="lists/_panel.html",
            load=_load_panel,
            permission=LISTS_READ,
            order=20,
        ),
    ),
    operations=(
        _operation(
            "addToList",
            label="Add to list",
            heading="Add to a list:",
            done="added",
            running="Adding",
            prepare=operations.prepare_adding,
            apply=operations.apply_adding,
            order=20,
        ),
        _operation(
            "removeFromList",
            label="Remove from list",
            heading="Remove from a list:",
            done="removed",
            running="Removing",
            prepare=operations.prepare_removing,
            apply=operations.apply_removing,
            order=21,
        ),
    ),
)
