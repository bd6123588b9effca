"""The database and workspace of a command."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from leadflood.cli.listing import Fetch, pages
from leadflood.cli.output import visible
from leadflood.kernel.actor import Actor
from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from leadflood.bootstrap import Platform
    from leadflood.domains.identity.contracts import WorkspaceView
    from leadflood.kernel.db.database import Database
    from leadflood.kernel.db.transaction import Transaction
    from leadflood.kernel.pagination import Page

T = TypeVar("T")


class AmbiguousWorkspace(AppError):
    """There are several workspaces, and the command names none of them or an unknown one."""

    code = "ambiguous_workspace"
    status = 400
    title = "Unclear workspace"


@dataclass(frozen=True)
class CliContext:
    """Context of a command: the platform, and the operator as the actor in one workspace."""

    platform: "Platform"
    actor: Actor

    @property
    def database(self) -> "Database":
        """The database."""
        return self.platform.database

    def transaction(self, *, read_only: bool = False) -> "AbstractAsyncContextManager[Transaction]":
        """A transaction in the workspace."""
        return self.database.transaction(self.actor.workspace_id, read_only=read_only)

    def reading(self, listed: "Callable[..., Awaitable[Page[T]]]", **filters: Any) -> "Fetch[T]":  # noqa: ANN401  filters
        """Reads pages of a list, each in its own transaction. Args: listed: the query. filters: its filters."""

        async def fetch(**page: Any) -> "Page[T]":  # noqa: ANN401  after and limit
            async with self.transaction(read_only=True) as tx:
                return await listed(tx, self.actor, **filters, **page)

        return fetch


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end. Only warnings are logged: results are printed."""
    from leadflood.kernel.observability import configure_logging

    configure_logging("warning", "auto")
    return asyncio.run(work)


@asynccontextmanager
async def open_platform() -> "AsyncIterator[Platform]":
    """The platform of the settings. Raises: like `leadflood.bootstrap.open_platform`."""
    from leadflood import bootstrap
    from leadflood.cli.validation import load_settings

    async with bootstrap.open_platform(load_settings(), process="command") as platform:
        yield platform


@asynccontextmanager
async def open_context(workspace: str | None) -> AsyncIterator[CliContext]:
    """Open the context of the workspace with this ID or name, or of the only one. Raises: AmbiguousWorkspace."""
    async with open_platform() as platform:
        workspace_id = await _find(platform.database, workspace)
        yield CliContext(platform, operator(workspace_id))


def operator(workspace_id: UUID | None = None) -> Actor:
    """The operator who runs the command, as actor in a workspace, or for the whole installation."""
    from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID

    return Actor.cli(workspace_id or SYSTEM_WORKSPACE_ID, os_user=_os_user())


def _os_user() -> str | None:
    """The operating system account that runs the command, for the audit log; None if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


async def all_workspaces(database: "Database") -> "list[WorkspaceView]":
    """All workspaces, oldest first."""
    from leadflood.domains.identity.service import administration

    return [
        workspace
        async for page in pages(partial(administration.list_workspaces, database), None)
        for workspace in page.items
    ]


async def _find(database: "Database", wanted: str | None) -> UUID:
    found = await all_workspaces(database)
    fitting = [item for item in found if wanted is None or wanted in (str(item.id), item.name)]
    if len(fitting) == 1:
        return fitting[0].id
    if not found:
        raise AmbiguousWorkspace(
            "No workspace yet. `leadflood up` and `leadflood serve` create the first one; "
            "`leadflood workspace create` creates more."
        )
    known = "\n".join(f"  {item.id}  {visible(item.name)}" for item in found[:20])
    if wanted is None:
        raise AmbiguousWorkspace(f"Multiple workspaces. Specify --workspace:\n{known}")
    if fitting:
        raise AmbiguousWorkspace(f"Multiple workspaces have this name. Specify the ID with --workspace:\n{known}")
    raise AmbiguousWorkspace(f"Workspace {wanted!r} not found. Workspaces:\n{known}")
