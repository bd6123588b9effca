"""Pages of stages: the list with its order, and the forms."""

from leadflood.domains.identity.permissions import WORKSPACE_READ, WORKSPACE_WRITE
from leadflood.domains.stages import queries, service
from leadflood.domains.stages.contracts import CreateStage, StageView, UpdateStage
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LIST = "/settings/stages"


@pages.get(_LIST, WORKSPACE_READ, live=("stages_list",))
async def list_stages(ctx: PageContext) -> PageResult:
    """The stages in order, archived ones last."""
    async with ctx.reading() as tx:
        stages = await queries.list_stages(tx, ctx.actor)
    return PageResponse("stages/list.html", {"stages": sorted(stages, key=lambda stage: stage.archived)})


@pages.get(f"{_LIST}/new", WORKSPACE_WRITE)
async def show_new_stage(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """The empty form."""
    return PageResponse("stages/new.html", {"form": Form.of({"color": "gray"})})


@pages.post(_LIST, WORKSPACE_WRITE)
async def create_stage(ctx: PageContext) -> PageResult:
    """Create a stage, last in the order."""
    try:
        command = ctx.form.read(CreateStage)
        async with ctx.writing() as tx:
            made = await service.create_stage(tx, ctx.actor, command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return PageResponse("stages/new.html", {"form": ctx.form.refused(error)}, error.status)
    return Redirect(_LIST, [Toast(f"Stage “{made.name}” created.")])


@pages.get(f"{_LIST}/{{id}}", WORKSPACE_WRITE)
async def show_stage(ctx: PageContext) -> PageResult:
    """The form to change a stage."""
    stage = await _read(ctx)
    form = Form.of({"name": stage.name, "color": stage.color})
    return PageResponse("stages/stage.html", {"stage": stage, "form": form})


@pages.post(f"{_LIST}/{{id}}", WORKSPACE_WRITE)
async def change_stage(ctx: PageContext) -> PageResult:
    """Rename a stage, or give it another color."""
    form = ctx.form
    try:
        stage = await _update(ctx, form.read(UpdateStage), form.version())
    except AppError as error:
        if error.is_fault:
            raise
        context = {"stage": await _read(ctx), "form": form.refused(error)}
        return PageResponse("stages/stage.html", context, error.status)
    return Redirect(_LIST, [Toast(f"Stage “{stage.name}” saved.")])


@pages.post(f"{_LIST}/{{id}}/moves", WORKSPACE_WRITE)
async def move_stage(ctx: PageContext) -> PageResult:
    """Move a stage in the order."""
    command = validated(UpdateStage, {"position": ctx.form.number("position")})
    await _update(ctx, command, (await _read(ctx)).version)
    return Redirect(_LIST)


@pages.post(f"{_LIST}/{{id}}/archivings", WORKSPACE_WRITE)
async def archive_stage(ctx: PageContext) -> PageResult:
    """Archive a stage; its toast offers to restore it."""
    try:
        stage = await _update(ctx, UpdateStage(archived=True), (await _read(ctx)).version)
    except AppError as error:
        if error.is_fault:
            raise
        return Redirect(f"{_LIST}/{ctx.id()}", [Toast(error.detail, "bad")])
    return Redirect(_LIST, [Toast(f"Stage “{stage.name}” archived.", undo=f"{_LIST}/{stage.id}/restorations")])


@pages.post(f"{_LIST}/{{id}}/restorations", WORKSPACE_WRITE)
async def restore_stage(ctx: PageContext) -> PageResult:
    """Offer an archived stage again."""
    stage = await _update(ctx, UpdateStage(archived=False), (await _read(ctx)).version)
    return Redirect(_LIST, [Toast(f"Stage “{stage.name}” restored.")])


async def _read(ctx: PageContext) -> StageView:
    async with ctx.reading() as tx:
        return await queries.get_stage(tx, ctx.actor, stage_id=ctx.id())


async def _update(ctx: PageContext, command: UpdateStage, version: int) -> StageView:
    async with ctx.writing() as tx:
        return await service.update_stage(tx, ctx.actor, stage_id=ctx.id(), command=command, expected_version=version)
