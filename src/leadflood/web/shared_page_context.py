"""The context of a render that several viewers share.

Two viewers share when everything that the blocks are made from is the same: address, workspace, role, permissions,
region and time zone (`shared_key`). Whatever else a page asks of its visitor makes the render personal, and it goes to
one session alone. Forms carry a mark instead of a token, which each stream replaces by its own (`with_token`).
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from starlette.requests import Request

from leadflood.domains.identity.contracts import MembershipView, VisitorView
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import random_hex
from leadflood.web.page_context import Caller, PageContext

_CSRF_MARK: Final = f"csrf-{random_hex(16)}"
"""Placeholder of a token in shared blocks. Random, so that no data can contain it."""
_PERSONAL: Final = frozenset({"user_id", "session_id", "api_key_id", "id"})
_SCOPE: Final = ("type", "method", "path", "raw_path", "query_string", "path_params", "scheme", "server", "root_path")

Blocks = Mapping[str, str]
"""HTML by block name."""


class SharedPageContext(PageContext):
    """A context that records what a page reads. `personal`: whether that is more than viewers share.

    Its request has no cookies and no header but the host's name: nothing of the first viewer reaches the others.
    """

    def __init__(self, ctx: PageContext) -> None:
        scope = {name: ctx.request.scope[name] for name in _SCOPE if name in ctx.request.scope}
        request = Request(scope | {"headers": _host(ctx.request)})
        actor = _observed(ctx.actor, self._note)
        super().__init__(request, ctx.parts, Caller("", actor, ctx.user), "")
        self.personal = False
        vars(self).update(csrf=_CSRF_MARK, region=ctx.region, time_zone=ctx.time_zone)

    @property
    def live(self) -> bool:
        """Only live blocks are rendered."""
        return True

    @property
    def user(self) -> VisitorView:
        """The signed-in user."""
        self._note()
        return super().user

    @property
    def workspaces(self) -> list[MembershipView]:
        """All workspaces of the user."""
        self._note()
        return super().workspaces

    @property
    def theme(self) -> str:
        """The user's color theme."""
        self._note()
        return super().theme

    def _note(self) -> None:
        self.personal = True


class _ObservedActor(Actor):
    """An actor that records whether its identity is read."""

    __slots__ = ("note",)

    note: Callable[[], None]

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  of any attribute
        if name in _PERSONAL:
            self.note()
        return super().__getattribute__(name)


def _observed(actor: Actor, note: Callable[[], None]) -> Actor:
    observed = _ObservedActor(
        kind=actor.kind,
        workspace_id=actor.workspace_id,
        permissions=actor.permissions,
        user_id=actor.user_id,
        role=actor.role,
        session_id=actor.session_id,
        api_key_id=actor.api_key_id,
    )
    object.__setattr__(observed, "note", note)
    return observed


def shared_key(ctx: PageContext) -> Hashable:
    """Cache key of a render that does not depend on the user."""
    actor = ctx.actor
    rights = (actor.workspace_id, actor.kind, actor.role, actor.permissions)
    formats = (ctx.region.tag, ctx.time_zone.key)
    return (ctx.address, ctx.request.url.scheme, *_host(ctx.request), rights, formats)


def with_token(blocks: Blocks, token: str) -> Blocks:
    """Shared blocks with the token of one viewer."""
    return {name: html.replace(_CSRF_MARK, token) for name, html in blocks.items()}


def _host(request: Request) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in request.scope["headers"] if name == b"host"]
