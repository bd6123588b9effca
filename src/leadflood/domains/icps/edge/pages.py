"""Pages of ideal customer profiles: the list, a profile with its versions, and what publishing one would change."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.icps import queries, service
from leadflood.domains.icps.contracts.icps import Publish, UpdateIcp
from leadflood.domains.icps.edge.profile_tables import tables_of
from leadflood.domains.icps.edge.score_plot import score_plot
from leadflood.domains.icps.errors import AlreadyLive, IcpVersionNotFound, PublicationRuns
from leadflood.domains.icps.extensions import ICP_VERSION_EXTENSIONS
from leadflood.domains.icps.models.templates import TEMPLATES
from leadflood.domains.icps.permissions import ICPS_PUBLISH, ICPS_READ
from leadflood.domains.icps.queries import drift, scores
from leadflood.domains.icps.service import publishing
from leadflood.web.cookies import Toast
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import shown_panels
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

PATH: Final = "/icps"
STATES: Final = {
    "draft": ("warn", "Draft"),
    "publishing": ("info", "Publishing"),
    "live": ("ok", "Live"),
    "superseded": ("neutral", "Former"),
}
_MAX_NUMBER: Final = 1_000_000


@pages.get(PATH, ICPS_READ)
async def list_profiles(ctx: PageContext) -> PageResult:
    """All profiles with the leads in each tier, or templates to begin with."""
    async with ctx.reading() as tx:
        found = await queries.list_icps(tx, ctx.actor)
        tiers = await scores.tier_counts(tx, ctx.actor) if found else {}
    context = {"icps": found, "tiers": tiers, "states": STATES, "templates": TEMPLATES}
    return PageResponse("icps/list.html", context)


@pages.get(f"{PATH}/{{id}}", ICPS_READ, live=("icp_versions",))
async def show_profile(ctx: PageContext) -> PageResult:
    """A profile: what a version says, its leads by tier, and all versions."""
    async with ctx.reading() as tx:
        icp = await queries.get_icp(tx, ctx.actor, icp_id=ctx.id())
        context: dict[str, Any] = {
            "icp": icp,
            "versions": await queries.list_versions(tx, ctx.actor, icp_id=icp.id),
            "states": STATES,
            "leads": await scores.count_leads(tx, ctx.actor) if icp.publishing else 0,
        }
        if not ctx.live:
            row = await queries.numbered_row(tx, ctx.actor, icp_id=icp.id, number=_number(ctx))
            counts = (await scores.tier_counts(tx, ctx.actor)).get(icp.id, [])
            context |= {
                "shown": row,
                "tables": await tables_of(tx, ctx.actor, row),
                "drift": await drift.get_drift(tx, ctx.actor, icp_id=icp.id) if row.state == "live" else None,
                "counts": {count.tier: count.leads for count in counts} if row.state == "live" else {},
            }
    return PageResponse("icps/profile.html", context)


@pages.get(f"{PATH}/{{id}}/preview", ICPS_READ)
async def preview_profile(ctx: PageContext) -> PageResult:
    """Leads by tier and who would move, for the draft or a former version, with the form that publishes it."""
    async with ctx.reading() as tx:
        icp = await queries.get_icp(tx, ctx.actor, icp_id=ctx.id())
        row = await queries.numbered_row(tx, ctx.actor, icp_id=icp.id, number=_number(ctx))
        profile, catalog = queries.stored_profile(row.id, row.body, row.shapes)
        live_id = icp.live.id if icp.live else None
        found = await scores.preview_of(tx, ctx.actor, profile=profile, catalog=catalog, live_id=live_id)
        panels = await shown_panels(tx, ctx, ICP_VERSION_EXTENSIONS, row.id) if row.state != "live" else []
    moved = sum(each.leads for each in found.movements)
    context = {
        "icp": icp,
        "shown": row,
        "states": STATES,
        "preview": found,
        "plot": score_plot(found),
        "moved": moved if found.exact or not found.leads else round(moved * found.total / found.leads),
        "is_rollback": row.state == "superseded",
        "panels": panels,
    }
    return PageResponse("icps/preview.html", context)


@pages.post(f"{PATH}/{{id}}/publications", ICPS_PUBLISH)
async def publish_version(ctx: PageContext) -> PageResult:
    """Publish the draft, or roll back to a former version."""
    path, number = f"{PATH}/{ctx.id()}", ctx.form.number("number")
    try:
        async with ctx.writing() as tx:
            command = validated(Publish, {"number": number})
            await publishing.start(tx, ctx.actor, icp_id=ctx.id(), command=command, trace=ctx.trace)
    except (AlreadyLive, PublicationRuns) as error:
        return Redirect(path, [Toast(str(error), "warn")])
    return Redirect(path, [Toast(f"Publishing version {number}. Lists show its scores when all leads are scored.")])


@pages.post(f"{PATH}/{{id}}/main", ICPS_PUBLISH)
async def make_main(ctx: PageContext) -> PageResult:
    """Make this the profile whose scores lists show."""
    async with ctx.writing() as tx:
        command = validated(UpdateIcp, {"main": True})
        await service.update_icp(tx, ctx.actor, icp_id=ctx.id(), command=command, expected_version=ctx.form.version())
    return Redirect(f"{PATH}/{ctx.id()}", [Toast("Lists show the scores of this profile.")])


@pages.post(f"{PATH}/{{id}}/deletions", ICPS_PUBLISH)
async def delete_profile(ctx: PageContext) -> PageResult:
    """Delete a profile with its scores."""
    icp_id: UUID = ctx.id()
    async with ctx.writing() as tx:
        await service.delete_icp(tx, ctx.actor, icp_id=icp_id)
    return Redirect(PATH, [Toast("Profile deleted.")])


def _number(ctx: PageContext) -> int | None:
    """The version that the address names; None: the draft, or else the live one. Raises: IcpVersionNotFound."""
    given = ctx.query.get("version")
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(_MAX_NUMBER))):
        raise IcpVersionNotFound
    return int(given)
