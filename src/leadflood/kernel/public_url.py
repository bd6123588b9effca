"""URLs under which our servers are reached."""

from urllib.parse import urlsplit

from leadflood.kernel.config import Settings
from leadflood.kernel.errors import AppError


class UnusablePublicUrl(AppError):
    """The setting of the public URL is invalid."""

    code = "unusable_public_url"
    title = "Unusable public address"


def reachable(host: str) -> str:
    """Address by which this machine reaches a server that listens on `host`, which may be all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  replaced, not bound


def url_of(host: str, port: int) -> str:
    """The URL of a server on this address, for this machine."""
    place = reachable(host)
    return f"http://[{place}]:{port}" if ":" in place else f"http://{place}:{port}"


def public_url(settings: Settings) -> str:
    """Base of links that leave this machine, without a trailing slash. Raises: UnusablePublicUrl."""
    if not settings.public_url:
        return url_of(settings.host, settings.port)
    try:
        parts = urlsplit(settings.public_url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise _unusable() from error
    if not usable or parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise _unusable()
    return f"{parts.scheme}://{parts.netloc}"


def _unusable() -> UnusablePublicUrl:
    return UnusablePublicUrl(
        "LEADFLOOD_PUBLIC_URL cannot be used. Provide scheme and host, with a port where it is not the usual one: "
        "https://leads.acme.com."
    )
