"""Forms that could not be handled because the service was unavailable: their error page can send them again."""

import functools
from contextlib import suppress
from typing import Final

from leadflood.kernel.errors import AppError
from leadflood.web.cookies import SESSION, VISITOR, check_csrf, check_origin
from leadflood.web.form_parser import CSRF_FIELD, is_multipart, read_form
from leadflood.web.page_context import PageContext

UNAVAILABLE: Final = 503
_MAX_BYTES: Final = 262_144
"""Of a form that an error page keeps."""


async def keep_form(ctx: PageContext) -> None:
    """Read the form of a request that failed before that. It has to be one of ours."""
    request, parts = ctx.request, ctx.parts
    if request.method != "POST" or ctx.form.fields or ctx.wants_part is not None or is_multipart(request):
        return
    ctx.anchor = ctx.anchor or request.cookies.get(SESSION) or request.cookies.get(VISITOR, "")
    with suppress(AppError), parts.body_budget.lease() as lease:
        check_origin(request.headers)
        check = functools.partial(check_csrf, parts.secret_box, ctx.anchor)
        ctx.form = await read_form(request, _MAX_BYTES, lease, check=check)


def fields_to_resend(ctx: PageContext, error: AppError) -> list[tuple[str, str]] | None:
    """Names and values to send again; None where there are none, or too many. Passwords are typed again."""
    fields = [(name, value) for name, values in ctx.form.fields.items() for value in values if name != CSRF_FIELD]
    if error.status != UNAVAILABLE or not fields or sum(len(value) for _, value in fields) > _MAX_BYTES:
        return None
    return None if any("password" in name.lower() for name, _ in fields) else fields
