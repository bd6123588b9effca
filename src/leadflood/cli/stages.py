"""`leadflood stage …`: the stages of leads, and their order."""

from typing import TYPE_CHECKING, Any, Literal

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, print_json, print_table

if TYPE_CHECKING:
    from leadflood.domains.stages.contracts import StageView

_Color = Literal["gray", "red", "orange", "green", "teal", "blue", "purple", "pink"]

_STAGE = typer.Argument(metavar="STAGE", help="Key or name of the stage.")
_COLUMNS = [TableColumn("key", whole=True), *map(TableColumn, ("name", "color", "archived"))]

app = typer.Typer(help="List, create and change the stages of leads.", no_args_is_help=True)


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the stages in order.

    Example: `leadflood stage list`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            _print(await _stages(context), as_json=as_json)

    run(work())


@app.command("create")
def create(
    name: str = typer.Argument(metavar="NAME", help="Name of the stage."),
    color: _Color = typer.Option("gray", help="Color."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Create a stage, last in the list.

    Example: `leadflood stage create "Demo booked" --color teal`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.stages import service
        from leadflood.domains.stages.contracts import CreateStage

        command = checked(CreateStage, {"name": name, "color": color})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_stage(tx, context.actor, command=command)
        _print([made], as_json=as_json)

    run(work())


@app.command("update")
def update(
    stage: str = _STAGE,
    name: str | None = typer.Option(None, "--name", help="New name."),
    color: _Color | None = typer.Option(None, help="New color."),
    position: int | None = typer.Option(None, "--position", min=0, help="Position, from 0."),
    archived: bool | None = typer.Option(None, "--archive/--restore", help="Stop offering it, or offer it again."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Rename, recolor, move, archive or restore a stage. Leads keep it.

    Example: `leadflood stage update working --name Contacted --position 1`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.stages import service
        from leadflood.domains.stages.contracts import UpdateStage

        given: dict[str, Any] = {"name": name, "color": color, "position": position, "archived": archived}
        command = checked(UpdateStage, {key: value for key, value in given.items() if value is not None})
        async with open_context(workspace) as context:
            found = await _find(context, stage)
            async with context.transaction() as tx:
                changed = await service.update_stage(
                    tx, context.actor, stage_id=found.id, command=command, expected_version=found.version
                )
        _print([changed], as_json=as_json)

    run(work())


async def _stages(context: CliContext) -> "list[StageView]":
    from leadflood.domains.stages import queries

    async with context.transaction(read_only=True) as tx:
        return await queries.list_stages(tx, context.actor)


async def _find(context: CliContext, text: str) -> "StageView":
    """The stage with this key or name. Raises: UnknownStage."""
    from leadflood.domains.stages import service

    async with context.transaction(read_only=True) as tx:
        key = await service.resolve(tx, context.actor.workspace_id, text)
    return next(stage for stage in await _stages(context) if stage.key == key)


def _print(stages: "list[StageView]", *, as_json: bool) -> None:
    if as_json:
        print_json(*stages)
        return
    print_table(_COLUMNS, [(stage.key, stage.name, stage.color, stage.archived) for stage in stages])
