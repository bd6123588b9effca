"""Under which address a server of ours is reached."""

from urllib.parse import urlsplit

from leadflood.kernel.config import Settings
from leadflood.kernel.errors import AppError


class UnusablePublicUrl(AppError):
    """The setting about the public address cannot be used."""

    code = "unusable_public_url"
    title = "Unusable public address"


def reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`, which may be all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  replaced, not bound


def url_of(host: str, port: int) -> str:
    """The URL under which a server on this address answers this machine."""
    place = reachable(host)
    return f"http://[{place}]:{port}" if ":" in place else f"http://{place}:{port}"


def public_url(settings: Settings) -> str:
    """What links begin with that leave this machine, without a slash at the end. Raises: UnusablePublicUrl."""
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
        "LEADFLOOD_PUBLIC_URL cannot be used. Give scheme and host, with a port where it is not the usual one: "
        "https://leads.acme.com."
    )
