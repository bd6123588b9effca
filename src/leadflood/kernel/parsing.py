"""Parsing of web pages in limited child processes.

HTML comes from strangers: a page can take a parser seconds, gigabytes, or down. So pages are parsed by the processes of
`kernel.sandbox`, never on the event loop. All pages of a company are parsed in one call; a page that ends its process
counts as unreadable, and the pages after it are parsed by another one.
"""

import json
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import IO, Any, Final

from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.process import Task, TaskRefused, TaskStopped
from leadflood.kernel.sandbox.protocol import TaskLimits

PAGE_LIMITS: Final = TaskLimits(memory=512 * 1024 * 1024, cpu=2, wall=10)
"""Limits of one page: bytes beyond those of an idle child, seconds of CPU time, and seconds in all."""


@dataclass(frozen=True, slots=True)
class PageSource:
    """A page to parse.

    Attributes:
        url: URL of the page.
        text: decoded HTML.
        notes: more for the task, such as headers of the response.
    """

    url: str
    text: str
    notes: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The page as `sources_in` reads it."""
        return json.dumps([self.url, self.text, dict(self.notes)]).encode("ascii")


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A parsed page. `result` is the JSON value that the task yielded, None if the page could not be read."""

    url: str
    result: Any | None

    @property
    def readable(self) -> bool:
        """Whether the page could be read."""
        return self.result is not None


def sources_in(file: IO[bytes], request: list[int]) -> Iterator[PageSource]:
    """The pages of a call, in the child. Args: file, request: as the task got them."""
    for length in request:
        url, text, notes = json.loads(file.read(length))
        yield PageSource(url, text, notes)


async def parse_pages(
    sandbox: Sandbox, key: Hashable, task: Task, pages: Sequence[PageSource], *, limits: TaskLimits = PAGE_LIMITS
) -> list[ParsedPage]:
    """Parse pages in a child process, in order.

    Args:
        sandbox: the children.
        key: owner of the task, such as a workspace; children are shared fairly among owners.
        task: a function at the top of its module that yields one JSON value, not None, for each page of `sources_in`.
        pages: the pages.
        limits: of each page.

    Raises: leadflood.kernel.errors.Unavailable: too many tasks wait.
    """
    parsed: list[ParsedPage] = []
    while len(parsed) < len(pages):
        rest = pages[len(parsed) :]
        results = await _results(sandbox, key, task, rest, limits)
        parsed += [ParsedPage(page.url, result) for page, result in zip(rest, results, strict=False)]
        if len(results) < len(rest):
            parsed.append(ParsedPage(rest[len(results)].url, None))
    return parsed


async def _results(
    sandbox: Sandbox, key: Hashable, task: Task, pages: Sequence[PageSource], limits: TaskLimits
) -> list[Any]:
    """The results up to the first page that stopped its process."""
    encoded = [page.encoded() for page in pages]
    results: list[Any] = []
    with os.fdopen(os.memfd_create("pages", os.MFD_CLOEXEC), "w+b") as file:
        file.writelines(encoded)
        file.flush()
        async with sandbox.process(key) as process:
            running = process.run(task, file, [len(item) for item in encoded], limits)
            try:
                async with aclosing(running):
                    async for result in running:
                        results.append(result)  # noqa: PERF401  what came before a stop is kept
            except (TaskStopped, TaskRefused):
                return results
    return results
