"""Definitions of sources that ask a web API: what is sent, what is read, and what it costs. Pure."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ORIGIN_ENDS: Final = frozenset("/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDefinition:
    """A source that a workspace has defined. Validated by `contracts.http_sources.DefineSource`.

    Attributes:
        name: stored with every value, beginning with `custom_`.
        label: for people.
        subject: `lead` or `company`.
        method: `GET` or `POST`.
        url: with placeholders of fields, such as `{domain}`, in its path and query.
        body: JSON to send, with placeholders in its texts; None: nothing.
        auth: how the key is sent: `none`, `header`, `basic` (as user, with an empty password) or `bearer`.
        header: name of the header of `header`.
        needs: sets of fields, one of which must be known.
        fields: JMESPath expression by field.
        miss_when: JMESPath expression whose truth means that nothing was found.
        statuses: class by status of HTTP, where it differs from the usual one.
        units: JMESPath expression of the units that were charged; None: one.
        unit: what is charged, in the singular.
        charges: `on_hit` or `on_call`.
        most_units: units that one call can cost at most.
        confidence: in each value.
        calls, seconds: rate, at most so many calls in so many seconds.
        days: for which an answer is kept.
    """

    name: str
    label: str
    subject: str
    method: str
    url: str
    body: Any
    auth: str
    header: str
    needs: Sequence[Sequence[str]]
    fields: Mapping[str, str]
    miss_when: str | None
    statuses: Mapping[int, str] = field(default_factory=dict)
    units: str | None = None
    unit: str
    charges: str
    most_units: int
    confidence: float
    calls: int
    seconds: float
    days: int

    @property
    def origin(self) -> str:
        """Scheme, host and port, in lower case; what the key is bound to."""
        return origin_of(self.url)

    @property
    def version(self) -> str:
        """Changes with everything that may change an answer."""
        parts = [self.method, self.url, self.body, self.auth, self.header, self.miss_when, dict(self.fields)]
        text = json.dumps([*parts, {str(key): value for key, value in self.statuses.items()}], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL template. Raises: ValueError: it has none, or placeholders in it."""
    head = url.partition("?")[0]
    parts = urlsplit(head.replace("{", "").replace("}", "")) if "{" in _authority(url) else urlsplit(head)
    if "{" in _authority(url) or parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise ValueError("The address must begin with https:// and a host, without placeholders.")
    port = parts.port
    return f"https://{parts.hostname}" + ("" if port in {None, 443} else f":{port}")


def _authority(url: str) -> str:
    rest = url.partition("://")[2]
    end = next((place for place, char in enumerate(rest) if char in _ORIGIN_ENDS), len(rest))
    return rest[:end]


def placeholders(template: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    """The names in a template, in a URL or in the texts of JSON."""
    if isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
    elif isinstance(template, list):
        for item in template:
            yield from placeholders(item)
    elif isinstance(template, dict):
        for item in template.values():
            yield from placeholders(item)


def filled_url(template: str, values: Mapping[str, str]) -> str:
    """The URL with each placeholder percent-encoded, so that a value can change neither path, query nor host."""
    return PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), template)


def filled_body(template: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401  JSON
    """The JSON with the placeholders in its texts replaced. It is encoded afterwards: no value can leave its text."""
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda found: values.get(found[1], ""), template)
    if isinstance(template, list):
        return [filled_body(item, values) for item in template]
    if isinstance(template, dict):
        return {key: filled_body(item, values) for key, item in template.items()}
    return template
