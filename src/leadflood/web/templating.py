"""Templates, and the few things that all of them know."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from leadflood.kernel.schema import Count
from leadflood.web.assets import Assets

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WEEK = 7 * _DAY


class Components:
    """All macros of `templates/components/`, as `ui.button(…)`: blocks of a page can be rendered alone with them."""

    def __init__(self, environment: Environment) -> None:
        for name in environment.list_templates(filter_func=lambda each: each.startswith("components/")):
            module = environment.get_template(name).module
            for macro in dir(module):
                if not macro.startswith("_"):
                    setattr(self, macro, getattr(module, macro))


class Templates:
    """Renders templates, whole or one block of them."""

    def __init__(self, assets: Assets, *, reload: bool) -> None:
        """`reload`: look at the files again each time, for development."""
        self._assets = assets
        self._reload = reload
        self._environment = self._make()

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        """A whole page."""
        return self._ready().get_template(template).render(context)

    def block(self, template: str, block: str, context: Mapping[str, Any]) -> str:
        """One block of a page. It sees the context and `ui`, not what the template sets outside the block."""
        found = self._ready().get_template(template)
        return "".join(found.blocks[block](found.new_context(dict(context))))

    def has_block(self, template: str, block: str) -> bool:
        """Whether a page has a block of this name."""
        return block in self._ready().get_template(template).blocks

    def _ready(self) -> Environment:
        if self._reload:
            self._environment.globals["ui"] = Components(self._environment)
        return self._environment

    def _make(self) -> Environment:
        environment = Environment(
            loader=PackageLoader("leadflood.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=self._reload,
        )
        environment.filters |= {
            "ago": ago,
            "clock": clock,
            "number": number,
            "plural": plural,
            "iso": iso,
            "counted": counted,
            "duration": duration,
        }
        icon = self._icon if self._reload else functools.lru_cache(maxsize=1000)(self._icon)
        environment.globals |= {"icon": icon, "asset": self._assets.url, "url": url}
        environment.globals["ui"] = Components(environment)
        return environment

    def _icon(self, name: str, label: str | None = None) -> Markup:
        """An icon that takes the text's colour and size. Without a label it says nothing to a screen reader."""
        inner = Markup(self._assets.icon(name))  # noqa: S704  built from a package, not from anybody's input
        told = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup(
            '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
            'stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>'
        ).format(told, inner)


@pass_context
def ago(context: Context, moment: datetime | None) -> str:
    """How long ago a moment was, in the largest unit: `3 min ago`, or how far ahead it is: `in 3 min`."""
    if moment is None:
        return "never"
    seconds = (context["ctx"].now - moment).total_seconds()
    if abs(seconds) < _MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if abs(seconds) >= _WEEK:
        return clock(context, moment, "date")
    size, unit = next(
        (size, unit) for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")) if abs(seconds) >= size
    )
    told = f"{int(abs(seconds) // size)} {unit}"
    return f"{told} ago" if seconds > 0 else f"in {told}"


@pass_context
def clock(context: Context, moment: datetime | None, form: str = "full") -> str:
    """A moment in the visitor's time zone: `date`, `time` or `full` (with seconds and zone)."""
    if moment is None:
        return ""
    local = moment.astimezone(context["ctx"].time_zone)
    date = f"{local.day} {local:%b %Y}"
    return {"date": date, "time": f"{local:%H:%M}"}.get(form, f"{date}, {local:%H:%M:%S} {local.tzname()}")


def iso(moment: datetime) -> str:
    """A moment as RFC 3339, for `datetime` attributes."""
    return moment.isoformat()


def number(value: float) -> str:
    """A number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def brief(text: str, longest: int = 120) -> str:
    """A text that is not longer than a line or so."""
    return text if len(text) <= longest else text[:longest] + "…"


def counted(count: Count) -> str:
    """A count, with a plus where there are more than were counted."""
    return number(count.value) + ("" if count.exact else "+")


def duration(seconds: float | None) -> str:
    """A span of time in the unit that fits: `8 ms`, `1.4 s`, `3 min`, `2 h`."""
    if seconds is None:
        return "—"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.3g} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.0f} h"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 lead`, `2 leads`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def url(path: str, query: Mapping[str, Any] | None = None, **changes: Any) -> str:  # noqa: ANN401  whatever prints
    """A path with a query. `changes` replace single parameters of `query`; None, "" and [] leave one out."""
    merged = {**(query or {}), **changes}
    pairs = [
        (name, each)
        for name, value in merged.items()
        for each in (value if isinstance(value, list | tuple) else [value])
        if each not in (None, "")
    ]
    return quote(path) + (f"?{urlencode(pairs)}" if pairs else "")
