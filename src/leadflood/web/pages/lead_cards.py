"""The board of leads: a column for each stage, with its first cards and its count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.search import count_each
from leadflood.domains.stages.models import Stage
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.filters import Condition, Operator, narrowed
from leadflood.kernel.schema import Count
from leadflood.web.field_text import Names
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.lead_rows import row_context

CARDS: Final = 20
"""Cards of a column at first, and that "Show more" adds."""
MAX_CARDS: Final = 200
"""Cards of a column. The table shows all."""
_LINES: Final = 3
"""Values on a card besides the name and the company."""
_NOT_ON_CARDS: Final = frozenset({"name", "stage", "company", "status", "createdAt", "updatedAt", "enrichedAt"})


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """A column of the board.

    Attributes:
        stage: None for the leads without a stage.
        more: address with more of its cards; None if all are shown.
        table: address of the table of its leads, if the board can't show all of them.
    """

    stage: Stage | None
    leads: Sequence[LeadView]
    count: Count
    more: str | None = None
    table: str | None = None

    @property
    def key(self) -> str:
        """Key of its stage."""
        return self.stage.key if self.stage else ""

    @property
    def name(self) -> str:
        """Heading."""
        return self.stage.name if self.stage else "No stage"

    @property
    def takes(self) -> bool:
        """Whether leads can be moved into it."""
        return self.stage is None or not self.stage.archived


async def board_context(
    tx: Transaction, ctx: PageContext, state: LeadListParams, *, people: Names, custom: Sequence[CustomField]
) -> dict[str, Any]:
    """Data of the board, in a number of statements that neither stages nor leads change."""
    stages = [stage for stage in people.stages.items if not state.stage or stage.key in state.stage]
    wanted: list[Stage | None] = [*stages] if state.stage else [None, *stages]
    filters = [_filter_of(state, stage) for stage in wanted]
    numbers = dict(state.more)
    sort = LeadSort.NEWEST if state.sort.column == "stage" else state.sort
    limits = [min(max(numbers.get(stage.key if stage else "", CARDS), CARDS), MAX_CARDS) for stage in wanted]
    lists = await queries.list_leads_of_each(tx, ctx.actor, filters=filters, sort=sort, limits=limits)
    counts = await count_each(tx, ctx.actor, filters=filters)
    columns = [_column(state, stage, leads, count) for stage, leads, count in zip(wanted, lists, counts, strict=True)]
    shown = [column for column in columns if column.leads or (column.stage and not column.stage.archived)]
    leads = [lead for column in shown for lead in column.leads]
    with_company = replace(state, columns=tuple(dict.fromkeys([*state.columns, "company"])))
    context = await row_context(tx, ctx, with_company, leads, people=people, custom=custom)
    return context | {
        "state": state,
        "leads": leads,
        "board": shown,
        "lines": [column for column in context["columns"] if column.name not in _NOT_ON_CARDS],
        "most_lines": _LINES,
    }


def _filter_of(state: LeadListParams, stage: Stage | None) -> LeadFilter:
    own = Condition("stage", Operator.IS, stage.key) if stage else Condition("stage", Operator.IS_EMPTY)
    filters = state.lead_filter
    return replace(filters, tree=narrowed(filters.tree, [own]))


def _column(state: LeadListParams, stage: Stage | None, leads: Sequence[LeadView], count: Count) -> BoardColumn:
    shown = len(leads)
    if shown >= count.value and count.exact:
        return BoardColumn(stage, leads, count)
    if shown < MAX_CARDS:
        key = stage.key if stage else ""
        numbers = dict(state.more) | {key: shown + CARDS}
        more = [f"{name}.{number}" for name, number in numbers.items()]
        return BoardColumn(stage, leads, count, more=state.url(more=more))
    table = state.url(layout=None, stage=[stage.key]) if stage else state.url(layout=None)
    return BoardColumn(stage, leads, count, table=table)
