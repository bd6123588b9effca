"""Parameters of the lead list's URL, and how links on the page change them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from leadflood.domains.leads.contracts.filters import MAX_CHOICES, MAX_SEARCH, LeadFilter, LeadSort
from leadflood.domains.leads.contracts.views import (
    MAX_COLUMNS,
    MAX_WIDTH,
    MIN_WIDTH,
    BuiltInView,
    SavedView,
    ViewLayout,
    check_column,
)
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import COLUMNS, STANDARD_COLUMNS
from leadflood.domains.leads.models import LeadStatus, normalise_source
from leadflood.domains.stages.models import stage_key
from leadflood.kernel.filters import EVERYTHING, ME, Condition, Operator, narrowed, written
from leadflood.kernel.text import InvalidValue
from leadflood.web import formats, labels
from leadflood.web.forms import by_name
from leadflood.web.pages.leads_filter import FilterWords, apart, chips, read_tree, write_tree
from leadflood.web.templating import url

SORTS: Final = {
    LeadSort.NEWEST: "Created: newest first",
    LeadSort.CREATED: "Created: oldest first",
    LeadSort.LATEST: "Recently updated",
    LeadSort.UPDATED: "Least recently updated",
    **{
        item: f"{COLUMNS[item.value.removeprefix('-')]} {'Z–A' if item.descending else 'A–Z'}"
        for item in LeadSort
        if item.value.removeprefix("-") in COLUMNS and not item.value.endswith("At")
    },
    LeadSort.STAGE: "Stage: first to last",
    LeadSort.STAGE_REVERSED: "Stage: last to first",
    LeadSort.SCORE_REVERSED: "Score: highest first",
    LeadSort.SCORE: "Score: lowest first",
    LeadSort.MOST_ENGAGED: "Engagement: highest first",
    LeadSort.ENGAGEMENT: "Engagement: lowest first",
}

CREATED_IN: Final = {"1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}
"""Days as in the URL: relative, so that a saved view keeps its meaning."""

_STAGE: Final = COLUMNS["stage"]
PHONE: Final = {"yes": "Has phone", "no": "No phone"}
UNASSIGNED: Final = "nobody"
ALL: Final = "all"
"""In the place of the ID of a view: all leads, also for people who open the list with another view."""
ALL_LEADS: Final = url("/leads", view=ALL)
BUILT_IN: Final[Mapping[BuiltInView, tuple[str, Mapping[str, Any]]]] = {
    BuiltInView.MINE: ("My leads", {"owner": ME}),
    BuiltInView.ATTENTION: ("Needs attention", {"status": (LeadStatus.FAILED.value,)}),
}
"""Names of built-in views, and their filters as parameters."""
_MAX_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class LeadListParams:
    """Search, filters, order and columns of the list. Invalid parts of a URL are ignored."""

    q: str = ""
    status: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    owner: str = ""
    phone: str = ""
    days: str = ""
    since: str = ""
    filter: str = ""
    sort: LeadSort = LeadSort.NEWEST
    columns: tuple[str, ...] = STANDARD_COLUMNS
    widths: tuple[tuple[str, int], ...] = ()
    layout: ViewLayout = ViewLayout.TABLE
    view: str = ""
    peek: UUID | None = field(default=None, compare=False)
    more: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """Numbers of cards in columns of a board, where they are not the usual ones: by key of the stage."""

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Parse the parameters of a query. Raises: InvalidInput: the `filter` is invalid."""
        given = by_name(pairs)

        def last(name: str) -> str:
            return given.get(name, [""])[-1]

        columns = _columns(given.get("column", ()))
        tree = read_tree(last("filter"))
        return cls(
            q=last("q").strip()[:MAX_SEARCH],
            status=tuple(item.value for item in LeadStatus if item.value in given.get("status", ())),
            source=tuple(dict.fromkeys(filter(_is_source, given.get("source", ()))))[:MAX_CHOICES],
            country=tuple(fromkey for fromkey in dict.fromkeys(given.get("country", ())) if _is_country(fromkey))[
                :MAX_CHOICES
            ],
            stage=tuple(dict.fromkeys(filter(_is_stage, given.get("stage", ()))))[:MAX_CHOICES],
            owner=last("owner") if last("owner") in {UNASSIGNED, ME} or _id(last("owner")) else "",
            phone=last("phone") if last("phone") in PHONE else "",
            days=last("days") if last("days") in CREATED_IN else "",
            since=last("since") if _moment(last("since")) else "",
            filter=write_tree(tree) if tree is not None else "",
            sort=next((item for item in LeadSort if item.value == last("sort")), LeadSort.NEWEST),
            columns=columns or STANDARD_COLUMNS,
            widths=_widths(given.get("width", ())),
            layout=next((item for item in ViewLayout if item == last("layout")), ViewLayout.TABLE),
            view=last("view") if _id(last("view")) or last("view") == ALL else "",
            peek=_id(last("peek")),
            more=_more(given.get("more", ())),
        )

    @classmethod
    def of_view(cls, view: SavedView) -> Self:
        """Parameters of a saved view."""
        said, left = apart(view.filter.lead_filter().whole)
        return cls(
            **said,
            filter=write_tree(left),
            sort=view.sort,
            columns=_columns(view.columns) or STANDARD_COLUMNS,
            widths=tuple(sorted(view.column_widths.items())),
            layout=view.layout,
            view=str(view.id),
        )

    @property
    def lead_filter(self) -> LeadFilter:
        """The filter of these parameters."""
        tree = read_tree(self.filter) or EVERYTHING
        said = [
            *([Condition("owner", Operator.IS, ME)] if self.owner == ME else []),
            *([Condition("createdAt", Operator.IN_LAST_DAYS, int(self.days))] if self.days else []),
            *([Condition("stage", Operator.IS_ANY_OF, self.stage)] if self.stage else []),
        ]
        return LeadFilter(
            q=self.q or None,
            statuses=tuple(LeadStatus(item) for item in self.status),
            sources=self.source,
            countries=self.country,
            owner_id=_id(self.owner),
            unowned=self.owner == UNASSIGNED,
            has_phone={"yes": True, "no": False}.get(self.phone),
            created_from=_moment(self.since),
            tree=narrowed(tree, said),
        )

    @property
    def query(self) -> dict[str, Any]:
        """The filter as JSON of the API."""
        return written(self.lead_filter.whole)

    @property
    def narrowed(self) -> bool:
        """Whether anything besides order and columns is set."""
        return bool(
            self.q
            or self.status
            or self.source
            or self.country
            or self.stage
            or self.owner
            or self.phone
            or self.days
            or self.since
            or self.filter
        )

    @property
    def scope(self) -> str:
        """Scope that the cursors of this list are bound to."""
        return "leads " + url("", {**self.filters, "sort": self.sort.value})

    @property
    def filters(self) -> dict[str, Any]:
        """Filters of the list, as parameters."""
        names = ("q", "status", "source", "country", "stage", "owner", "phone", "days", "since", "filter")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, without defaults."""
        shown = {
            "sort": self.sort.value if self.sort is not LeadSort.NEWEST else "",
            "column": self.columns if self.columns != STANDARD_COLUMNS else (),
            "width": tuple(f"{name}.{width}" for name, width in self.widths),
            "layout": self.layout.value if self.is_board else "",
            "view": self.view,
        }
        return self.filters | {name: value for name, value in shown.items() if value}

    @property
    def is_board(self) -> bool:
        """Whether the leads are cards in a column for each stage."""
        return self.layout is ViewLayout.BOARD

    @property
    def built_in(self) -> BuiltInView | None:
        """The built-in view whose filters these are."""
        return next((name for name, (_, said) in BUILT_IN.items() if said == self.filters), None)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The same, one by one: what a form keeps."""
        return [
            (name, str(each))
            for name, value in self.parameters.items()
            for each in (value if isinstance(value, list | tuple) else (value,))
        ]

    @property
    def kept(self) -> dict[str, Any]:
        """Parameters that the search form keeps: all except the search."""
        return {name: value for name, value in self.parameters.items() if name != "q"}

    def url(self, **changes: Any) -> str:  # noqa: ANN401  whatever prints
        """The URL of this list with some parameters changed."""
        return url("/leads", self.parameters, **changes)

    @property
    def more_pairs(self) -> list[str]:
        """The parameters `more`."""
        return [f"{key}.{number}" for key, number in self.more]

    @property
    def query_string(self) -> str:
        """The address of this list without its path: what forms send of it."""
        return self.url().partition("?")[2]

    def lead_url(self, lead_id: UUID) -> str:
        """The address of a lead of this list, from which one can go on to the next."""
        return url(f"/leads/{lead_id}", {"list": self.query_string})

    def toggled(self, name: str, value: str) -> str:
        """The address with a value added to a parameter, or taken out of it."""
        now: tuple[str, ...] = getattr(self, name)
        return self.url(**{name: [item for item in now if item != value] if value in now else [*now, value]})

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters except the search and those of `tree_chips`: label, value, and the URL without it."""
        return [
            *((COLUMNS["status"], labels.status(item)[2], self.toggled("status", item)) for item in self.status),
            *(("Source", labels.lead_source(item), self.toggled("source", item)) for item in self.source),
            *(("Country", formats.country(item) or item, self.toggled("country", item)) for item in self.country),
            *([("Phone", PHONE[self.phone], self.url(phone=None))] if self.phone else []),
            *([("Created", CREATED_IN[self.days], self.url(days=None))] if self.days else []),
        ]

    def tree_chips(self, words: FilterWords) -> list[tuple[str, str, str]]:
        """The active filters by time and stage, and of the tree."""
        since = [("Created after", words.moment(self.since), self.url(since=None))] if self.since else []
        stages = [(_STAGE, words.names.get(item, item), self.toggled("stage", item)) for item in self.stage]
        tree = chips(read_tree(self.filter), words)
        return since + stages + [(label, said, self.url(filter=left)) for label, said, left in tree]

    def ordered(self, column: str) -> Mapping[str, str]:
        """For a column that can be sorted by: where its header leads, and how it is sorted now."""
        related = LEAD_EXTENSIONS.fields.get(column)
        name = related.order.name if related is not None and related.order is not None else column
        ascending = next((item for item in LeadSort if item.value == name), None)
        if ascending is None:
            return {}
        descending = LeadSort(f"-{name}")
        is_reversed = column.endswith("At") or related is not None
        usual, other = (descending, ascending) if is_reversed else (ascending, descending)
        order = {ascending: "ascending", descending: "descending"}.get(self.sort)
        following = other if self.sort is usual else usual
        return {"sort": self.url(sort=following.value), **({"order": order} if order else {})}


def _columns(given: Iterable[str]) -> tuple[str, ...]:
    """Those that there are, each once, in the order given."""
    return tuple(dict.fromkeys(filter(_is_column, given)))[:MAX_COLUMNS]


def _more(given: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Numbers of cards, such as `qualified.40`, by key of the stage."""
    parts = (text.rpartition(".") for text in given)
    numbers = {
        key: int(number)
        for key, _, number in parts
        if number.isascii() and number.isdecimal() and len(number) <= _MAX_DIGITS and (not key or _is_stage(key))
    }
    return tuple(numbers.items())[:MAX_CHOICES]


def _widths(given: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The widths of columns in px, such as `email.280`, by column."""
    parts = (text.rpartition(".") for text in given)
    widths = {
        name: min(max(int(width), MIN_WIDTH), MAX_WIDTH)
        for name, _, width in parts
        if width.isascii() and width.isdecimal() and len(width) <= _MAX_DIGITS and _is_column(name)
    }
    return tuple(sorted(widths.items()))[:MAX_COLUMNS]


def _is_column(name: str) -> bool:
    try:
        return check_column(name) == name
    except InvalidValue:
        return False


def _is_source(text: str) -> bool:
    try:
        return normalise_source(text) == text
    except InvalidValue:
        return False


def _is_stage(text: str) -> bool:
    try:
        return stage_key(text) == text
    except InvalidValue:
        return False


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isupper()  # noqa: PLR2004  ISO 3166-1 alpha-2


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
