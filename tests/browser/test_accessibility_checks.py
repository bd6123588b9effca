"""The checks of accessibility and layout find what they are there to find."""

from collections.abc import Sequence

import pytest

from tests.support.accessibility import assert_overlays_accessible, badly_colored, inaccessible, unusable
from tests.support.chromium import Windows

PAGE = "<!doctype html><html lang=en><title>Toy</title><main><h1>Toy</h1>{}</main>"
CUT = "<p style='overflow: hidden; white-space: nowrap; width: 100px{}'>{}</p>"
WORDS = "Many words that need a lot of room"

UNUSABLE = {
    f"<div style='width: 700px'>{WORDS}</div><p>.": "the page scrolls sideways",
    f"<div style='overflow: hidden'><p style='margin-left: 600px'>{WORDS}</div>": "outside the window",
    CUT.format("", WORDS): "cut off",
    CUT.format("; text-overflow: ellipsis", WORDS): "cut off",
    f"<p style='overflow: hidden; height: 20px; width: 100px'>{WORDS}</p>": "cut off below",
    "<button style='width: 8px; height: 8px; padding: 0; overflow: hidden'></button>": "too small",
    "<button>Go</button><div style='position: fixed; inset: 0; background: red'></div>": "covered by <div>",
    "<div style='overflow: hidden; width: 100px; height: 30px; position: relative'>"
    "<input aria-label=name style='width: 500px; position: absolute'></div>": "not all of it can be reached",
}
USABLE = (
    f"<p>{WORDS}</p><input aria-label=name><button>Go</button>",
    f"<div style='overflow-x: auto' tabindex=0><div style='width: 700px'>{WORDS}</div></div>",
    CUT.format("; text-overflow: ellipsis' title='all", WORDS),
    f"<span style='position: absolute; width: 1px; height: 1px; overflow: hidden'>{WORDS}</span>",
    f"<details><summary>More</summary><div style='width: 700px'>{WORDS}</div></details>",
    f"<label>{WORDS}<input type=checkbox style='opacity: 0; position: absolute; width: 1px'></label>",
)
INACCESSIBLE = {
    "<img src=data:,>": "image-alt",
    "<input>": "label",
    "<p style='color: #999; background: #fff'>pale": "color-contrast",
    "<h4>too deep": "heading-order",
}


async def test_what_is_out_of_reach_is_found_and_nothing_else(windows: Windows) -> None:
    page = await windows.open("http://127.0.0.1", viewport={"width": 320, "height": 640})
    for html, expected in UNUSABLE.items():
        await page.set_content(PAGE.format(html))
        assert [finding for finding in await unusable(page) if finding.startswith(expected)] != [], html
    for html in USABLE:
        await page.set_content(PAGE.format(html))
        assert await unusable(page) == [], html


async def test_what_breaks_a_rule_of_axe_is_found_and_nothing_else(windows: Windows) -> None:
    page = await windows.open("http://127.0.0.1")
    for html, rule in INACCESSIBLE.items():
        await page.set_content(PAGE.format(html))
        assert [finding.partition(" ")[0] for finding in await inaccessible(page)] == [rule], html
    await page.set_content(PAGE.format("<p>Fine</p>"))
    assert await inaccessible(page) == []


LOOKS: Sequence[tuple[str, Sequence[str]]] = (
    ("<p>Dark", []),
    ("<p>Dark</p><p style='color: #999'>pale", ["color-contrast"]),
    ("<div><p style='color: #999'>as pale as before", []),
    ("<div style='background: #222'><p>Dark", ["color-contrast"]),
    ("<div style='background: #222'><p>Dark</p><p style='color: #fff'>bright", []),
    ("<p style='color: #999; font-size: 9px'>pale and small", ["color-contrast"]),
    ("<button disabled style='color: #aaa; border: 0'>Off", []),
    ("<button style='color: #aaa; border: 0'>On", ["color-contrast"]),
    ("<div aria-disabled=true><p style='color: #bbb'>Off", []),
    ("<div><p style='color: #bbb'>On", ["color-contrast"]),
    ("<p hidden style='color: #ccc'>unseen", []),
    ("<p style='color: #ccc'>seen", ["color-contrast"]),
    ("<p style='color: #ddd'>…", []),
    ("<p style='color: #ddd'>word", ["color-contrast"]),
    ("<table><tbody>" + "<tr><td>Dark" * 6 + "<tr><td style='color: #aab'>left out</table>", []),
    ("<table><tbody><tr><td style='color: #aab'>looked at</table>", ["color-contrast"]),
    ("<p>Words and a <a href='/' style='color: #006; text-decoration: none'>link</a> in them", ["link-in-text-block"]),
)
"""Pages in this order, and the rules about colors that each breaks for the first time."""


async def test_the_colors_of_texts_that_look_the_same_are_checked_once_and_those_of_all_others(
    windows: Windows,
) -> None:
    page = await windows.open("http://127.0.0.1")
    looks: set[str] = set()
    for html, rules in LOOKS:
        await page.set_content(PAGE.format(html))
        assert [item.partition(" ")[0] for item in await badly_colored(page, looks=looks)] == rules, html


async def test_what_breaks_a_rule_in_a_dialog_is_found_though_it_is_closed(windows: Windows) -> None:
    page = await windows.open("http://127.0.0.1")
    await page.set_content(PAGE.format("<dialog id=ask aria-label=Ask><input></dialog><div popover id=more>More</div>"))
    seen: set[str] = set()
    with pytest.raises(AssertionError, match="ask: label"):
        await assert_overlays_accessible(page, seen)
    assert seen == {"ask", "more"}
