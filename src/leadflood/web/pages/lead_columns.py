"""Columns of the list of leads: headers, widths, cells, editors, and the page to choose them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.filling import FillState
from leadflood.domains.enrichment.queries.effective import EffectiveValue
from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads.catalog import CUSTOM_FIELD, LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.views import MAX_COLUMNS, MAX_WIDTH, MIN_WIDTH
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import COLUMNS, FIELDS, STANDARD_COLUMNS, name_of
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.field_types import FieldType
from leadflood.web import labels
from leadflood.web.cookies import local_path
from leadflood.web.field_text import Names
from leadflood.web.forms import Form, by_name
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_form import choices_of, custom_fields_of, form_of, text_in_form
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_WIDTHS: Final = {
    **{field.short_name: field.width for field in LEAD_FIELDS},
    "name": 184,
    "status": 112,
    "createdAt": 136,
    "updatedAt": 136,
    "enrichedAt": 136,
}
"""Widths of the usual columns fit into a window of 1440 px."""
_USUAL_WIDTH: Final = 144
_INPUTS: Final = {field.short_name: field.api_name for field in LEAD_FIELDS}
"""The fields that columns show."""
_NAME: Final = ("firstName", "lastName")


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column of the list.

    Attributes:
        edits: field that its cells edit; empty if they can't be edited in the list.
        custom: custom field that it shows.
    """

    name: str
    label: str
    edits: str = ""
    custom: CustomField | None = None

    @property
    def is_text(self) -> bool:
        """Whether its cells are the text of a field."""
        return bool(self.edits) or self.name.startswith(CUSTOM_FIELD)

    @property
    def usual_width(self) -> int:
        """Default width in px."""
        return _WIDTHS.get(self.name, _USUAL_WIDTH)


@dataclass(frozen=True, slots=True)
class TextCell:
    """A text cell.

    Attributes:
        value, values: initial values of its editor if they differ from the text; the latter as JSON.
        found: receipts of the found values that it shows.
    """

    text: str
    value: str | None = None
    values: str | None = None
    found: Sequence[EnrichmentValueView] = ()


@dataclass(frozen=True, slots=True)
class CellEditor:
    """Inputs of a cell: names with labels. `options`: of a `select`; None if the value is typed in."""

    field: str
    inputs: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, str]] | None = None
    type: str = "text"


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A line of the form to choose columns."""

    column: ListColumn
    shown: bool
    width: int


def all_columns(custom: Sequence[CustomField]) -> dict[str, ListColumn]:
    """Columns of a workspace, by name."""
    known = [
        *(ListColumn(name, label, _edits(name)) for name, label in COLUMNS.items()),
        *(ListColumn(name, label) for name, label in LEAD_EXTENSIONS.columns.items()),
        *(custom_column(field.key, field) for field in custom),
    ]
    return {column.name: column for column in known}


def custom_column(key: str, field: CustomField | None) -> ListColumn:
    """The column of a custom field, or of a key without a definition."""
    name, several = CUSTOM_FIELD + key, field is not None and field.type is FieldType.MULTI_CHOICE
    return ListColumn(name, field.label if field else key, "" if several else name, field)


def columns_of(state: LeadListParams, custom: Sequence[CustomField]) -> list[ListColumn]:
    """The columns that the list shows, in its order."""
    known = all_columns(custom)
    return [known.get(name) or custom_column(name.removeprefix(CUSTOM_FIELD), None) for name in state.columns]


def editors_of(columns: Sequence[ListColumn], people: Names) -> list[CellEditor]:
    """Editors of the cells that aren't plain text. `people`: names of members by ID."""
    editors = []
    for column in columns:
        options = choices_of(column.edits, people, column.custom)
        inputs = [(column.edits, column.label)]
        if column.edits == "name":
            editors.append(CellEditor("name", [(name, FIELDS[name]) for name in _NAME]))
        elif column.edits and options is not None:
            editors.append(CellEditor(column.edits, inputs, options))
        elif column.custom is not None and column.custom.type is FieldType.DATE:
            editors.append(CellEditor(column.edits, inputs, type="date"))
    return editors


def heads(state: LeadListParams, columns: Sequence[ListColumn]) -> list[dict[str, Any]]:
    """Headers of the table."""
    widths = dict(state.widths)
    return [
        {
            "name": column.name,
            "label": column.label,
            "width": widths.get(column.name, column.usual_width),
            "meaning": labels.MEANINGS.get(column.name),
            **state.ordered(column.name),
        }
        for column in columns
    ]


def text_cells(
    columns: Sequence[ListColumn], lead: LeadView, people: Names, effective: Mapping[str, EffectiveValue]
) -> dict[str, TextCell]:
    """The text cells of a row, by column.

    `people`: names of members by ID. `effective`: found values of empty fields, of which those that fill are shown.
    """
    filled = {name: item for name, item in effective.items() if item.view.state is FillState.FILLED}
    whole = lead.model_copy(update={item.field: item.view.value for item in filled.values()})
    forms = (form_of(lead), form_of(whole)) if filled else (form_of(lead),) * 2
    return {column.name: _text_cell(column, whole, forms, filled, people) for column in columns}


def _text_cell(
    column: ListColumn,
    lead: LeadView,
    forms: tuple[Form, Form],
    filled: Mapping[str, EffectiveValue],
    people: Names,
) -> TextCell:
    """A text cell. `forms`: with the values of the lead itself, and with those that count."""
    own, whole = forms
    if column.name == "name":
        values = {name: own.value(name) for name in _NAME}
        found = [filled[name].receipt for name in _NAME if name in filled]
        return TextCell(name_of(lead), values=json.dumps(values, ensure_ascii=False), found=found)
    name = column.edits or column.name
    text = text_in_form(name, whole, people, [column.custom] if column.custom else [])
    stored = own.value(name)
    found = [filled[name].receipt] if name in filled else []
    return TextCell(text, value=stored if column.edits and stored != text else None, found=found)


@pages.get("/leads/columns", LEADS_READ)
async def choose_columns(ctx: PageContext) -> PageResult:
    """Form to choose, order and resize the columns of a list. `do`: the button that was pressed."""
    pairs = ctx.request.query_params.multi_items()
    state, given = LeadListParams.read(pairs), by_name(pairs)
    pressed, name = given.get("do", [""])[0].partition(".")[::2]
    back = local_path(given.get("back", [state.url()])[0], "/leads")
    if pressed == "apply":
        return Redirect(_applied(state, Form(given)))
    async with ctx.reading() as tx:
        known = all_columns(await custom_fields_of(tx, ctx.actor))
    context: dict[str, Any] = {
        "state": state,
        "choices": _choices(state, known, _moved(given.get("order", []), name, pressed), Form(given)),
        "kept": [(key, value) for key, value in state.pairs if key not in ("column", "width")],
        "back": back,
        "reset": state.url(column=None, width=None),
        "most": MAX_COLUMNS,
        "limits": (MIN_WIDTH, MAX_WIDTH),
    }
    return PageResponse("leads/columns.html", context)


def _edits(column: str) -> str:
    return column if column == "name" else _INPUTS.get(column, "")


def _choices(
    state: LeadListParams, known: Mapping[str, ListColumn], order: Sequence[str], form: Form
) -> list[ColumnChoice]:
    """All columns, in the given order first, then the visible ones, then the others."""
    given = {name: form.number(f"width.{name}") for name in known}
    widths = dict(state.widths) | {name: width for name, width in given.items() if isinstance(width, int)}
    extra = {name: custom_column(name.removeprefix(CUSTOM_FIELD), None) for name in state.columns if name not in known}
    there = {**known, **extra}
    names = dict.fromkeys([*(name for name in order if name in there), *state.columns, *there])
    return [
        ColumnChoice(there[name], name in state.columns, widths.get(name, there[name].usual_width)) for name in names
    ]


def _moved(order: Sequence[str], name: str, pressed: str) -> list[str]:
    """The order after a button: `up.company`, `down.company`."""
    names = list(dict.fromkeys(order))
    if name in names and pressed in {"up", "down"}:
        at = names.index(name)
        names.insert(max(at + (1 if pressed == "down" else -1), 0), names.pop(at))
    return names


def _applied(state: LeadListParams, form: Form) -> str:
    """URL of the list with the columns of the form, in its order."""
    chosen = set(form.values("column"))
    names = [name for name in dict.fromkeys([*form.values("order"), *form.values("column")]) if name in chosen]
    columns = tuple(names) or STANDARD_COLUMNS
    usual = {column.name: column.usual_width for column in all_columns(()).values()}
    widths = [
        f"{name}.{width}"
        for name in columns
        if (width := form.number(f"width.{name}")) != usual.get(name, _USUAL_WIDTH) and isinstance(width, int)
    ]
    return state.url(column=columns if columns != STANDARD_COLUMNS else None, width=widths)
