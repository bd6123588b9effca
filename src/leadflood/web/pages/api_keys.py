"""API keys: listing, creating and revoking them."""

from datetime import timedelta
from typing import Any

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ApiKeyView, CreateApiKey
from leadflood.domains.identity.permissions import KEYS_READ, KEYS_WRITE
from leadflood.domains.identity.service import api_keys
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import SCOPES as GRANTABLE
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/settings/api-keys"
_ROWS = 50

LIVES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year", "": "No expiration"}
"""Options for the expiration of a key: days and label."""


@pages.get(_PATH, KEYS_READ, live=("keys_list",))
async def list_keys(ctx: PageContext) -> PageResult:
    """All keys of the workspace, newest first, including expired and revoked ones."""
    async with ctx.reading() as tx:
        page = await queries.list_api_keys(tx, ctx.actor, after=ctx.after("keys"), limit=_ROWS)
        names = await queries.actor_names(tx, ctx.actor, {item.created_by for item in page.items})
    context: dict[str, Any] = {
        "keys": page.items,
        "states": {item.id: _state(ctx, item) for item in page.items},
        "names": names,
        "next": ctx.cursor(page, "keys"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("settings/api_keys.html", context)


@pages.get(f"{_PATH}/new", KEYS_WRITE)
async def show_new_key(ctx: PageContext) -> PageResult:
    """The form of a new API key: name, scopes and expiration."""
    return _new(ctx, Form.of({"days": "90"}))


@pages.post(_PATH, KEYS_WRITE)
async def create_key(ctx: PageContext) -> PageResult:
    """Create the key and show its token, only in this response."""
    form = ctx.form
    try:
        wanted = {"name": form.value("name"), "scopes": form.values("scopes"), "expiresAt": _end(ctx)}
        command = validated(CreateApiKey, wanted)
        async with ctx.writing() as tx:
            created = await api_keys.create_api_key(tx, ctx.actor, key=command)
    except AppError as error:
        if error.is_fault:
            raise
        return _new(ctx, form.refused(error), error.status)
    return PageResponse(
        "settings/api_key_created.html", {"created": created, "example": _example(ctx, created.token, command)}, 201
    )


@pages.post(f"{_PATH}/{{id}}/revocations", KEYS_WRITE)
async def revoke_key(ctx: PageContext) -> PageResult:
    """Revoke a key, effective immediately."""
    async with ctx.writing() as tx:
        await api_keys.revoke_api_key(tx, ctx.actor, key_id=ctx.id())
    return Redirect(_PATH, [Toast("Key revoked. Apps using it have lost access.")])


def _new(ctx: PageContext, form: Form, status: int = 200) -> PageResponse:
    scopes = [(item.value, item.label) for item in Permission if item in GRANTABLE & ctx.actor.permissions]
    return PageResponse(
        "settings/api_key_new.html", {"form": form, "scopes": scopes, "lives": list(LIVES.items())}, status
    )


def _end(ctx: PageContext) -> str | None:
    days = ctx.form.value("days")
    if days not in LIVES:
        fault = FieldError("/days", "not_allowed", "Select an option.")
        raise InvalidInput("Fix the errors below.", errors=[fault])
    return (ctx.now + timedelta(days=int(days))).isoformat() if days else None


def _state(ctx: PageContext, key: ApiKeyView) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= ctx.now else "active"


def _example(ctx: PageContext, token: str, key: CreateApiKey) -> str:
    """An example call that this key is allowed to make."""
    address = ctx.request.url
    call = f"curl -s {address.scheme}://{address.netloc}/v1/%s -H 'Authorization: Bearer {token}'"
    if LEADS_WRITE in key.scopes:
        return call % "leads" + " \\\n  -H 'Content-Type: application/json' -d '{\"email\":\"ada@acme.com\"}'"
    return call % ("leads?limit=1" if LEADS_READ in key.scopes else "auth/me")
