"""Page declarations of domains: navigation items, their counts, kinds of timeline entries, and the audit log."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.config import Settings
from leadflood.kernel.db.sql import Sql

Section = Literal["main", "data", "foot", "you", "workspace", "system", "palette"]
SETTINGS: Final = ("you", "workspace", "system")
"""The sections of the settings."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page in the navigation and in the command palette.

    Attributes:
        icon: its name at lucide.dev; it is on the list `icons.txt` of the front end.
        section: of the sidebar (`main`, `data`, `foot`) or of the settings (`you`, `workspace`, `system`); `palette`
            for the command palette alone.
        order: among the items of its section, ascending.
        keys: shortcut that opens it from anywhere, such as `g l`.
        permission: without it, the item is left out.
        words: further search terms in the command palette.
        under: paths whose pages belong to it, where those are not all below its own.
        parent: `href` of the item that it is listed below.
        identified_by: query parameters that identify it; all of its `href`, if empty.
        count: name of the `NavCount` beside it. `failed`: of the one that is shown instead, in red.
        failed_label: what that counts, for screen readers.
        available: whether there is such a page with these settings.
    """

    text: str
    href: str
    icon: str
    section: Section = "palette"
    order: int = 100
    keys: str = ""
    permission: str = ""
    words: str = ""
    under: tuple[str, ...] = ()
    parent: str = ""
    identified_by: tuple[str, ...] = ()
    count: str = ""
    failed: str = ""
    failed_label: str = "failed"
    available: Callable[[Settings], bool] = lambda _settings: True

    @property
    def path(self) -> str:
        """Its address without the query."""
        return self.href.partition("?")[0]

    @property
    def query(self) -> Mapping[str, str]:
        """The query of its address."""
        return dict(parse_qsl(self.href.partition("?")[2]))

    def allowed_to(self, actor: Actor) -> bool:
        """Whether the actor has its permission."""
        return not self.permission or Permission(self.permission) in actor.permissions

    @property
    def has_count(self) -> bool:
        """Whether a `NavCount` is shown beside it."""
        return bool(self.count or self.failed)

    @property
    def slug(self) -> str:
        """Its address as a part of an HTML ID, such as `settings-members`."""
        values = [self.query[name] for name in self.identified_by or self.query if name in self.query]
        return "-".join([*filter(None, self.path.split("/")), *values]) or "home"

    def covers(self, path: str) -> int:
        """Length of the longest of its paths that a page belongs to; 0 if it belongs to none."""
        if self.href == "/":
            return int(path == "/")
        starts = self.under or (f"{self.path}/",)
        return max((len(start) for start in starts if f"{path}/".startswith(start)), default=0)

    def matches(self, query: Mapping[str, str]) -> int | None:
        """Number of query parameters that identify it, if a page has them all; otherwise None."""
        own = self.query
        wanted = {name: own[name] for name in self.identified_by or own if name in own}
        return len(wanted) if all(query.get(name) == value for name, value in wanted.items()) else None


@dataclass(frozen=True, slots=True)
class NavCount:
    """A number beside an item of the navigation.

    Attributes:
        name: which `NavItem.count` and `NavItem.failed` refer to.
        rows: rows to count, as a query without columns (`SELECT FROM … WHERE workspace_id = :workspace_id AND …`) that
            an index serves.
        limit: how far they are counted.
        personal: whether the rows are those of a user, the parameter `:user_id`. Otherwise all members of a workspace
            share the number. An item has numbers of one sort.
    """

    name: str
    rows: Sql
    limit: int = 10_000
    personal: bool = False


@dataclass(frozen=True, slots=True)
class TimelineKind:
    """Display of a kind of timeline entry.

    Attributes:
        tone: `info`, `neutral`, `ok`, `warn` or `bad`.
        text: makes the text below the title from the data of the entry.
    """

    kind: str
    title: str
    icon: str
    tone: str = "neutral"
    text: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True, slots=True)
class AuditGroup:
    """Display of the audit log's entries about one kind of subject.

    Attributes:
        prefix: beginning of their actions, by which the log is filtered.
        label: name of the filter.
        icon: its name at lucide.dev.
        sentences: what the actor did, by action; `{…}` comes from the data of the entry, and `{leads}` is their number.
        path: path of the subject's page, with `{id}`; empty without one.
    """

    prefix: str
    label: str
    icon: str
    sentences: Mapping[str, str]
    path: str = ""


class Navigation:
    """All navigation items, in order, and their counts."""

    def __init__(self, items: Iterable[NavItem], counts: Iterable[NavCount] = ()) -> None:
        self.items: Sequence[NavItem] = sorted(items, key=lambda item: item.order)
        self.counts: Sequence[NavCount] = tuple(counts)

    def is_personal(self, item: NavItem) -> bool:
        """Whether the number beside an item is that of a user."""
        return any(each.personal and each.name in (item.count, item.failed) for each in self.counts)

    def section(self, section: str) -> list[NavItem]:
        """The items of a section that are not listed below another one."""
        return [item for item in self.items if item.section == section and not item.parent]

    def below(self, parent: NavItem) -> list[NavItem]:
        """The items that are listed below another one."""
        return [item for item in self.items if item.parent == parent.href]

    def at(self, path: str) -> NavItem | None:
        """The item that a page belongs to: the one with the longest path."""
        places = [item for item in self.items if item.section != "palette" and not item.parent]
        covering = [item for item in places if item.covers(path)]
        return max(covering, key=lambda item: item.covers(path), default=None)

    @property
    def with_keys(self) -> list[NavItem]:
        """Items with a keyboard shortcut."""
        return [item for item in self.items if item.keys]

    @property
    def by_key(self) -> Mapping[str, str]:
        """URL by the second key of a shortcut, after `g`."""
        return {item.keys.removeprefix("g "): item.href for item in self.with_keys}
