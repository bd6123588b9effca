"""`leadflood field`: the custom fields of a workspace."""

from typing import TYPE_CHECKING, Any, Literal

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, print_facts, print_json, print_table
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.errors import NotFound

if TYPE_CHECKING:
    from leadflood.domains.fields.contracts import FieldView

app = typer.Typer(help="List, create, update and delete custom fields.", no_args_is_help=True)

Type = Literal["text", "number", "date", "boolean", "choice", "multi_choice", "url", "person"]
_KEY = typer.Argument(help="Field key, from `leadflood field list`.")
_OPTIONS = typer.Option(None, "--option", help="Option of a choice field. Repeatable.")
_COLUMNS = [TableColumn("key", whole=True), *map(TableColumn, ("label", "type", "options", "archived"))]


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List custom fields, in display order.

    Example: `leadflood field list`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            found = await _fields(context)
        if as_json:
            print_json(*found)
        else:
            print_table(_COLUMNS, map(_row, found))

    run(work())


@app.command()
def create(
    label: str = typer.Argument(help="Display name."),
    key: str | None = typer.Option(
        None, "--key", help="Name in the API and in files. Derived from the label by default."
    ),
    kind: Type = typer.Option("text", "--type", help="Data type."),
    options: list[str] | None = _OPTIONS,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Create a custom field.

    Example: `leadflood field create Plan --type choice --option Free --option Pro`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.fields import service
        from leadflood.domains.fields.contracts import CreateField

        given = _given(label=label, key=key, type=kind, options=options)
        command = checked(CreateField, given)
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_field(tx, context.actor, command=command)
        _print(made, as_json=as_json)

    run(work())


@app.command()
def update(
    key: str = _KEY,
    label: str | None = typer.Option(None, "--label", help="Display name."),
    kind: Type | None = typer.Option(None, "--type", help="New data type. Matching values are converted."),
    options: list[str] | None = _OPTIONS,
    position: int | None = typer.Option(None, "--position", min=0, help="Position, from 0."),
    archived: bool | None = typer.Option(
        None, "--archive/--unarchive", help="Hide it from new input, or show it again."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Update a custom field.

    Example: `leadflood field update seats --type number`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.fields import service
        from leadflood.domains.fields.contracts import UpdateField

        given = _given(label=label, type=kind, options=options, position=position, archived=archived)
        command = checked(UpdateField, given)
        async with open_context(workspace) as context:
            field = await _find(context, key)
            async with context.transaction() as tx:
                changed = await service.update_field(
                    tx, context.actor, field_id=field.id, command=command, expected_version=field.version
                )
        _print(changed, as_json=as_json)

    run(work())


@app.command()
def delete(key: str = _KEY, workspace: str | None = WORKSPACE) -> None:
    """Delete the definition of a custom field. Leads keep their values.

    Example: `leadflood field delete plan`
    """

    async def work() -> None:
        from leadflood.domains.fields import service

        async with open_context(workspace) as context:
            field = await _find(context, key)
            async with context.transaction() as tx:
                await service.delete_field(tx, context.actor, field_id=field.id, expected_version=field.version)
        print_facts([("deleted", field.key)])

    run(work())


async def _fields(context: CliContext) -> "list[FieldView]":
    from leadflood.domains.fields import queries

    async with context.transaction(read_only=True) as tx:
        return await queries.list_fields(tx, context.actor, subject=LEAD)


async def _find(context: CliContext, key: str) -> "FieldView":
    found = next((field for field in await _fields(context) if field.key == key), None)
    if found is None:
        raise NotFound(f"There is no custom field with the key {key}. See `leadflood field list`.")
    return found


def _given(**values: Any) -> dict[str, Any]:  # noqa: ANN401  whatever the options hold
    return {name: value for name, value in values.items() if value is not None}


def _print(field: "FieldView", *, as_json: bool) -> None:
    if as_json:
        print_json(field)
    else:
        print_facts([(column.title, value) for column, value in zip(_COLUMNS, _row(field), strict=True)])


def _row(field: "FieldView") -> tuple[object, ...]:
    options = ", ".join(option.label for option in field.options)
    return (field.key, field.label, field.type, options, field.archived)
