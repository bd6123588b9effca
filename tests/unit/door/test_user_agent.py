"""Requests name this installation, and the demo's internet stays out of production."""

import pytest

from leadflood.demo.internet.dialer import DemoInternetRefused, demo_dialer
from leadflood.kernel.config import Environment, Settings
from leadflood.kernel.door.own_addresses import OwnAddresses
from leadflood.kernel.door.user_agent import UserAgent


@pytest.mark.parametrize(
    ("contact", "end"),
    [
        ("ada@acme.com", "LeadFloodBot; +https://leads.acme.com/bot; ada@acme.com)"),
        ("", "LeadFloodBot; +https://leads.acme.com/bot)"),
        ("a\r\nX-Evil: 1 🚀", "+https://leads.acme.com/bot; aX-Evil: 1 )"),
    ],
)
async def test_the_user_agent_names_page_and_contact_in_one_line(contact: str, end: str) -> None:
    async def known() -> str:
        return contact

    agent = await UserAgent("https://leads.acme.com", known)()
    assert agent.startswith("LeadFlood/")
    assert agent.endswith(end)
    assert agent.isascii()


async def test_a_command_without_a_server_names_its_contact_only() -> None:
    async def known() -> str:
        return "ada@acme.com"

    assert (await UserAgent("", known)()).endswith(" (LeadFloodBot; ada@acme.com)")


def test_production_refuses_the_internet_of_the_demo() -> None:
    settings = Settings(_env_file=None)

    assert demo_dialer(settings, {80: 1}).ports == {80: 1}
    with pytest.raises(DemoInternetRefused):
        demo_dialer(settings.model_copy(update={"env": Environment.PRODUCTION}), {80: 1})


async def test_this_machine_and_the_database_are_own_addresses() -> None:
    own = {str(address) for address in await OwnAddresses(["postgresql://a:b@25.9.8.7:5432/x?host=/run,25.9.8.6"])()}

    assert {"127.0.0.1", "25.9.8.7", "25.9.8.6"} <= own
