"""When to come back after too many wrong passwords, in words."""

from datetime import timedelta

from leadflood.domains.identity.errors import LoginThrottled
from leadflood.kernel.errors import AppError
from leadflood.web.view import plural
from leadflood.web.visit import Visit

_MINUTE = 60


def told(visit: Visit, error: AppError) -> AppError:
    """The error as it is, but for a throttled login, which says at what time the next try is worth it."""
    if not isinstance(error, LoginThrottled):
        return error
    seconds = int(error.headers["Retry-After"])
    minutes = -(-seconds // _MINUTE)
    moment = (visit.now + timedelta(minutes=minutes)).astimezone(visit.time_zone)
    error.detail = (
        f"Too many wrong passwords. This browser can try again in {plural(minutes, 'minute')}, "
        f"at {moment:%H:%M} {moment.tzname()}. A browser that you signed in with before still works."
    )
    return error
