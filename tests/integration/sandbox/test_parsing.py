"""A hostile page costs only itself, and never the event loop."""

from collections.abc import AsyncIterator

import pytest

from leadflood.kernel.parsing import PageSource, parse_pages
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.protocol import TaskLimits
from tests.support import sandbox_tasks as tasks

LIMITS = TaskLimits(memory=128 * 1024 * 1024, cpu=1, wall=600)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = Sandbox(processes=1, preload=[tasks.__name__])
    yield opened
    await opened.aclose()


async def titles(sandbox: Sandbox, *texts: str) -> list[str | None]:
    pages = [PageSource(f"https://acme.com/{number}", text) for number, text in enumerate(texts)]
    parsed = await parse_pages(sandbox, "a", tasks.page_titles, pages, limits=LIMITS)
    assert [page.url for page in parsed] == [page.url for page in pages]
    return [page.result if page.readable else None for page in parsed]


@pytest.mark.parametrize("attack", ["spin", "kill", "eat"])
async def test_a_page_that_ends_its_process_is_unreadable_and_others_are_read(sandbox: Sandbox, attack: str) -> None:
    one, two = "<title>Zoë \U0001f680</title>", "<title>Two</title>"

    assert await titles(sandbox, one, attack, two) == ["Zoë \U0001f680", None, "Two"]
    assert await titles(sandbox, attack, attack, two) == [None, None, "Two"]


async def test_deep_and_odd_pages_are_read(sandbox: Sandbox) -> None:
    deep = "<title>Deep</title>" + "<div>" * 10_000
    long = "<title>Long</title><script>var a='" + "a" * 5_000_000 + "'</script>"

    assert await titles(sandbox, deep, "", long, "\ud800<title>Odd</title>"[1:], "no markup") == [
        "Deep",
        "",
        "Long",
        "Odd",
        "",
    ]


async def test_no_page_needs_no_process(sandbox: Sandbox) -> None:
    assert await parse_pages(sandbox, "a", tasks.page_titles, []) == []
