"""Wait times after too many wrong passwords, in words."""

from datetime import timedelta

from leadflood.domains.identity.errors import LoginThrottled
from leadflood.kernel.errors import AppError
from leadflood.web.formats import local_time, plural
from leadflood.web.page_context import PageContext

_MINUTE = 60


def throttled_response(ctx: PageContext, error: AppError) -> AppError:
    """The error unchanged, except a throttled login, which gets the time of the next allowed try."""
    if not isinstance(error, LoginThrottled):
        return error
    seconds = int(error.headers["Retry-After"])
    minutes = -(-seconds // _MINUTE)
    moment = (ctx.now + timedelta(minutes=minutes)).astimezone(ctx.time_zone)
    error.detail = (
        f"Too many attempts. Try again in {plural(minutes, 'minute')}, at {local_time(moment, 'time')} "
        f"{moment.tzname()}. "
        "A browser you signed in with before still works."
    )
    return error
