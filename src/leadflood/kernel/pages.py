"""Page declarations of domains: navigation items and kinds of timeline entries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Section = Literal["main", "you", "workspace", "installation", "palette"]


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page in the navigation and in the command palette.

    Attributes:
        icon: its name at lucide.dev; it is on the list `icons.txt` of the front end.
        section: the sidebar (`main`), one of the groups of the settings, or the palette alone.
        order: among the items of its section, ascending.
        keys: what leads there from anywhere, such as `g l`.
        permission: without it, the item is left out.
        words: what else people may type for it.
        under: paths whose pages belong to it, where those are not all below its own.
        count: the name of the figure that is shown beside it. `failed`: of the one that is shown instead, in red.
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
    count: str = ""
    failed: str = ""

    def covers(self, path: str) -> bool:
        """Whether a page belongs to it."""
        if self.href == "/":
            return path == "/"
        return f"{path}/".startswith(self.under or f"{self.href}/")


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


class Navigation:
    """All navigation items, in order."""

    def __init__(self, items: Iterable[NavItem]) -> None:
        self.items: Sequence[NavItem] = sorted(items, key=lambda item: item.order)

    def section(self, section: str) -> list[NavItem]:
        """The items of a section."""
        return [item for item in self.items if item.section == section]

    @property
    def with_keys(self) -> list[NavItem]:
        """Items with a keyboard shortcut."""
        return [item for item in self.items if item.keys]

    @property
    def by_key(self) -> Mapping[str, str]:
        """URL by the second key of a shortcut, after `g`."""
        return {item.keys.removeprefix("g "): item.href for item in self.with_keys}
