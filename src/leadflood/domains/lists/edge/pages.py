"""Pages of lists, and the forms of the panel on the lead page."""

from typing import Any
from uuid import UUID

from leadflood.domains.lists import queries, service
from leadflood.domains.lists.contracts import AddMembers, CreateList, MembersAdded, OneList, UpdateList
from leadflood.domains.lists.models import MAX_ADDRESSES, addresses_in
from leadflood.domains.lists.permissions import LISTS_READ, LISTS_WRITE
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.web.cookies import Toast
from leadflood.web.formats import number, plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pages.leads_filter import write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/lists"
_ROWS = 100
_SHOWN = 5


@pages.get(_PATH, LISTS_READ, live=("lists_list",))
async def list_lists(ctx: PageContext) -> PageResult:
    """The lists of the workspace by name, with the number of their leads."""
    async with ctx.reading() as tx:
        page = await queries.list_lists(tx, ctx.actor, after=ctx.after("lists"), limit=_ROWS)
    context = {
        "lists": page.items,
        "next": ctx.cursor(page, "lists"),
        "paged": "after" in ctx.query,
        "filter_of": filter_of,
    }
    return PageResponse("lists/list.html", context)


@pages.get(f"{_PATH}/new", LISTS_WRITE)
async def show_new_list(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """The form for a new list."""
    return PageResponse("lists/new.html", {"form": Form()})


@pages.post(_PATH, LISTS_WRITE)
async def create_list(ctx: PageContext) -> PageResult:
    """Create a list."""
    try:
        command = ctx.form.read(CreateList)
        async with ctx.writing() as tx:
            made = await service.create_list(tx, ctx.actor, command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return PageResponse("lists/new.html", {"form": ctx.form.refused(error)}, error.status)
    return Redirect(f"{_PATH}/{made.id}", [Toast(f"List “{made.name}” created.")])


@pages.get(f"{_PATH}/{{id}}", LISTS_READ)
async def show_list(ctx: PageContext) -> PageResult:
    """A list, with the forms to change it and to add leads."""
    return await _page(ctx)


@pages.post(f"{_PATH}/{{id}}", LISTS_WRITE)
async def change_list(ctx: PageContext) -> PageResult:
    """Rename or describe a list."""
    form = ctx.form
    try:
        command = form.read(UpdateList, blank=None)
        async with ctx.writing() as tx:
            await service.update_list(tx, ctx.actor, list_id=ctx.id(), command=command, expected_version=form.version())
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form=form.refused(error), status=error.status)
    return Redirect(f"{_PATH}/{ctx.id()}", [Toast("List saved.")])


@pages.post(f"{_PATH}/{{id}}/leads", LISTS_WRITE)
async def add_leads(ctx: PageContext) -> PageResult:
    """Add the leads with the pasted email addresses."""
    try:
        emails = list(dict.fromkeys(addresses_in(ctx.form.value("emails"))))
        if not emails or len(emails) > MAX_ADDRESSES:
            message = f"Enter 1 to {number(MAX_ADDRESSES)} email addresses, one per line."
            raise InvalidInput(message, errors=[FieldError("/emails", "out_of_range", message)])
        command = validated(AddMembers, {"emails": emails})
        async with ctx.writing() as tx:
            added = await service.add_addresses(tx, ctx.actor, list_id=ctx.id(), command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, adding=ctx.form.refused(error), status=error.status)
    return Redirect(f"{_PATH}/{ctx.id()}", [_added(added)])


@pages.post(f"{_PATH}/{{id}}/deletion", LISTS_WRITE)
async def delete_list(ctx: PageContext) -> PageResult:
    """Delete a list. The toast offers to restore it."""
    async with ctx.writing() as tx:
        found = await queries.get_list(tx, ctx.actor, list_id=ctx.id())
        await service.delete_list(tx, ctx.actor, list_id=found.id)
    return Redirect(_PATH, [Toast(f"List “{found.name}” deleted.", undo=f"{_PATH}/{found.id}/restorations")])


@pages.post(f"{_PATH}/{{id}}/restorations", LISTS_WRITE)
async def restore_list(ctx: PageContext) -> PageResult:
    """Restore a deleted list."""
    async with ctx.writing() as tx:
        restored = await service.restore_list(tx, ctx.actor, list_id=ctx.id())
    return Redirect(f"{_PATH}/{restored.id}", [Toast(f"List “{restored.name}” restored.")])


@pages.post("/leads/{id}/lists", LISTS_WRITE)
async def add_to_list(ctx: PageContext) -> PageResult:
    """Add a lead to a list."""
    try:
        command = ctx.form.read(OneList)
        async with ctx.writing() as tx:
            await service.add_lead(tx, ctx.actor, lead_id=ctx.id(), command=command)
    except AppError as error:
        return await panel_response(ctx, "lists", ctx.id(), error=error)
    return await panel_response(ctx, "lists", ctx.id())


@pages.post("/leads/{id}/lists/{list}/removals", LISTS_WRITE)
async def remove_from_list(ctx: PageContext) -> PageResult:
    """Remove a lead from a list."""
    async with ctx.writing() as tx:
        command = validated(OneList, {"listId": str(ctx.id("list"))})
        await service.remove_lead(tx, ctx.actor, lead_id=ctx.id(), command=command)
    return await panel_response(ctx, "lists", ctx.id())


def filter_of(list_id: UUID) -> str:
    """Filter of the leads on a list, for the URL of the lead list."""
    return write_tree(Group("all", (Condition("list", Operator.IS, str(list_id)),)))


async def _page(
    ctx: PageContext, *, form: Form | None = None, adding: Form | None = None, status: int = 200
) -> PageResponse:
    async with ctx.reading() as tx:
        found = await queries.get_list(tx, ctx.actor, list_id=ctx.id())
    context: dict[str, Any] = {
        "list": found,
        "form": form or Form.of({"name": found.name, "description": found.description}),
        "adding": adding or Form(),
        "filter": filter_of(found.id),
    }
    return PageResponse("lists/show.html", context, status)


def _added(added: MembersAdded) -> Toast:
    text = f"{plural(added.added, 'lead')} added."
    if added.already_members:
        text += f" {number(added.already_members)} on the list already."
    if added.unknown:
        shown = ", ".join(added.unknown_emails[:_SHOWN])
        more = " and more" if added.unknown > _SHOWN else ""
        text += f" No lead for {plural(added.unknown, 'address', 'addresses')}: {shown}{more}."
    return Toast(text, "warn" if added.unknown else "ok")
