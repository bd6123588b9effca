"""`leadflood tag …`: tags of the workspace, and of single leads."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json, print_table
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from leadflood.domains.tags.contracts import LeadTags, TagRef, TagView

_Color = Literal["gray", "red", "orange", "green", "teal", "blue", "purple", "pink"]

_NAME = typer.Argument(metavar="NAME", help="Name of the tag. Case doesn't matter.")
_LEAD = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email.")
_NAMES = typer.Argument(metavar="TAG…", help="Names of tags.")

app = typer.Typer(help="List, create, change, merge and delete tags, and tag leads.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List tags by name, with their number of leads.

    Example: `leadflood tag list`
    """

    async def work() -> None:
        from leadflood.domains.tags import queries

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_tags)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("create")
def create(
    name: str = _NAME, color: _Color = typer.Option("gray", help="Color."), workspace: str | None = WORKSPACE
) -> None:
    """Create a tag.

    Example: `leadflood tag create "Met in Berlin" --color blue`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.tags import service
        from leadflood.domains.tags.contracts import CreateTag

        command = checked(CreateTag, {"name": name, "color": color})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_tag(tx, context.actor, command=command)
        note(f"Created the tag {made.name}.")

    run(work())


@app.command("change")
def change(
    name: str = _NAME,
    new_name: str | None = typer.Option(None, "--name", help="New name."),
    color: _Color | None = typer.Option(None, help="New color."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Rename a tag, or give it another color.

    Example: `leadflood tag change VIP --name "Key account" --color red`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.tags import service
        from leadflood.domains.tags.contracts import UpdateTag

        given = {key: value for key, value in (("name", new_name), ("color", color)) if value is not None}
        command = checked(UpdateTag, given)
        async with open_context(workspace) as context:
            found = await _find(context, name)
            async with context.transaction() as tx:
                await service.update_tag(
                    tx, context.actor, tag_id=found.id, command=command, expected_version=found.version
                )
        note("Changed.")

    run(work())


@app.command("merge")
def merge(
    name: str = _NAME,
    into: str = typer.Argument(metavar="INTO", help="Tag that the leads get instead."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Give all leads with a tag another one instead, and delete it. Undo it with `leadflood change undo ID`.

    Example: `leadflood tag merge Important VIP`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.tags import service
        from leadflood.domains.tags.contracts import MergeTag

        async with open_context(workspace) as context:
            source, target = await _find(context, name), await _find(context, into)
            command = checked(MergeTag, {"intoId": str(target.id)})
            async with context.transaction() as tx:
                made = await service.merge_tag(tx, context.actor, tag_id=source.id, command=command, trace={})
        note(f"Merged {source.name} into {target.name}. Undo with: leadflood change undo {made.id}")

    run(work())


@app.command("delete")
def delete(name: str = _NAME, workspace: str | None = WORKSPACE) -> None:
    """Delete a tag, and remove it from all leads. Restore it with `leadflood tag restore ID`.

    Example: `leadflood tag delete Old`
    """

    async def work() -> None:
        from leadflood.domains.tags import service

        async with open_context(workspace) as context:
            found = await _find(context, name)
            async with context.transaction() as tx:
                await service.delete_tag(tx, context.actor, tag_id=found.id)
        note(f"Deleted {found.name}. Restore it with: leadflood tag restore {found.id}")

    run(work())


@app.command("restore")
def restore(
    tag_id: UUID = typer.Argument(metavar="ID", help="ID of the deleted tag.", parser=parse_id),
    workspace: str | None = WORKSPACE,
) -> None:
    """Restore a deleted tag on its leads.

    Example: `leadflood tag restore 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.tags import service

        async with open_context(workspace) as context, context.transaction() as tx:
            found = await service.restore_tag(tx, context.actor, tag_id=tag_id)
        note(f"Restored {found.name}.")

    run(work())


@app.command("add")
def add(
    lead: str = _LEAD, names: list[str] = _NAMES, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """Tag a lead. Tags that don't exist are created.

    Example: `leadflood tag add ada@acme.com VIP "Met in Berlin"`
    """
    run(_tag(workspace, lead, names, removes=False, as_json=as_json))


@app.command("remove")
def remove(
    lead: str = _LEAD, names: list[str] = _NAMES, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """Remove tags from a lead.

    Example: `leadflood tag remove ada@acme.com VIP`
    """
    run(_tag(workspace, lead, names, removes=True, as_json=as_json))


async def _tag(workspace: str | None, lead: str, names: list[str], *, removes: bool, as_json: bool) -> None:
    from leadflood.cli.validation import checked
    from leadflood.domains.tags import service
    from leadflood.domains.tags.contracts import TagNames

    command = checked(TagNames, {"names": names})
    verb = service.remove_tags if removes else service.add_tags
    async with open_context(workspace) as context:
        (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
        async with context.transaction() as tx:
            found: LeadTags = await verb(tx, context.actor, lead_id=lead_id, command=command)
    if as_json:
        print_json(*found.items)
        return
    print_table([TableColumn("name"), TableColumn("color")], [(tag.name, tag.color) for tag in found.items])


async def _find(context: CliContext, name: str) -> "TagView":
    """The tag with this name. Raises: UnknownTag."""
    from leadflood.domains.tags import queries
    from leadflood.domains.tags.errors import UnknownTag
    from leadflood.domains.tags.models import name_key

    async with context.transaction(read_only=True) as tx:
        found: dict[str, TagRef] = await queries.named(tx, context.actor.workspace_id, [name])
        if name_key(name) not in found:
            raise UnknownTag(name)
        return await queries.get_tag(tx, context.actor, tag_id=found[name_key(name)].id)


_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("name", "color", "leads"))]


def _row(tag: "TagView") -> tuple[object, ...]:
    return (tag.id, tag.name, tag.color, "" if tag.leads is None else tag.leads.value)
