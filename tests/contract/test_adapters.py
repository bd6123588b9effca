"""Requirements for every enrichment adapter."""

import copy
import dataclasses
import json
import math
import socket
from collections.abc import Callable
from uuid import UUID

import pytest

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight
from leadflood.domains.enrichment.adapters.simulated import Simulated
from leadflood.domains.enrichment.models import Adapter, Field, FoundValue, KnownLead
from tests.support import naughty

_ADDRESSES = [
    "ada.lovelace@acme.com",
    "a@b.co",
    "l" * 64 + "@acme.com",
    "l" * 500 + "@acme.com",
    "ada@" + ".".join(["d" * 63] * 4) + ".com",
    "👩‍💻🚀@acme.com",
    "ada@👩‍💻.la",
    "ada@bücher.example",
    "ada@xn--zzzzzz.com",
    "\u0622\u0644\u0627@\u0645\u062b\u0627\u0644.\u0625\u062e\u062a\u0628\u0627\u0631",
    "e\u0301.\u0301x@acme.com",
    '"quoted @ part"@acme.com',
    '""@acme.com',
    "+@gmail.com",
    ".@gmail.com",
    "-@yahoo.com",
    "ada@[IPv6:2001:db8::1]",
    "ada@-.-",
    "ada@..",
    "ada@com",
    "@acme.com",
    "ada@",
    "@",
    "",
    "no address",
    "ada\x00@acme.com",
    "ada\ud800@acme.com",
    "a@b@c.com",
]


def _simulated() -> Adapter:
    return Simulated(latency=0, failure_rate=0, failure_kind="retryable", random_unit=lambda: 0.5)


@pytest.fixture(params=[EmailInsight, _simulated], ids=["email_insight", "simulated"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    make: Callable[[], Adapter] = request.param
    return make()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("an adapter that needs no network opened a socket")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)


def _lead(email: str, **known: str) -> KnownLead:
    return KnownLead(UUID(int=7), email, email.lower(), **known)


def _assert_receipt(found: FoundValue) -> None:
    assert found.field in Field
    assert type(found.value) in (str, bool, int, float)
    assert json.loads(json.dumps(found.value, allow_nan=False)) == found.value
    assert found.value != ""
    assert 0 <= found.confidence <= 1
    assert not math.isnan(found.confidence)
    assert found.method.isidentifier()
    assert found.evidence.strip().endswith(".")
    assert found.cost_micros >= 0
    for text in (str(found.value), found.evidence):
        text.encode("utf-8")
        assert "\x00" not in text


def test_an_adapter_has_a_name_and_a_version(adapter: Adapter) -> None:
    assert adapter.name.isidentifier()
    assert adapter.version


@pytest.mark.parametrize("email", _ADDRESSES, ids=ascii)
async def test_every_value_has_a_sound_receipt_whatever_the_address(adapter: Adapter, email: str) -> None:
    found = await adapter.enrich(_lead(email))
    for value in found:
        _assert_receipt(value)
    assert len({value.field for value in found}) == len(found)


@naughty.texts
async def test_naughty_local_parts_and_names_do_no_harm(adapter: Adapter, texts: naughty.Texts) -> None:
    for text in texts():
        leads = (
            _lead(f"{text}@acme.com"),
            _lead(f"ada@{text}.com"),
            _lead("ada@acme.com", first_name=text, last_name=text),
        )
        for lead in leads:
            for value in await adapter.enrich(lead):
                _assert_receipt(value)


async def test_an_ordinary_address_yields_something(adapter: Adapter) -> None:
    assert await adapter.enrich(_lead("ada.lovelace@acme.com"))


async def test_the_same_lead_gets_the_same_values(adapter: Adapter) -> None:
    lead = _lead("ada.lovelace+x@acme.co.uk", first_name="Ada")
    assert list(await adapter.enrich(lead)) == list(await adapter.enrich(lead))


async def test_the_lead_is_left_as_it_was(adapter: Adapter) -> None:
    lead = _lead("Ada.Lovelace@Acme.com", last_name="Lovelace")
    before = copy.deepcopy(dataclasses.asdict(lead))
    await adapter.enrich(lead)
    assert dataclasses.asdict(lead) == before
