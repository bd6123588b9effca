"""The custom fields of a workspace: list, order, and the forms to add and change one."""

from typing import Any

from leadflood.domains.fields import queries, service
from leadflood.domains.fields.contracts import CreateField, FieldView, UpdateField
from leadflood.domains.fields.models import label_of
from leadflood.domains.identity.permissions import WORKSPACE_READ, WORKSPACE_WRITE
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.queries.custom import keys_in_use
from leadflood.kernel.errors import AppError
from leadflood.kernel.field_types import FieldType
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/settings/fields"
TYPES = {
    FieldType.TEXT: "Text",
    FieldType.NUMBER: "Number",
    FieldType.DATE: "Date",
    FieldType.BOOLEAN: "Yes or no",
    FieldType.CHOICE: "Choice",
    FieldType.MULTI_CHOICE: "Multiple choice",
    FieldType.URL: "URL",
    FieldType.PERSON: "Person",
}
"""Labels of the types."""


@pages.get(_PATH, WORKSPACE_READ, live=("fields_list",))
async def list_fields(ctx: PageContext) -> PageResult:
    """All custom fields in order, and keys with values that have no field."""
    async with ctx.reading() as tx:
        fields = await queries.list_fields(tx, ctx.actor, subject=LEAD)
        used = await keys_in_use(tx, ctx.actor)
    known = {field.key for field in fields}
    context = {"fields": fields, "types": TYPES, "undefined": [key for key in used if key not in known]}
    return PageResponse("settings/fields.html", context)


@pages.get(f"{_PATH}/new", WORKSPACE_WRITE)
async def show_new_field(ctx: PageContext) -> PageResult:
    """The empty form, or one for a key that has values."""
    key = ctx.query.get("key", "")
    return _page("settings/field_new.html", Form.of({"key": key, "label": label_of(key), "type": FieldType.TEXT}))


@pages.post(_PATH, WORKSPACE_WRITE)
async def create_field(ctx: PageContext) -> PageResult:
    """Create a field, last in the order."""
    form = ctx.form
    try:
        command = validated(CreateField, _given(form, "key"))
        async with ctx.writing() as tx:
            made = await service.create_field(tx, ctx.actor, command=command, trace=ctx.trace)
    except AppError as error:
        if error.is_fault:
            raise
        return _page("settings/field_new.html", form.refused(error), error.status)
    return Redirect(_PATH, [Toast(f"Field “{made.label}” created.")])


@pages.get(f"{_PATH}/{{id}}", WORKSPACE_WRITE)
async def show_field(ctx: PageContext) -> PageResult:
    """The form to change a field."""
    async with ctx.reading() as tx:
        field = await queries.get_field(tx, ctx.actor, field_id=ctx.id())
    options = "\n".join(option.label for option in field.options)
    form = Form.of({"label": field.label, "type": field.type, "options": options, "archived": field.archived or None})
    return _page("settings/field.html", form, field=field)


@pages.post(f"{_PATH}/{{id}}", WORKSPACE_WRITE)
async def change_field(ctx: PageContext) -> PageResult:
    """Change label, type and options; archive or unarchive a field."""
    form = ctx.form
    async with ctx.reading() as tx:
        field = await queries.get_field(tx, ctx.actor, field_id=ctx.id())
    try:
        given = _given(form) | {"archived": form.checked("archived")}
        await _update(ctx, validated(UpdateField, _same_values(given, field)), form.version())
    except AppError as error:
        if error.is_fault:
            raise
        return _page("settings/field.html", form.refused(error), error.status, field=field)
    return Redirect(_PATH, [Toast(f"Field “{form.value('label')}” saved.")])


@pages.post(f"{_PATH}/{{id}}/moves", WORKSPACE_WRITE)
async def move_field(ctx: PageContext) -> PageResult:
    """Move a field in the order."""
    command = validated(UpdateField, {"position": ctx.form.number("position")})
    async with ctx.reading() as tx:
        field = await queries.get_field(tx, ctx.actor, field_id=ctx.id())
    await _update(ctx, command, field.version)
    return Redirect(_PATH)


@pages.post(f"{_PATH}/{{id}}/deletion", WORKSPACE_WRITE)
async def delete_field(ctx: PageContext) -> PageResult:
    """Delete the definition; leads keep their values."""
    async with ctx.writing() as tx:
        field = await queries.get_field(tx, ctx.actor, field_id=ctx.id())
        await service.delete_field(tx, ctx.actor, field_id=field.id, expected_version=field.version)
    return Redirect(_PATH, [Toast(f"Field “{field.label}” deleted. Leads keep their values.")])


async def _update(ctx: PageContext, command: UpdateField, version: int) -> None:
    async with ctx.writing() as tx:
        await service.update_field(
            tx, ctx.actor, field_id=ctx.id(), command=command, expected_version=version, trace=ctx.trace
        )


def _given(form: Form, *more: str) -> dict[str, Any]:
    given: dict[str, Any] = {name: form.value(name) for name in ("label", "type", *more) if form.value(name).strip()}
    if given.get("type") in {kind.value for kind in FieldType if kind.has_options}:
        given["options"] = [line.strip() for line in form.value("options").splitlines() if line.strip()]
    return given


def _same_values(given: dict[str, Any], field: FieldView) -> dict[str, Any]:
    """The options; those with an existing label keep their value, others are new."""
    values = {option.label: option.value for option in field.options}
    if "options" in given:
        given["options"] = [{"label": label, "value": values.get(label, label)} for label in given["options"]]
    return given


def _page(template: str, form: Form, status: int = 200, *, field: FieldView | None = None) -> PageResponse:
    types = [(kind.value, name) for kind, name in TYPES.items()]
    return PageResponse(template, {"form": form, "types": types, "field": field}, status)
