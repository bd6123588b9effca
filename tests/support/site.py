"""Fixtures of tests that look at single pages: the real site behind the real HTTP server, with a showcase in it."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from leadflood.bootstrap import build_registry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.support.api import make_parts, parts_maker
from tests.support.letters import add_letters
from tests.support.sandbox import shared_sandbox
from tests.support.served import Parts, Served, served
from tests.support.showcase import Showcase, new_showcase
from tests.support.web import web_parts


@pytest.fixture(scope="session")
def machine(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings as `leadflood up` gives them to its children: with a data folder, whose mail catcher is in use."""
    changes = {
        "home": tmp_path_factory.mktemp("home"),
        "smtp_url": SecretStr(f"smtp://127.0.0.1:{settings.dev_mail_port}"),
    }
    return settings.model_copy(update=changes)


@pytest.fixture(scope="session")
def own_parts(application_url: str, machine: Settings, secret_box: SecretBox) -> Parts:
    """Of an API on connections of its own, for a server with a loop of its own."""
    return parts_maker(application_url, machine, secret_box)


@pytest.fixture(scope="session")
def server(own_parts: Parts, application_url: str) -> Iterator[Served]:
    """The site: all pages, and the API beside them."""
    with served(own_parts, lambda parts: web_parts(parts, application_url)) as started:
        yield started


@pytest.fixture(scope="session")
async def showcase(
    machine: Settings, database: Database, queue_backend: PostgresQueueBackend, secret_box: SecretBox
) -> Showcase:
    """A workspace with some of everything in every state."""
    made = await new_showcase(
        make_parts(machine, database, queue_backend, build_registry(machine, database, shared_sandbox()), secret_box)
    )
    await add_letters(made, machine.home)
    return made
