"""Pages of tags, and the forms of the panel on the lead page."""

from typing import Any
from uuid import UUID

from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.tags import queries, service
from leadflood.domains.tags.contracts import CreateTag, MergeTag, TagNames, TagView, UpdateTag
from leadflood.domains.tags.extension import read_names
from leadflood.domains.tags.permissions import TAGS_READ, TAGS_WRITE
from leadflood.kernel.errors import AppError, FieldError
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.web.cookies import Toast
from leadflood.web.formats import plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pages.leads_filter import write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LIST = "/settings/tags"
_ROWS = 100


@pages.get(_LIST, TAGS_READ, live=("tags_list",))
async def list_tags(ctx: PageContext) -> PageResult:
    """The tags of the workspace by name, with the number of their leads."""
    async with ctx.reading() as tx:
        page = await queries.list_tags(tx, ctx.actor, after=ctx.after("tags"), limit=_ROWS)
    context = {
        "tags": page.items,
        "next": ctx.cursor(page, "tags"),
        "paged": "after" in ctx.query,
        "filter_of": _filter_of,
    }
    return PageResponse("tags/list.html", context)


@pages.get(f"{_LIST}/new", TAGS_WRITE)
async def show_new_tag(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """The empty form."""
    return PageResponse("tags/new.html", {"form": Form.of({"color": "gray"})})


@pages.post(_LIST, TAGS_WRITE)
async def create_tag(ctx: PageContext) -> PageResult:
    """Create a tag."""
    try:
        command = ctx.form.read(CreateTag)
        async with ctx.writing() as tx:
            made = await service.create_tag(tx, ctx.actor, command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return PageResponse("tags/new.html", {"form": ctx.form.refused(error)}, error.status)
    return Redirect(_LIST, [Toast(f"Tag “{made.name}” created.")])


@pages.get(f"{_LIST}/{{id}}", TAGS_WRITE)
async def show_tag(ctx: PageContext) -> PageResult:
    """The forms to change a tag and to merge it."""
    return await _page(ctx)


@pages.post(f"{_LIST}/{{id}}", TAGS_WRITE)
async def change_tag(ctx: PageContext) -> PageResult:
    """Rename a tag, or give it another color."""
    form = ctx.form
    try:
        command = form.read(UpdateTag)
        async with ctx.writing() as tx:
            changed = await service.update_tag(
                tx, ctx.actor, tag_id=ctx.id(), command=command, expected_version=form.version()
            )
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form=form.refused(error), status=error.status)
    return Redirect(_LIST, [Toast(f"Tag “{changed.name}” saved.")])


@pages.post(f"{_LIST}/{{id}}/merges", TAGS_WRITE)
async def merge_tag(ctx: PageContext) -> PageResult:
    """Merge a tag into another one."""
    try:
        command = ctx.form.read(MergeTag)
        async with ctx.writing() as tx:
            made = await service.merge_tag(tx, ctx.actor, tag_id=ctx.id(), command=command, trace=ctx.trace)
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, merge=ctx.form.refused(error), status=error.status)
    return Redirect(_LIST, [_merged(made, ctx.id())])


@pages.post(f"{_LIST}/{{id}}/deletion", TAGS_WRITE)
async def delete_tag(ctx: PageContext) -> PageResult:
    """Delete a tag; its toast offers to restore it."""
    async with ctx.writing() as tx:
        tag = await queries.get_tag(tx, ctx.actor, tag_id=ctx.id())
        await service.delete_tag(tx, ctx.actor, tag_id=tag.id)
    return Redirect(_LIST, [Toast(f"Tag “{tag.name}” deleted.", undo=f"{_LIST}/{tag.id}/restorations")])


@pages.post(f"{_LIST}/{{id}}/restorations", TAGS_WRITE)
async def restore_tag(ctx: PageContext) -> PageResult:
    """Restore a deleted tag on its leads."""
    async with ctx.writing() as tx:
        tag = await service.restore_tag(tx, ctx.actor, tag_id=ctx.id())
    return Redirect(_LIST, [Toast(f"Tag “{tag.name}” restored.")])


@pages.post("/leads/{id}/tags", TAGS_WRITE)
async def add_tags(ctx: PageContext) -> PageResult:
    """Add tags to a lead."""
    try:
        command = validated(TagNames, read_names(ctx.form.fields))
        async with ctx.writing() as tx:
            await service.add_tags(tx, ctx.actor, lead_id=ctx.id(), command=command)
    except AppError as error:
        return await panel_response(ctx, "tags", ctx.id(), error=_on_field(error))
    return await panel_response(ctx, "tags", ctx.id())


@pages.post("/leads/{id}/tags/{tag}/removals", TAGS_WRITE)
async def remove_tag(ctx: PageContext) -> PageResult:
    """Remove a tag from a lead."""
    async with ctx.writing() as tx:
        tag = await queries.get_tag(tx, ctx.actor, tag_id=ctx.id("tag"))
        await service.remove_tags(tx, ctx.actor, lead_id=ctx.id(), command=TagNames(names=[tag.name]))
    return await panel_response(ctx, "tags", ctx.id())


async def _page(
    ctx: PageContext, *, form: Form | None = None, merge: Form | None = None, status: int = 200
) -> PageResponse:
    async with ctx.reading() as tx:
        tag: TagView = await queries.get_tag(tx, ctx.actor, tag_id=ctx.id())
        others = [(str(each.id), each.name) for each in await queries.all_tags(tx, ctx.actor) if each.id != tag.id]
    context: dict[str, Any] = {
        "tag": tag,
        "form": form or Form.of({"name": tag.name, "color": tag.color}),
        "merge": merge or Form(),
        "others": others,
    }
    return PageResponse("tags/tag.html", context, status)


def _merged(made: ChangesetView, tag_id: UUID) -> Toast:
    if made.applied_at is None:
        return Toast("Merging tags in the background.", "info", link=f"/changes/{made.id}", link_text="View progress")
    undo = f"/changesets/{made.id}/undos" if made.changed else f"{_LIST}/{tag_id}/restorations"
    return Toast(f"Tags merged: {plural(made.changed, 'lead')} updated.", undo=undo)


def _filter_of(tag_id: UUID) -> str:
    """Filter of the leads with a tag, for the URL of the lead list."""
    return write_tree(Group("all", (Condition("tags", Operator.IS, str(tag_id)),)))


def _on_field(error: AppError) -> AppError:
    """The error with its field errors at the only field of the form."""
    error.errors = tuple(FieldError("/tags", fault.code, fault.message) for fault in error.errors)
    return error
