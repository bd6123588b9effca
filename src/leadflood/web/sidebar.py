"""The sidebar: what its items count, and which of them is current."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import COMMA, Sql, assemble, joined, numbered, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pages import SETTINGS, NavCount, Navigation, NavItem
from leadflood.kernel.schema import Count

if TYPE_CHECKING:
    from leadflood.web.page_context import PageContext  # it has a sidebar
    from leadflood.web.shared_page_context import Blocks, SharedPageContext  # as above

TEMPLATE: Final = "nav_counts.html"
SETTINGS_COUNT: Final = "settings"
"""Count beside Settings: the sum of the failures that its items show."""

# All counts of the sidebar, as columns of one row.
_COUNTS: Final = sql("SELECT {counts}")
# One of them.
_COUNT: Final = sql("(SELECT count(*) FROM ({rows} LIMIT :value::bigint) AS counted)")

LoadItems = Callable[[Transaction, Actor], Awaitable[Sequence[NavItem]]]


@dataclass(frozen=True, slots=True)
class NavGroup:
    """Items of the navigation that each user has other ones of, such as saved views.

    Attributes:
        parent: `href` of the item that they are listed below.
        load: reads them in a fixed number of statements.
        counts: page that has their counts. Browsers load it after the page, because a filter may be slow.
    """

    parent: str
    load: LoadItems
    counts: str


@dataclass(slots=True)
class Sidebar:
    """Content of the sidebar on a page.

    Attributes:
        counts: by name of the `NavCount`.
        own: the user's items by `href` of the item above them.
        counts_of: addresses of the counts of those, by the same.
    """

    counts: Mapping[str, Count] = field(default_factory=dict)
    own: Mapping[str, Sequence[NavItem]] = field(default_factory=dict)
    counts_of: Mapping[str, str] = field(default_factory=dict)

    def counts_for(self, item: NavItem) -> bool:
        """Whether the number beside an item is known."""
        return item.count in self.counts or item.failed in self.counts

    def count(self, item: NavItem) -> tuple[Count | None, bool]:
        """The number beside an item, and whether it counts failures."""
        failed = self.counts.get(item.failed)
        if failed is not None and failed.value:
            return failed, True
        found = self.counts.get(item.count)
        return (found if found is not None and found.value else None), False


async def load(ctx: "PageContext", groups: Sequence[NavGroup]) -> Sidebar:
    """The content of the sidebar for a user. Raises: Unavailable."""
    async with ctx.reading() as tx:
        counts = await read_counts(tx, ctx.actor, ctx.navigation, ctx.navigation.counts)
        own = {group.parent: await group.load(tx, ctx.actor) for group in groups}
    return Sidebar(counts, own, {group.parent: group.counts for group in groups})


async def live_counts(ctx: "PageContext", *, not_before: float) -> "Blocks":
    """The counts of the sidebar, from renders that all pages share: one for all members, and a small one for each user.

    See `pipeline.live_blocks`.
    """
    counts = ctx.navigation.counts
    common = [each for each in counts if not each.personal]
    own = [each for each in counts if each.personal]
    blocks = await _live_counts(ctx, "nav_counts", common, not_before=not_before)
    return {**blocks, **await _live_counts(ctx, "nav_own_counts", own, not_before=not_before)} if own else blocks


async def _live_counts(ctx: "PageContext", name: str, counts: Sequence[NavCount], *, not_before: float) -> "Blocks":
    async def make(shared: "SharedPageContext") -> "Blocks":
        async with shared.reading() as tx:
            shared.sidebar = Sidebar(await read_counts(tx, shared.actor, shared.navigation, counts))
        return {name: ctx.parts.views.page(TEMPLATE, {"ctx": shared})}

    return await ctx.parts.renders.blocks(ctx.at(f"/{name}"), make, not_before=not_before)


def is_current(navigation: Navigation, item: NavItem, path: str) -> bool:
    """Whether a page belongs to an item of the sidebar. Those of the settings belong to `/settings`."""
    place = navigation.at(path)
    return place is not None and (place is item or (item.href == "/settings" and place.section in SETTINGS))


def current_below(items: Sequence[NavItem], path: str, query: Mapping[str, str]) -> NavItem | None:
    """Of items below another one, the one that a page belongs to: the one whose query it has the most of."""
    found = [(item.matches(query), item) for item in items if item.path == path]
    matching = [(number, item) for number, item in found if number is not None]
    return max(matching, key=lambda each: each[0], default=(0, None))[1]


def statement(counts: Sequence[NavCount]) -> Sql:
    """One statement for all counts: a column each, in order."""
    columns = [numbered(assemble(_COUNT, rows=each.rows), number) for number, each in enumerate(counts)]
    return assemble(_COUNTS, counts=joined(COMMA, columns))


async def read_counts(
    tx: Transaction, actor: Actor, navigation: Navigation, counts: Sequence[NavCount]
) -> dict[str, Count]:
    """Counts of the workspace, in one statement. Raises: Unavailable."""
    values: dict[str, object] = {f"value_{number}": each.limit + 1 for number, each in enumerate(counts)}
    if any(each.personal for each in counts):
        values["user_id"] = actor.user_id
    (row,) = await tx.all(statement(counts), {"workspace_id": actor.workspace_id, **values})
    found = {each.name: Count.up_to(each.limit, number) for each, number in zip(counts, row, strict=True)}
    if all(each.personal for each in counts):
        return found
    return found | {SETTINGS_COUNT: _sum(found, navigation, actor)}


def _sum(counts: Mapping[str, Count], navigation: Navigation, actor: Actor) -> Count:
    """Failures shown in the settings, as far as the actor sees them."""
    shown = [
        counts[item.failed]
        for item in navigation.items
        if item.section in SETTINGS and item.failed in counts and item.allowed_to(actor)
    ]
    return Count(value=sum(each.value for each in shown), exact=all(each.exact for each in shown))
