"""Templates, and their shared globals and filters."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leadflood.kernel.email_parts import to_u_labels
from leadflood.web import formats, labels
from leadflood.web.assets import Assets
from leadflood.web.fact_text import fact_text


class Components:
    """All macros of `templates/components/`, as `ui.button(…)`: also available when one block is rendered alone."""

    def __init__(self, environment: Environment) -> None:
        for name in environment.list_templates(filter_func=lambda item: item.startswith("components/")):
            module = environment.get_template(name).module
            for macro in dir(module):
                if not macro.startswith("_"):
                    setattr(self, macro, getattr(module, macro))


class Templates:
    """Renders templates, or one block of them."""

    def __init__(self, assets: Assets, packages: Sequence[str] = (), *, reload: bool) -> None:
        """Args: packages: others with templates. reload: read the files again each time, for development."""
        self._assets = assets
        self._packages = packages
        self._reload = reload
        self._environment = self._make()

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        """A whole page."""
        return self._ready().get_template(template).render(context)

    def block(self, template: str, block: str, context: Mapping[str, Any]) -> str:
        """One block of a page. It gets the context and `ui`, but nothing that the template sets outside the block."""
        found = self._ready().get_template(template)
        return "".join(found.blocks[block](found.new_context(dict(context))))

    def has_block(self, template: str, block: str) -> bool:
        """Whether a page has a block with this name."""
        return block in self._ready().get_template(template).blocks

    def _ready(self) -> Environment:
        if self._reload:
            self._environment.globals["ui"] = Components(self._environment)
        return self._environment

    def _make(self) -> Environment:
        environment = Environment(
            loader=ChoiceLoader([PackageLoader(package) for package in ("leadflood.web", *self._packages)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # it would format constants once, as for the region of the first reader
            auto_reload=self._reload,
        )
        environment.filters |= {
            "ago": formats.ago,
            "clock": formats.clock,
            "country": formats.country,
            "counted": formats.counted,
            "duration": formats.duration,
            "day": formats.day,
            "domain": to_u_labels,
            "fact": fact_text,
            "iso": formats.iso,
            "linked": formats.linked,
            "money": formats.money,
            "number": formats.number,
            "phone": formats.phone,
            "percent": formats.percent,
            "plural": formats.plural,
            "size": formats.size,
        }
        icon = self._icon if self._reload else functools.lru_cache(maxsize=1000)(self._icon)
        environment.globals |= {"icon": icon, "asset": self._assets.url, "url": url, "labels": labels}
        environment.globals["ui"] = Components(environment)
        return environment

    def _icon(self, name: str, label: str | None = None) -> Markup:
        """An icon in the color and size of the text. Without a label, screen readers skip it."""
        inner = Markup(self._assets.icon(name))  # noqa: S704  built from a package, not from user input
        described = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup(
            '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
            'stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>'
        ).format(described, inner)


def brief(text: str, max_length: int = 120) -> str:
    """A text shortened to about one line."""
    return text if len(text) <= max_length else text[:max_length] + "…"


def url(path: str, query: Mapping[str, Any] | None = None, **changes: Any) -> str:  # noqa: ANN401  whatever prints
    """A path with a query. `changes` replace parameters of `query`; None, "" and [] remove one."""
    merged = {**(query or {}), **changes}
    pairs = [
        (name, item)
        for name, value in merged.items()
        for item in (value if isinstance(value, list | tuple) else [value])
        if item not in (None, "")
    ]
    return quote(path) + (f"?{urlencode(pairs)}" if pairs else "")
