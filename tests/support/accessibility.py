"""Accessibility checks of pages: axe's rules, narrow screens and large text."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.async_api import Page, ViewportSize

_OF_COLORS = ("color-contrast", "link-in-text-block")
"""Rules whose result can differ between light and dark."""
EVERY_RULE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
RULES = {**EVERY_RULE, "rules": {rule: {"enabled": False} for rule in _OF_COLORS}}
COLOURS = {"runOnly": {"type": "rule", "values": [*_OF_COLORS]}}

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PHONE = ViewportSize(width=320, height=640)
"""The width that WCAG 1.4.10 asks for: 1280 pixels at 400 %."""
ZOOMED = ViewportSize(width=640, height=400)
"""A window of 1280 x 800 at 200 %: half as many CSS pixels."""

ALIKE = ("tbody > tr:nth-child(n + 7)",)
"""Rows after the sixth are like those before, and most of the time of a check goes into texts and their colors."""
FRAME = (".topbar", ".sidebar")
"""Parts of every page of somebody who has signed in."""

_FORGET_LOOKS = "document.querySelectorAll('[data-look]').forEach((node) => node.removeAttribute('data-look'))"
_RUN_AXE = "async ([include, exclude, options]) => (await axe.run({ include, exclude }, options)).violations"
_LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")
_USABLE = Path(__file__).with_name("usable.js").read_text(encoding="utf-8")


# A plot follows the width of its place in the frame after it has changed.
_NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


async def unusable(page: Page) -> list[str]:
    """Elements that cannot be seen or reached in a window of this size."""
    found: list[str] = await page.evaluate(_USABLE)
    return found


async def inaccessible(
    page: Page, *, within: str = "html", without: Sequence[str] = (), looks: set[str] | None = None
) -> list[str]:
    """Violations of axe's rules in one element or the whole page: the rule, where, and the fix.

    Args: looks: as for `badly_colored`.
    """
    found = await _violations(page, RULES, [[within]], without)
    return found + await badly_colored(page, within=within, without=without, looks=looks)


async def badly_colored(
    page: Page, *, within: str = "html", without: Sequence[str] = (), looks: set[str] | None = None
) -> list[str]:
    """Violations of the rules about colors, which take half of axe's time, by texts of each look once.

    Args: looks: of texts that need no check, because others that look the same had one. Looks found here are added.
    """
    if not await _mark_fresh(page, within, without, set() if looks is None else looks):
        return []
    found = await _violations(page, COLOURS, [["[data-look]"]], without)
    await page.evaluate(_FORGET_LOOKS)
    return found


async def _mark_fresh(page: Page, within: str, without: Sequence[str], looks: set[str]) -> bool:
    """Mark a text of each look that is not among `looks`, and add it there. Returns whether there is any."""
    fresh = await page.evaluate(_LOOKS, [within, [*ALIKE, *without], [*looks]])
    looks.update(fresh)
    return bool(fresh)


async def inaccessible_overlay(page: Page, within: str, looks: set[str]) -> list[str]:
    """As `inaccessible`, for a small part of a page: with all rules in one run, which goes through the whole page."""
    fresh = await _mark_fresh(page, within, (), looks)
    await page.evaluate(_FORGET_LOOKS)
    return await _violations(page, EVERY_RULE if fresh else RULES, [[within]], ())


async def _violations(
    page: Page, rules: Mapping[str, Any], include: Sequence[Sequence[str]], without: Sequence[str]
) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)  # once a document: it is half a megabyte
    # No rule of ours reads the style sheets, which axe would load again.
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    violations = await page.evaluate(_RUN_AXE, [include, [[part] for part in (*ALIKE, *without)], options])
    return [
        f"{violation['id']} ({violation['impact']}) at {' '.join(map(str, node['target']))}: {_summary(node)}"
        for violation in violations
        for node in violation["nodes"]
    ]


async def assert_accessible_in(page: Page, scheme: Scheme, *, without: Sequence[str] = (), looks: set[str]) -> None:
    """No rule of axe is broken in this color scheme, but for these parts. `looks`: as for `badly_colored`."""
    await page.emulate_media(color_scheme=scheme)
    found = await inaccessible(page, without=without, looks=looks)
    assert found == [], f"in {scheme}:\n" + "\n".join(found)


async def assert_accessible(page: Page, *, without: Sequence[str] = (), looks: set[str] | None = None) -> None:
    """No rule of axe is broken, in light and in dark, but for these parts. `looks`: as for `badly_colored`."""
    await page.emulate_media(color_scheme="light")
    found = await inaccessible(page, without=without, looks=looks)
    await page.emulate_media(color_scheme="dark")
    found += [f"in dark: {finding}" for finding in await badly_colored(page, without=without, looks=looks)]
    assert found == [], "\n".join(found)


async def assert_overlays_accessible(page: Page, seen: set[str], looks: set[str] | None = None) -> None:
    """No dialog, drawer or menu of the page breaks a rule of axe while it is open. Those in `seen` were looked at.

    Args: looks: as for `badly_colored`.
    """
    found: list[str] = []
    looks = set() if looks is None else looks
    for overlay in await page.locator("dialog[id], [popover][id]").all():
        identity = await overlay.get_attribute("id")
        name = re.sub(r"([0-9a-f-]{36}|\d+)$", "", identity or "")
        if name in seen:
            continue
        seen.add(name)
        await overlay.evaluate("(node) => node.localName === 'dialog' ? node.showModal() : node.showPopover()")
        found += [f"{name}: {finding}" for finding in await inaccessible_overlay(page, f"#{identity}", looks)]
        await overlay.evaluate("(node) => node.localName === 'dialog' ? node.close() : node.hidePopover()")
    assert found == [], "\n".join(found)


async def assert_usable(page: Page) -> None:
    """Nothing is out of reach on a phone, or at 200 %."""
    found: list[str] = []
    for name, size in (("320 pixels wide", PHONE), ("at 200 %", ZOOMED)):
        await page.set_viewport_size(size)
        await page.evaluate(_NEXT_FRAMES)
        found += [f"{name}: {finding}" for finding in await unusable(page)]
    assert found == [], "\n".join(found)


def _summary(node: dict[str, Any]) -> str:
    return " ".join(str(node["failureSummary"]).split())
