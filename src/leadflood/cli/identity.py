"""`leadflood workspace`, `user` and `key`: accounts and access, for the operator of the machine."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import open_context, open_platform, operator, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, note, print_facts, print_json, say

if TYPE_CHECKING:
    from pydantic import BaseModel

    from leadflood.domains.identity.contracts import ApiKeyView, UserSummary, WorkspaceView

Role = Literal["owner", "admin", "member", "viewer"]
_EMAIL = typer.Argument(help="The user's email.")
_STDIN = typer.Option(False, "--password-stdin", help="Read the password from standard input.")
_NAME = typer.Option(..., "--name", help="Display name.")

workspace_app = typer.Typer(help="List and create workspaces.", no_args_is_help=True)
user_app = typer.Typer(help="Manage users.", no_args_is_help=True)
operator_app = typer.Typer(
    help="Manage instance operators, who can see caught mail and workers of all workspaces.",
    no_args_is_help=True,
)
user_app.add_typer(operator_app, name="operator")
key_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@workspace_app.command("list")
def list_workspaces(limit: int = LIMIT, everything: bool = EVERYTHING, as_json: bool = AS_JSON) -> None:
    """List workspaces, oldest first.

    Example: `leadflood workspace list`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            fetch = partial(administration.list_workspaces, platform.database)
            columns = [TableColumn("id", whole=True), TableColumn("name"), TableColumn("created")]
            max_rows = None if everything else limit
            await print_pages(fetch, columns, _workspace_row, limit=max_rows, as_json=as_json)

    run(work())


@workspace_app.command("create")
def create_workspace(
    name: str = typer.Argument(help="Workspace name."),
    owner: str = typer.Option(..., "--owner", help="Email of an existing user, the owner."),
    as_json: bool = AS_JSON,
) -> None:
    """Create a workspace owned by an existing user.

    Example: `leadflood workspace create "Acme growth" --owner ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            made = await administration.create_workspace(platform.database, operator(), name=name, owner_email=owner)
        _print(made, [("workspace", made.id), ("name", made.name)], as_json=as_json)

    run(work())


@user_app.command("list")
def list_users(limit: int = LIMIT, everything: bool = EVERYTHING, as_json: bool = AS_JSON) -> None:
    """List users, newest first.

    Example: `leadflood user list --all`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            fetch = partial(administration.list_users, platform.database)
            columns = [
                TableColumn("id", whole=True),
                *map(TableColumn, ("email", "name", "operator", "created", "disabled")),
            ]
            await print_pages(fetch, columns, _user_row, limit=None if everything else limit, as_json=as_json)

    run(work())


@user_app.command("create")
def create_user(email: str = _EMAIL, name: str = _NAME, password_stdin: bool = _STDIN, as_json: bool = AS_JSON) -> None:
    """Create a user. Prompts for the password.

    Example: `leadflood user create ada@acme.com --name "Ada Lovelace"`
    """
    password = _password(from_stdin=password_stdin)

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            made = await administration.create_user(
                platform.database, operator(), email=email, name=name, password=password
            )
        _print(made, [("user", made.id), ("email", made.email), ("name", made.name)], as_json=as_json)
        note(f"Grant access with: leadflood user add-to-workspace {made.email} --role member")

    run(work())


@user_app.command("set-password")
def set_password(email: str = _EMAIL, password_stdin: bool = _STDIN) -> None:
    """Set a user's password and end all of the user's sessions. Prompts for the password.

    Example: `leadflood user set-password owner@leadflood.local`
    """
    password = _password(from_stdin=password_stdin)

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            await administration.set_password(platform.database, operator(), email=email, password=password)
        say("Password set. All sessions of this user were ended.")

    run(work())


@user_app.command("disable")
def disable(email: str = _EMAIL) -> None:
    """Disable a user: sign out everywhere and suspend API keys.

    Example: `leadflood user disable ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            await administration.disable_user(platform.database, operator(), email=email)
        say("User disabled.")

    run(work())


@user_app.command("enable")
def enable(email: str = _EMAIL) -> None:
    """Enable a disabled user.

    Example: `leadflood user enable ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            await administration.enable_user(platform.database, operator(), email=email)
        say("User enabled.")

    run(work())


@user_app.command("first-run")
def first_run() -> None:
    """Print a new setup link for the first owner, if that owner has never signed in. Expires in 24 hours.

    Example: `leadflood user first-run`
    """

    async def work() -> None:
        from leadflood.cli.prepare import link_to_print
        from leadflood.domains.identity.errors import SetupAlreadyDone

        async with open_platform() as platform:
            link = await link_to_print(platform, platform.settings, unless_in_use=False)
        if link is None:
            raise SetupAlreadyDone
        say(link)

    run(work())


@operator_app.command("grant")
def grant_operator(email: str = _EMAIL) -> None:
    """Make a user an instance operator, who can see caught mail and workers of all workspaces.

    Example: `leadflood user operator grant ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            await administration.grant_operator(platform.database, operator(), email=email)
        say("Operator rights granted.")

    run(work())


@operator_app.command("revoke")
def revoke_operator(email: str = _EMAIL) -> None:
    """Revoke operator rights. The last operator who can sign in can't be revoked.

    Example: `leadflood user operator revoke ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import administration

        async with open_platform() as platform:
            await administration.revoke_operator(platform.database, operator(), email=email)
        say("Operator rights revoked.")

    run(work())


@user_app.command("add-to-workspace")
def add_to_workspace(
    email: str = _EMAIL,
    role: Role = typer.Option("member", "--role", help="Role in the workspace."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Add an existing user to a workspace without an invitation.

    In the browser and over the API, members are added by invitation only.

    Example: `leadflood user add-to-workspace ada@acme.com --role admin`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.identity.contracts import AddMember
        from leadflood.domains.identity.service import members

        member = checked(AddMember, {"email": email, "role": role})
        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                added = await members.add_member(tx, context.actor, member=member)
            _print(added, [("user", added.id), ("email", added.email), ("role", added.role)], as_json=as_json)

    run(work())


@key_app.command("create")
def create_key(
    name: str = typer.Argument(help="Key name, e.g. Web form."),
    scope: list[str] = typer.Option(..., "--scope", help="Scope, e.g. leads:write. Repeatable."),
    expires_at: str | None = typer.Option(None, metavar="TIME", help="Expiry, e.g. 2027-03-01T00:00:00Z."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Create an API key. The token is printed once and not stored.

    Example: `leadflood key create "Web form" --scope leads:read --scope leads:write`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.identity.contracts import CreateApiKey
        from leadflood.domains.identity.service import api_keys

        key = checked(CreateApiKey, {"name": name, "scopes": scope, "expiresAt": expires_at})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await api_keys.create_api_key(tx, context.actor, key=key)
        _print(
            made,
            [("key", made.api_key.id), ("scopes", " ".join(made.api_key.scopes)), ("token", made.token)],
            as_json=as_json,
        )
        note("Save this token; it won't be shown again.")

    run(work())


@key_app.command("list")
def list_keys(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List API keys, newest first, including revoked and expired ones.

    Example: `leadflood key list`
    """

    async def work() -> None:
        from leadflood.domains.identity import queries

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_api_keys)
            titles = ("name", "prefix", "scopes", "created", "expires", "last used", "revoked")
            columns = [TableColumn("id", whole=True), *map(TableColumn, titles)]
            await print_pages(fetch, columns, _key_row, limit=None if everything else limit, as_json=as_json)

    run(work())


@key_app.command("revoke")
def revoke_key(key: UUID = typer.Argument(help="Key ID.", parser=parse_id), workspace: str | None = WORKSPACE) -> None:
    """Revoke an API key. It stops working immediately.

    Example: `leadflood key revoke 0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11`
    """

    async def work() -> None:
        from leadflood.domains.identity.service import api_keys

        async with open_context(workspace) as context, context.transaction() as tx:
            await api_keys.revoke_api_key(tx, context.actor, key_id=key)
        say("Key revoked.")

    run(work())


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("No terminal to prompt on. Use --password-stdin.", param_hint="--password-stdin")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return entered


def _print(view: "BaseModel", facts: list[tuple[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        print_facts(facts)


def _workspace_row(workspace: "WorkspaceView") -> tuple[object, ...]:
    return (workspace.id, workspace.name, moment(workspace.created_at))


def _user_row(user: "UserSummary") -> tuple[object, ...]:
    operator = "yes" if user.is_operator else ""
    return (user.id, user.email, user.name, operator, moment(user.created_at), moment(user.disabled_at))


def _key_row(key: "ApiKeyView") -> tuple[object, ...]:
    times = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
    return (key.id, key.name, key.prefix, " ".join(key.scopes), *map(moment, times))
