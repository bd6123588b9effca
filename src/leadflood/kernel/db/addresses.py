"""Addresses of the database, by the settings."""

from leadflood.kernel.config import Settings
from leadflood.kernel.db.embedded import running_url
from leadflood.kernel.db.provision import DATABASE, OWNER
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.errors import AppError


class NoDatabase(AppError):
    """There is neither an address nor a running embedded server."""

    code = "no_database"
    status = 503
    title = "No database"


def application_url(settings: Settings) -> str:
    """The address that services use. Raises: NoDatabase."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    url = running_url(settings.home, APP_ROLE, DATABASE)
    if url is None:
        message = (
            f"No database: LEADFLOOD_DATABASE_URL is not set, and no embedded PostgreSQL runs in {settings.home}. "
            "Start one with `leadflood up`."
        )
        raise NoDatabase(message)
    return url


def owner_url(settings: Settings) -> str:
    """The address that migrations use. Raises: NoDatabase."""
    if settings.migrate_database_url is not None:
        return settings.migrate_database_url.get_secret_value()
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return running_url(settings.home, OWNER, DATABASE) or application_url(settings)
