"""The filter builder: a form for the filter tree of a list; usable by keyboard and without scripts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from leadflood.domains.fields.queries import list_fields
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts.filters import read_filter
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.search import list_sources
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.filters import ME, OF_SEVERAL, WITHOUT_VALUE, FilterField, Kind, Operator
from leadflood.kernel.text import InvalidValue
from leadflood.web import formats, labels
from leadflood.web.cookies import local_path
from leadflood.web.forms import by_name
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.leads_filter import CHOICE_LABELS, OPERATORS, apart, write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_NUMERIC: Final = {Operator.GREATER_THAN, Operator.LESS_THAN, Operator.BETWEEN}
_OF_CHOICES: Final = {Operator.IS, Operator.IS_NOT, *OF_SEVERAL}
_CHECKBOXES: Final = 20
_DATED: Final = {Operator.BEFORE, Operator.ON_OR_AFTER}

Node = dict[str, Any]
Path = tuple[int, ...]


@dataclass(frozen=True)
class FilterChoices:
    """Choices of the filter form: values, and custom fields by key with labels and types.

    Attributes:
        options: labels by value, by field, of fields with records, countries and sources as values.
    """

    people: Mapping[str, str]
    options: Mapping[str, Mapping[str, str]]
    custom: Mapping[str, tuple[str, str]]
    zone: tzinfo

    def of(self, each: FilterField) -> Mapping[str, str] | None:
        """The values of a field with their labels; None for free text."""
        if each.kind is Kind.PERSON:
            return {ME: "Me", **self.people}
        if self.options.get(each.name):
            return self.options[each.name]
        if each.kind is Kind.CUSTOM and self.custom.get(each.name, ("", ""))[1] == "person":
            return {ME: "Me", **self.people}
        if each.kind is Kind.CUSTOM and self.custom.get(each.name, ("", ""))[1] == "boolean":
            return {"true": "Yes", "false": "No"}
        return each.choices


@dataclass(frozen=True)
class ConditionRow:
    """A condition in the form: values as text, and its error."""

    path: str
    field: FilterField
    label: str
    operator: Operator
    values: Sequence[str]
    input: str
    choices: Mapping[str, str] | None
    error: str | None
    focused: bool = False

    @property
    def is_group(self) -> bool:
        """Discriminator for the template."""
        return False

    @property
    def are_many(self) -> bool:
        """Whether there are too many choices for checkboxes."""
        return self.choices is not None and len(self.choices) > _CHECKBOXES

    @property
    def operators(self) -> list[tuple[str, str]]:
        """Operators of the field, with labels."""
        return [(each.value, OPERATORS[each]) for each in self.field.operators]


@dataclass(frozen=True)
class GroupRows:
    """A group in the form."""

    path: str
    match: str
    parts: Sequence["ConditionRow | GroupRows"] = field(default_factory=tuple)

    @property
    def is_group(self) -> bool:
        """Discriminator for the template."""
        return True


@pages.get("/leads/filter", LEADS_READ)
async def edit_filter(ctx: PageContext) -> PageResult:
    """The filter of a list as a form. `do` is the pressed button; without it, the list's filter is shown."""
    pairs = ctx.request.query_params.multi_items()
    state = LeadListParams.read(pairs)
    given = by_name(pairs)
    async with ctx.reading() as tx:
        choices = await _choices(tx, ctx)
    pressed, back = given.get("do", [""])[0], local_path(given.get("back", [state.url()])[0], "/leads")
    if not pressed:
        return _page(state, back, _ShownTree(replace(state, q="").query, choices, {}))
    tree = _changed(_read(given, choices), pressed, given.get("add", [""])[0])
    if pressed != "apply":
        return _page(state, back, _ShownTree(tree, choices, {}, _added(tree, pressed)), focus_add=True)
    try:
        whole = read_filter(json.dumps(tree), "").whole
    except InvalidInput as error:
        faults = {fault.pointer: fault.message for fault in error.errors}
        return _page(state, back, _ShownTree(tree, choices, faults))
    said, left = apart(whole)
    return Redirect(LeadListParams.read(_pairs(state, said, write_tree(left))).url())


def _page(state: LeadListParams, back: str, shown: "_ShownTree", *, focus_add: bool = False) -> PageResponse:
    """The form. `focus_add`: whether the menu of fields has the focus, unless a new condition has."""
    named = [(each.name, each.label) for each in LEAD_FILTERS if each.listed and each.kind is not Kind.SEARCH]
    context: dict[str, Any] = {
        "back": back,
        "root": shown.rows(shown.tree, (), ""),
        "fields": [*named, *((name, label) for name, (label, _) in shown.choices.custom.items())],
        "faults": shown.faults,
        "focus_add": focus_add and shown.focus is None,
        "kept": [("back", back), *((name, value) for name, value in _pairs(state, {}, "") if value)],
    }
    return PageResponse("leads/filter.html", context, 400 if shown.faults else 200)


async def _choices(tx: Transaction, ctx: PageContext) -> FilterChoices:
    people = await member_names(tx, ctx.actor)
    options = {each.name: await each.options(tx, ctx.actor) for each in LEAD_FILTERS if each.options is not None}
    sources = {source: labels.lead_source(source) for source in await list_sources(tx, ctx.actor)}
    options |= {"country": formats.countries(), "source": sources}
    custom = await list_fields(tx, ctx.actor, subject=LEAD)
    options |= {f"{CUSTOM_FIELD}{each.key}": {item.value: item.label for item in each.options} for each in custom}
    return FilterChoices(
        people,
        options,
        {f"{CUSTOM_FIELD}{each.key}": (each.label, each.type) for each in custom if not each.archived},
        ctx.time_zone,
    )


def _pairs(state: LeadListParams, said: Mapping[str, Any], tree: str) -> Iterable[tuple[str, str]]:
    """The parameters of the list with another filter; search, order, columns and view stay."""
    shown = {name: value for name, value in state.parameters.items() if name in {"q", "sort", "column", "view"}}
    for name, value in {**shown, **said, "filter": tree}.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            yield name, str(each)


@dataclass(frozen=True)
class _ShownTree:
    """A tree in the form. `faults`: errors by position in the tree. `focus`: path of the condition with the focus."""

    tree: Node
    choices: FilterChoices
    faults: Mapping[str, str]
    focus: Path | None = None

    def rows(self, node: Node, path: Path, pointer: str) -> GroupRows:
        match = "any" if "any" in node else "all"
        parts: list[ConditionRow | GroupRows] = []
        for place, part in enumerate(node.get(match, ())):
            here, at = (*path, place), f"{pointer}/{match}/{place}"
            if "field" in part:
                parts += self._row(part, here, at)
            else:
                parts.append(self.rows(part, here, at))
        return GroupRows(_dotted(path), match, parts)

    def _row(self, node: Node, path: Path, pointer: str) -> list[ConditionRow]:
        try:
            of = LEAD_FILTERS.get(str(node["field"]))
        except InvalidValue:
            return []
        operator = next((each for each in of.operators if each == node.get("operator")), of.operators[0])
        label, kind = self.choices.custom.get(of.name, (of.label, ""))
        error = next((text for place, text in self.faults.items() if place.startswith(f"{pointer}/")), None)
        chosen = self.choices.of(of) if operator in _OF_CHOICES else None
        values = [_shown(of, each, self.choices) for each in _listed(node.get("value"))]
        if chosen is not None:
            shown_as = CHOICE_LABELS.get(of.name, str)
            chosen = {**chosen, **{value: shown_as(value) or value for value in values if value not in chosen}}
        elif operator in OF_SEVERAL:
            values = [", ".join(values)]
        shown = _input(of, operator, kind)
        focused = path == self.focus
        return [ConditionRow(_dotted(path), of, label, operator, values, shown, chosen, error, focused)]


def _input(of: FilterField, operator: Operator, custom: str) -> str:
    if operator is Operator.IN_LAST_DAYS or (custom == "number" and operator in {Operator.IS, *_NUMERIC}):
        return "number"
    if of.kind is Kind.TIME:
        return "datetime-local"
    return "date" if custom == "date" and operator in {Operator.IS, Operator.BETWEEN, *_DATED} else "text"


def _shown(of: FilterField, value: object, choices: FilterChoices) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if of.kind is Kind.TIME:
        with suppress(ValueError):
            return f"{datetime.fromisoformat(text).astimezone(choices.zone):%Y-%m-%dT%H:%M:%S}"
    return text


def _read(given: Mapping[str, Sequence[str]], choices: FilterChoices) -> Node:
    """The tree of the form's fields: `match`, `field.0`, `operator.0`, `value.0`, `match.1`, `field.1.0`."""
    root: Node = {_match(given, ""): []}
    places = sorted(_path(name) for name in given if name.startswith(("match.", "field.")))
    for path in places:
        name = _dotted(path)
        parts = _parts(root, path[:-1])
        if parts is None:
            continue
        if f"field.{name}" in given:
            parts.append(_condition(given, name, choices))
        else:
            parts.append({_match(given, f".{name}"): []})
    return root


def _condition(given: Mapping[str, Sequence[str]], name: str, choices: FilterChoices) -> Node:
    node: Node = {"field": given[f"field.{name}"][0], "operator": given.get(f"operator.{name}", [""])[0]}
    try:
        of = LEAD_FILTERS.get(node["field"])
    except InvalidValue:
        return node
    operator = next((each for each in of.operators if each == node["operator"]), of.operators[0])
    node["operator"] = operator.value
    if operator in WITHOUT_VALUE:
        return node
    texts = [text for text in given.get(f"value.{name}", ()) if text]
    if operator in OF_SEVERAL and choices.of(of) is None:
        texts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    values = [_meant(of, operator, text, choices) for text in texts]
    several = operator in OF_SEVERAL or operator is Operator.BETWEEN
    node["value"] = values if several else values[0] if values else ""
    return node


def _meant(of: FilterField, operator: Operator, text: str, choices: FilterChoices) -> object:
    """A value as JSON; text that cannot be parsed stays text, and validation refuses it."""
    kind = choices.custom.get(of.name, ("", ""))[1]
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    with suppress(ValueError):
        if operator is Operator.IN_LAST_DAYS:
            return int(text)
        if of.kind is Kind.TIME:
            return datetime.fromisoformat(text).replace(tzinfo=choices.zone).isoformat()
        if of.kind is Kind.CUSTOM and (kind == "number" or (not kind and operator in _NUMERIC)):
            return float(text)
    return text


def _changed(tree: Node, pressed: str, added: str) -> Node:
    """The tree after a button: `add` and `group`, `add.1` and `remove.1` (of a group or condition)."""
    action, _, name = pressed.partition(".")
    path = _path(f"x.{name}") if name else ()
    if action == "remove" and path:
        parts = _parts(tree, path[:-1])
        if parts is not None and path[-1] < len(parts):
            del parts[path[-1]]
    elif action in {"add", "group"} and (parts := _parts(tree, path)) is not None:
        new: Node = {"field": added or "company", "operator": ""}
        with suppress(InvalidValue):
            of = LEAD_FILTERS.get(new["field"])
            new["operator"] = of.operators[0].value
            parts.append({"any" if "all" in tree else "all": [new]} if action == "group" else new)
    return tree


def _added(tree: Node, pressed: str) -> Path | None:
    """The path of the condition that a button added."""
    action, _, name = pressed.partition(".")
    path = _path(f"x.{name}") if name else ()
    parts = _parts(tree, path)
    if action not in {"add", "group"} or not parts:
        return None
    return (*path, len(parts) - 1) if action == "add" else (*path, len(parts) - 1, 0)


def _parts(root: Node, path: Path) -> list[Node] | None:
    """Parts of the group at a path; None if there is no group."""
    node = root
    for place in path:
        parts = node.get("all", node.get("any"))
        if parts is None or place >= len(parts):
            return None
        node = parts[place]
    found: list[Node] | None = node.get("all", node.get("any"))
    return found


def _match(given: Mapping[str, Sequence[str]], name: str) -> str:
    return "any" if given.get(f"match{name}", [""])[0] == "any" else "all"


def _path(name: str) -> Path:
    """Position in a field name; anything other than a number counts as 0."""
    return tuple(int(part) if part.isdecimal() and len(part) < 4 else 0 for part in name.split(".")[1:])  # noqa: PLR2004  more than a filter may have


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
