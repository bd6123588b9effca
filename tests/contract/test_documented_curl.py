"""Every curl line of the docs does what the page shows below it."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.domains.enrichment.events import ENRICH_LEAD
from scripts.generate_docs import ROOT
from tests.support.jobs import Jobs
from tests.support.tenants import new_tenant

PAGES = [page for page in sorted(ROOT.glob("docs/**/*.md")) if "$ curl" in page.read_text(encoding="utf-8")]
CALL = re.compile(r"^\$ (curl (?:.*\\\n)*.*)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)
PAIR = re.compile(r'"(\w+)": ?("(?:[^"\\]|\\.)*"|-?[\d.]+|true|false|null)')
IDENTIFIER = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True)
class Call:
    """A line of curl, and what the page says of its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    shown: list[tuple[str, Any]]


def calls(text: str) -> Iterator[Call]:
    for line, answer in CALL.findall(text):
        words = shlex.split(line.replace("\\\n", " ").partition(" | ")[0])[1:]
        body, headers, method, url = None, {}, "", ""
        while words:
            match words.pop(0):
                case "-s":
                    continue
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    body = words.pop(0)
                case word:
                    assert not word.startswith("-"), f"teach this test what curl's {word} means"
                    url = word
        path = url.removeprefix("http://127.0.0.1:5050")
        shown = [(name, json.loads(value)) for name, value in PAIR.findall(answer)]
        yield Call(method or ("GET" if body is None else "POST"), path, headers, body, shown)


def pairs(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield name, part
            yield from pairs(part)
    elif isinstance(value, list):
        for part in value:
            yield from pairs(part)


def is_of_its_time(name: str, value: object) -> bool:
    """Whether a value differs each time: an id, or a time."""
    return name.endswith("At") or (isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_a_curl_line_gets_the_answer_that_the_page_shows(
    api: httpx.AsyncClient,
    api_parts: ApiContext,
    page: Any,  # noqa: ANN401  a path
) -> None:
    tenant = await new_tenant(api_parts.database, api_parts.registry)
    ours: dict[str, str] = {}
    for call in calls(page.read_text(encoding="utf-8")):
        path = IDENTIFIER.sub(lambda found: ours[found[0]], call.path)
        headers = {name: value.replace("Bearer $TOKEN", f"Bearer {tenant.key}") for name, value in call.headers.items()}
        answer = await api.request(call.method, path, headers=headers, content=call.body)

        assert call.shown, f"{page.name} shows no answer of {call.path}"
        got = list(pairs(answer.json()))
        for name, value in call.shown:
            if is_of_its_time(name, value):
                found = next((mine for theirs, mine in got if theirs == name), None)
                assert found is not None, (call.path, name, answer.text)
                ours.setdefault(str(value), str(found))
            else:
                assert (name, value) in got, (call.path, name, answer.text)
        if answer.status_code == 201 and "jobId" in answer.json():
            jobs = Jobs(api_parts.database, tenant.workspace_id, ENRICH_LEAD)
            await jobs.attempt(api_parts.registry, UUID(answer.json()["jobId"]))


def test_the_docs_show_how_to_call_with_curl() -> None:
    assert len([call for page in PAGES for call in calls(page.read_text(encoding="utf-8"))]) >= 3
